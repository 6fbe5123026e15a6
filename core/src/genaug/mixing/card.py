"""The dataset card: what is in the folder, where it came from, and what to mind."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from genaug.mixing.entries import written_counts
from genaug.mixing.mixed import Mixed
from genaug.mixing.output import SPLIT_NAMES, data_globs

_SIZES = (("n<1K", 1_000), ("1K<n<10K", 10_000), ("10K<n<100K", 100_000), ("100K<n<1M", 1_000_000))
_LARGEST = "1M<n<10M"


def dataset_card(mixed: Mixed, lines: Sequence[dict[str, Any]]) -> str:
    """Markdown for OUT/README.md, with the front matter of a Hugging Face card; `lines` of the provenance."""
    front = yaml.safe_dump(_front_matter(mixed, lines), sort_keys=False, allow_unicode=False)
    return f"---\n{front}---\n\n" + "\n".join(_body(mixed)) + "\n"


def _front_matter(mixed: Mixed, lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a hub and `load_dataset` read. No name of the user's stands in it."""
    globs = data_globs(mixed.record["format"], lines)
    files = [{"split": SPLIT_NAMES[split], "path": path} for split, path in globs.items()]
    return {
        "license": "unknown",
        "task_categories": ["image-classification"],
        "size_categories": [next((name for name, size in _SIZES if len(lines) < size), _LARGEST)],
        "tags": ["synthetic", "image", "genaug"],
    } | ({"configs": [{"config_name": "default", "data_files": files}]} if files else {})


def _body(mixed: Mixed) -> Iterator[str]:
    record, spec = mixed.record, mixed.loaded.spec
    made = ", ".join(f"`{name}` ({record['plugins'][name]})" for name in sorted(record["drawn"])) or "no generator"
    alone = record["only_synthetic"]
    yield "# Synthetic images" if alone else "# A mixed data set: real images and synthetic ones"
    yield ""
    yield (
        f"Made by genaug {record['genaug']} with {made}, "
        f"seed {record['seed']}, at {spec.height}x{spec.width} pixels, {spec.channels} channel(s)."
    )
    yield ""
    yield "| class | real | synthetic |"
    yield "|---|---|---|"
    for name, n in written_counts(mixed).items():
        yield f"| {_cell(name)} | {n['real']} | {n['synthetic']} |"
    yield ""
    yield from _remarks(mixed)
    yield from _accidents(mixed)


def _remarks(mixed: Mixed) -> Iterator[str]:
    if mixed.record["only_synthetic"]:
        yield "- No real image is in here; parents and nearest ones are called as in the data that trained the models."
    else:
        yield "- `train` stands where the training images stood; other splits are passed through as they were."
    yield "- `provenance.jsonl` has a line for every image: hashes, label, synthetic or not, and how it was drawn."
    yield (
        "- Synthetic images are named after their generator and say in their metadata (IPTC digital source type "
        "`trainedAlgorithmicMedia`) that they are synthetic. Metadata does not survive re-saving; `genaug verify` "
        "tells real from synthetic by the hashes."
    )
    yield "- `models/` holds the trained models. They can reproduce training images: treat them as you treat the data."
    yield (
        "- Whether synthetic images help a classifier is not known from their looks: `genaug study` compares with and "
        "without them, on images that no model has seen."
    )


def _accidents(mixed: Mixed) -> Iterator[str]:
    for name, count in mixed.shortfall.items():
        yield f"- Class {_cell(name)} is {count} image(s) short of the plan."
    for name, reason in mixed.failures.items():
        yield f"- Class {_cell(name)} got no synthetic images: {reason}"
    for entry in mixed.loaded.skipped:
        yield f"- Left out: `{_cell(entry.path)}` ({entry.reason})"


def _cell(text: str) -> str:
    """A name that cannot break the table or the page."""
    safe = " ".join(text.encode("utf-8", "replace").decode().split())
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace("|", "&#124;").replace("`", "'")
