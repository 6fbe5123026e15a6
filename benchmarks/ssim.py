"""SSIM of all pairs of 100 x 100 images at 64 pixels: ours against a loop of scikit-image's, in one run.

python benchmarks/ssim.py [RESULTS.md]
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from genaug.metrics.functional import ssim_pairs
from results import write_part
from skimage.metrics import structural_similarity

COUNT, SIDE = 100, 64


def main() -> None:
    """Print the largest difference and the ratio of times."""
    chance = np.random.default_rng(0)
    real = torch.from_numpy(chance.uniform(-1, 1, (COUNT, 3, SIDE, SIDE))).float()
    generated = (0.8 * real.roll(1, 0) + 0.1 * real.flip(3)).clamp(-1, 1)
    started = time.perf_counter()
    ours = ssim_pairs(real, generated).numpy()
    middle = time.perf_counter()
    first, second = ([((image + 1) / 2).double().numpy() for image in images] for images in (real, generated))
    theirs = np.array([[structural_similarity(a, b, data_range=1, channel_axis=0) for b in second] for a in first])
    ended = time.perf_counter()
    ratio = (ended - middle) / (middle - started)
    far = abs(ours - theirs).max()
    told = f"{COUNT} x {COUNT} pairs at {SIDE} px: {ratio:.1f} times as fast, largest difference {far:.1e}"
    write_part(Path(sys.argv[1]) if sys.argv[1:] else None, "ssim", f"## SSIM beside scikit-image\n\n{told}")


if __name__ == "__main__":
    main()
