"""What the rule for near-duplicates finds: planted copies, different digits, and pairs of files in real folders.

    python benchmarks/duplicates.py [FOLDER ...]

Copies of each image are planted: saved as JPEG of quality 60, 10 % brighter, and scaled by 0.7. One row for each set
gives the share of copies that are found among all images of the set, and how many distinct images are near-duplicates
of each other. The first set is scikit-learn's handwritten digits, as `genaug demo` writes them: all are different.
Files that cannot be read are left out.
"""

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from genaug.data.decode import UnreadableError, decode
from genaug.data.duplicates import near_matches, near_pairs, pixel_hash, thumbnail
from genaug.demonstration import scan_pixels
from PIL import Image
from sklearn.datasets import load_digits

BRIGHTER, SCALE, QUALITY = 1.1, 0.7, 60
CORRELATION = 0.95  # of thumbnails: the rule that was used before, for comparison


def main() -> None:
    """One row of the table for each set."""
    given = _arguments()
    columns = ["set", "images", "found: JPEG 60", "10 % brighter", "scaled by 0.7", "pairs", "images in pairs"]
    print("| " + " | ".join([*columns, "pairs by correlation alone", "images in them"]) + " |")
    print("|" + "---|" * (len(columns) + 2), flush=True)
    digits = load_digits()
    names = [f"{label}/{row}" for row, label in enumerate(digits.target)]
    _measure("digits", names, [scan_pixels(scan) for scan in digits.images], show=given.pairs)
    for folder in given.folders:
        names, images = zip(*_readable(folder), strict=True)
        title = "/".join(folder.parts[-given.parts :])
        _measure(title, names, images, show=given.pairs)


def _readable(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Names and pixels of the images in a folder."""
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                yield path.relative_to(folder).as_posix(), decode(path).pixels
        except UnreadableError:
            continue


def _measure(title: str, names: list[str], images: list[np.ndarray], *, show: bool) -> None:
    vectors, hashes = np.stack([thumbnail(image) for image in images]), [pixel_hash(image) for image in images]
    found = [_found([change(image) for image in images], vectors, hashes) for change in (_encoded, _brighter, _scaled)]
    pairs = _distinct(near_pairs(vectors), hashes)
    alone = _distinct(np.argwhere(np.triu(vectors @ vectors.T >= CORRELATION, k=1)), hashes)
    counts = [len(pairs), len(np.unique(pairs)), len(alone), len(np.unique(alone))]
    print("| " + " | ".join([title, str(len(images)), *(f"{share:.3f}" for share in found), *map(str, counts)]) + " |")
    for one, two in pairs.tolist() if show else ():
        print(f"    {names[one]}  {names[two]}  correlation {vectors[one] @ vectors[two]:.3f}")


def _found(copies: list[np.ndarray], vectors: np.ndarray, hashes: list[str]) -> float:
    """The share of copies whose most similar near-duplicate in the set is their original."""
    matches = near_matches(np.stack([thumbnail(copy) for copy in copies]), vectors).tolist()
    return float(np.mean([match >= 0 and hashes[match] == own for match, own in zip(matches, hashes, strict=True)]))


def _distinct(pairs: np.ndarray, hashes: list[str]) -> np.ndarray:
    """The pairs [P, 2] without exact duplicates."""
    return np.array([pair for pair in pairs.tolist() if hashes[pair[0]] != hashes[pair[1]]], dtype=int).reshape(-1, 2)


def _encoded(pixels: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    _image(pixels).save(buffer, "JPEG", quality=QUALITY)
    return _pixels(Image.open(buffer))


def _brighter(pixels: np.ndarray) -> np.ndarray:
    return np.clip(pixels * BRIGHTER, 0, 255).astype(np.uint8)


def _scaled(pixels: np.ndarray) -> np.ndarray:
    image = _image(pixels)
    size = tuple(max(1, round(side * SCALE)) for side in image.size)
    return _pixels(image.resize(size, Image.Resampling.LANCZOS))


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).reshape(image.height, image.width, -1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", help="folders of images")
    parser.add_argument("--parts", type=int, default=1, help="how many last parts of a folder's path name it")
    parser.add_argument("--pairs", action="store_true", help="list the pairs of distinct files")
    return parser.parse_args()


if __name__ == "__main__":
    main()
