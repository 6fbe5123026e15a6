"""Balance a folder and train any torch model on the result: python balance_folder.py FOLDER."""

import sys

from genaug import augment
from torch.utils.data import DataLoader
from torchvision.transforms import ToTensor


def main(folder: str, preset: str = "auto") -> None:
    """Print what was made, and the shape of a batch that a training loop would see."""
    result = augment(folder, preset=preset, resolution=32)  # one size for all images, so that they fit into batches
    for name, counts in result.counts.items():
        print(f"{name}: {counts['real']} real, {counts['classical']} classical, {counts['generated']} generated")
    result.dataset.transform = ToTensor()
    images, labels = next(iter(DataLoader(result.dataset, batch_size=8, shuffle=True)))
    print(f"batch: {list(images.shape)}, labels {labels.tolist()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
