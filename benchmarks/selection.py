"""What the default selectors reject and keep: planted copies, planted wrong classes, held-out real images.

    python benchmarks/selection.py FOLDER [--size 32] [--parts 3] [--select novelty,consistency]

The real images are cut into parts that keep near-duplicates together. In turn, selectors are fitted on all other parts
and judge copies of their training images, held-out images under the name of another class, and held-out images as they
are. Prints the shares that are rejected, with Wilson's intervals, by selector and kind of image.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from genaug.chance import derive, stream
from genaug.data.attribution import Attribution
from genaug.data.folder import load_folder
from genaug.data.split import TrainSplit
from genaug.features import cross_fit
from genaug.features.crossfit import STEPS, near_groups
from genaug.metrics.intervals import share_interval
from genaug.mixing.candidate import Candidate
from genaug.registry import load_registry
from genaug.selection import CrossFitTools, SelectorChain, choose_selectors
from genaug.selectors.novelty import disturbed
from PIL import Image

BRIGHTER, QUALITY, MOVED = 1.2, 75, 2


def main() -> None:
    """Plant images, judge them, count the rejections."""
    given = _arguments()
    train = load_folder(given.folder, size=(given.size, given.size)).train
    chosen = choose_selectors(given.select.split(","), {}, load_registry())
    answers = defaultdict(list)
    for part in range(given.parts):
        known, unseen = _cut(train, given.parts, part, given.seed)
        tools = CrossFitTools(lambda: cross_fit(known, seed=derive(given.seed, part), steps=given.steps), seed=0)  # noqa: B023
        selectors, attribution = SelectorChain(chosen, known, tools), Attribution(known)
        for plant, images, labels in _plants(known, unseen, derive(given.seed, "plants", part)):
            answers[plant] += _judged(selectors, attribution, images, labels)
        print(f"part {part + 1} of {given.parts} is measured", flush=True)
    _print(answers, [choice.description.name for choice in chosen])


def _cut(train: TrainSplit, parts: int, part: int, seed: int) -> tuple[TrainSplit, TrainSplit]:
    """All parts but one, and that one; every class keeps an image in the former."""
    groups = near_groups(train)
    held = np.zeros(len(train), dtype=bool)
    for label in range(len(train.spec.classes)):
        own = np.unique(groups[train.labels == label])
        order = torch.randperm(len(own), generator=stream(seed, "cut", label)).numpy()
        held |= np.isin(groups, own[order % parts == part]) & (train.labels == label) & (len(own) > 1)
    return _rows(train, ~held), _rows(train, held)


def _rows(train: TrainSplit, mask: np.ndarray) -> TrainSplit:
    names = [name for name, chosen in zip(train.names, mask, strict=True) if chosen]
    return TrainSplit.ordered(train.spec, train.images[mask], train.labels[mask], names, names)


def _plants(known: TrainSplit, unseen: TrainSplit, seed: int):
    changes = {
        "copy": lambda image: image,
        "copy, re-encoded": _encoded,
        "copy, shifted by 2 px": _moved,
        "copy, brightened": lambda image: np.clip(image * BRIGHTER, 0, 255).astype(np.uint8),
        "copy, all three, harder": disturbed,
    }
    for name, change in changes.items():
        yield name, np.stack([change(image) for image in known.images]), known.labels
    count = len(known.spec.classes)
    steps = torch.randint(1, count, (len(unseen),), generator=stream(seed, "wrong")).numpy()
    yield "held-out, wrong class", unseen.images, (unseen.labels + steps) % count
    yield "held-out, right class", unseen.images, unseen.labels


def _judged(selectors: SelectorChain, attribution: Attribution, images: np.ndarray, labels: np.ndarray) -> list[str]:
    """For each image the selector that rejects it, or nothing. Each is judged alone: plants may resemble each other."""
    rows, nearest, distances = attribution.find(images, np.full((len(images), 1), -1))
    found = []
    for place, image in enumerate(images):
        one = Candidate(
            images={place: image},
            label=int(labels[place]),
            generator="planted",
            index=place,
            model="",
            parents=(),
            source=int(rows[place]),
            nearest=int(nearest[place]),
            distance=float(distances[place]),
        )
        found.append(selectors.judge([one], [], 1)[0].rejected_by)
    return found


def _print(answers: dict[str, list[str]], names: list[str]) -> None:
    print(f"| plant | images | rejected | 95 % interval | {' | '.join(f'by {name}' for name in names)} |")
    print("|" + "---|" * (4 + len(names)))
    for plant, found in answers.items():
        verdicts = torch.tensor([bool(name) for name in found])
        interval = share_interval(verdicts, torch.arange(len(found)))
        by = " | ".join(f"{found.count(name) / len(found):.3f}" for name in names)
        share = verdicts.double().mean().item()
        print(f"| {plant} | {len(found)} | {share:.3f} | {interval.low:.3f} to {interval.high:.3f} | {by} |")


def _encoded(image: np.ndarray) -> np.ndarray:
    import io

    buffer = io.BytesIO()
    Image.fromarray(image.squeeze()).save(buffer, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(buffer)).reshape(image.shape)


def _moved(image: np.ndarray) -> np.ndarray:
    return np.pad(image, ((0, 0), (MOVED, 0), (0, 0)), mode="edge")[:, :-MOVED]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of class folders")
    parser.add_argument("--size", type=int, default=32, help="model size in pixels")
    parser.add_argument("--parts", type=int, default=3, help="parts of which each is held out once")
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps of each judge")
    parser.add_argument("--select", default="novelty,consistency", help="selectors, separated by commas")
    parser.add_argument("--seed", type=int, default=0, help="of cuts and judges")
    return parser.parse_args()


if __name__ == "__main__":
    main()
