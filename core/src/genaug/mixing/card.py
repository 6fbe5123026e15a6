"""The dataset card: what is in the folder, where it came from, and what to mind."""

from genaug.mixing.mixed import Mixed


def dataset_card(mixed: Mixed) -> str:
    """Markdown for OUT/README.md."""
    record, spec = mixed.record, mixed.loaded.spec
    rows = [f"| {_cell(name)} | {n['real']} | {n['synthetic']} |" for name, n in mixed.counts().items()]
    made = record["generator"]
    lines = [
        "# A mixed data set: real images and synthetic ones",
        "",
        f"Made by genaug {record['genaug']} with the generator `{made['generator']}` ({made['plugin']}), "
        f"seed {record['seed']}, at {spec.height}x{spec.width} pixels, {spec.channels} channel(s).",
        "",
        "| class | real | synthetic |",
        "|---|---|---|",
        *rows,
        "",
        "- `train/` stands where the training images stood; other splits are passed through as they were.",
        "- `provenance.jsonl` has a line for every file: hash, label, synthetic or not, and how it was drawn.",
        "- Synthetic files are named after their generator and say in their metadata (IPTC digital source type "
        "`trainedAlgorithmicMedia`) that they are synthetic.",
        "- `models/` holds the trained models. They can reproduce training images: treat them as you treat the data.",
        "- Whether synthetic images help a classifier is not known from their looks: compare with and without them on "
        "images that were not used here.",
    ]
    failed = [f"- Class {_cell(name)} got no synthetic images: {reason}" for name, reason in mixed.failures.items()]
    skipped = [f"- Left out: `{_cell(entry.path)}` ({entry.reason})" for entry in mixed.loaded.skipped]
    return "\n".join([*lines, *failed, *skipped]) + "\n"


def _cell(text: str) -> str:
    """A name that cannot break the table or the page."""
    safe = " ".join(text.encode("utf-8", "replace").decode().split())
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace("|", "&#124;").replace("`", "'")
