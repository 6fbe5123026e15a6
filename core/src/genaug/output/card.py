"""The dataset card: what the folder holds, how it was generated, and what to be careful about."""

import re
from collections.abc import Iterator

from huggingface_hub import DatasetCardData

from genaug.errors import printable
from genaug.mixing.mixed import MixedSet
from genaug.output.entries import written_counts
from genaug.output.files import MODELS, PROVENANCE
from genaug.output.folder import SPLIT_NAMES, data_globs
from genaug.output.inventory import Inventory

_SIZES = (("n<1K", 1_000), ("1K<n<10K", 10_000), ("10K<n<100K", 100_000), ("100K<n<1M", 1_000_000))
_MARKUP = re.compile(r"[&<>|`*\[\]~\\]|(?<!\w)_|_(?!\w)|:(?=//)")
_LARGEST = "1M<n<10M"


def dataset_card(mixed: MixedSet, inventory: Inventory) -> str:
    """Markdown of the card with Hugging Face's front matter."""
    return f"---\n{_front_matter(mixed, inventory).to_yaml()}\n---\n\n" + "\n".join(_body(mixed)) + "\n"


def _front_matter(mixed: MixedSet, inventory: Inventory) -> DatasetCardData:
    """The part that a hub and `load_dataset` read. It holds no class or file name of the user."""
    globs = data_globs(mixed.record["format"], inventory.homes)
    files = [{"split": SPLIT_NAMES[split], "path": path} for split, path in globs.items()]
    return DatasetCardData(
        license="unknown",
        task_categories=["image-classification"],
        size_categories=[next((name for name, size in _SIZES if inventory.images < size), _LARGEST)],
        tags=["synthetic", "image", "genaug"],
        configs=[{"config_name": "default", "data_files": files}] if files else None,
    )


def _body(mixed: MixedSet) -> Iterator[str]:
    record, spec = mixed.record, mixed.loaded.spec
    generators = (
        ", ".join(f"`{name}` ({record['plugins'][name]})" for name in sorted(record["drawn"])) or "no generator"
    )
    alone = record["only_synthetic"]
    yield "# Synthetic images" if alone else "# A mixed data set: real images and synthetic ones"
    yield ""
    yield (
        f"Made by genaug {record['genaug']} with {generators}, "
        f"seed {record['seed']}, at {spec.height}x{spec.width} pixels, {spec.channels} channel(s)."
    )
    yield ""
    yield "| class | real | classical | generated |"
    yield "|---|---|---|---|"
    for name, n in written_counts(mixed).items():
        yield f"| {_cell(name)} | {n['real']} | {n['classical']} | {n['generated']} |"
    yield ""
    yield from _remarks(mixed)
    yield from _problems(mixed)


def _remarks(mixed: MixedSet) -> Iterator[str]:
    if mixed.record["only_synthetic"]:
        yield "- It holds no real image; parents and nearest images are named as in the training data."
    else:
        yield "- `train` takes the place of the training images; other splits are unchanged copies."
    yield "- Classical images are variants or copies of single real images; generated ones come from a trained model."
    if advice := mixed.resolution.advice():
        yield f"- Every training image has been brought to one size: {advice}."
    yield f"- `{PROVENANCE}` has a line for every image: hashes, label, synthetic or not, and how it was drawn."
    yield (
        "- Synthetic images are named after their generator, and their metadata says (IPTC digital source type "
        "`trainedAlgorithmicMedia`) that they are synthetic. Metadata is lost when an image is saved again; "
        "`genaug verify` tells real from synthetic images by their hashes."
    )
    yield f"- `{MODELS}/` holds the trained models. They can reproduce training images: treat them like the data."
    yield (
        "- The looks of synthetic images do not tell whether they help a classifier: `genaug study` compares "
        "classifiers trained with and without them, on images that no model has seen."
    )


def _problems(mixed: MixedSet) -> Iterator[str]:
    if reported := mixed.record.get("detectability"):
        yield f"- {_cell(_sentence(reported['sentence']))}"
    for finding in mixed.record.get("findings", ()):
        yield f"- {_cell(_sentence(finding))}"
    for name, count in mixed.shortfall.items():
        yield f"- Class {_cell(name)} is {count} image(s) short of the plan."
    for name, reason in mixed.record["refused"].items():
        yield f"- Class {_cell(name)} got no generated images: {_cell(reason)}."
    for name, reason in mixed.failures.items():
        yield f"- Class {_cell(name)} got no synthetic images: {_cell(reason)}"
    for entry in mixed.loaded.skipped:
        yield f"- Left out: {_cell(entry.path)} ({_cell(entry.reason)})"


def _sentence(text: str) -> str:
    """Text that begins with a capital and ends with a full stop."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def _cell(text: str) -> str:
    """Text that is read as it stands: Markdown, HTML and addresses in it have no effect."""
    return _MARKUP.sub(lambda letter: f"&#{ord(letter[0])};", printable(" ".join(text.split())))
