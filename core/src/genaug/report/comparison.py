"""Writes a page that shows several outputs side by side: how they were made, what they hold, and how they fared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genaug.errors import UsageError
from genaug.report.page import assets, content_policy, source
from genaug.report.reading import ReportContent, RunContent, read_output
from genaug.report.samples import ClassSamples, class_samples
from genaug.report.tables import class_rows
from genaug.storage import real_path, write_text
from genaug.version import __version__

_MOST_SETTINGS = 60
_KINDS = ("real", "classical", "generated")


@dataclass(frozen=True)
class ComparedRow:
    """One fact, with its text for each output."""

    name: str
    texts: tuple[str, ...]


def write_comparison(outs: Sequence[Path], path: Path) -> Path:
    """Write a page about several outputs of runs or studies to `path`.

    Raises UsageError for fewer than two, DataError for one that is the output of neither.
    """
    if len(outs) < 2:
        raise UsageError(f"expected two or more outputs to compare, got {len(outs)}")
    contents = [read_output(out) for out in outs]
    write_text(path, render_comparison(contents, _names(outs)))
    return path


def render_comparison(contents: Sequence[ReportContent], names: Sequence[str]) -> str:
    """The page as HTML. names: of the outputs."""
    templates = assets()
    style = source(templates, "page.css")
    return templates.get_template("comparison.html").render(
        style=style,
        policy=content_policy(style),
        version=__version__,
        names=names,
        notes=_notes(contents, names),
        parts=[
            ("Answer", [_row("does it help?", contents, _answer), _row("harm check", contents, _harm)]),
            ("Images", _images(contents)),
            ("Settings that differ", list(_settings(contents))),
            ("Metrics", list(_metrics(contents))),
        ],
        samples=_samples(contents),
    )


def _names(outs: Sequence[Path]) -> list[str]:
    """The name of each folder, or its path where two have the same name."""
    names = [real_path(out).name for out in outs]
    return names if len(set(names)) == len(names) else [str(out) for out in outs]


def _notes(contents: Sequence[ReportContent], names: Sequence[str]) -> list[str]:
    data = {content.run.record.data for content in contents if content.run is not None}
    notes = (
        ["These outputs were made from different images, so their figures cannot be compared."] if len(data) > 1 else []
    )
    return notes + [
        f"{name}: {fault}" for name, content in zip(names, contents, strict=True) for fault in content.faults
    ]


def _row(name: str, contents: Sequence[ReportContent], text: Any) -> ComparedRow:
    return ComparedRow(name, tuple(text(content) for content in contents))


def _answer(content: ReportContent) -> str:
    study = content.study
    return "not measured" if study is None else f"{study.headline.sentence} {study.recommendation.sentence}"


def _harm(content: ReportContent) -> str:
    found = {} if content.run is None else content.run.values.get("harm_check") or {}
    if not found:
        return "not checked"
    return f"skipped: {found['skipped']}" if "skipped" in found else "a loss" if found.get("harms") else "no loss found"


def _images(contents: Sequence[ReportContent]) -> list[ComparedRow]:
    rows = [_row("generators", contents, lambda content: _of_run(content, lambda run: ", ".join(run.record.shares)))]
    for kind in _KINDS:
        rows.append(_row(f"{kind} images", contents, lambda content, kind=kind: _count(content, kind)))
    rows.append(
        _row("rejected candidates", contents, lambda one: _of_run(one, lambda run: str(sum(run.rejected.values()))))
    )
    rows.append(_row("real or generated?", contents, lambda content: _of_run(content, _detectability)))
    rows.append(_row("findings", contents, lambda content: _of_run(content, lambda run: " ".join(run.record.findings))))
    return rows


def _of_run(content: ReportContent, text: Any) -> str:
    return "" if content.run is None else str(text(content.run))


def _count(content: ReportContent, kind: str) -> str:
    return _of_run(content, lambda run: f"{sum(getattr(row, kind) for row in class_rows(run)):,}")


def _detectability(run: RunContent) -> str:
    return "" if run.record.detectability is None else run.record.detectability.sentence


def _settings(contents: Sequence[ReportContent]) -> Iterator[ComparedRow]:
    """The settings that are not the same in all runs, in the order of their names."""
    tables = [{} if content.run is None else dict(_flat(_decided(content.run.values))) for content in contents]
    differing = [key for key in sorted(set().union(*tables)) if len({repr(table.get(key)) for table in tables}) > 1]
    for key in differing[:_MOST_SETTINGS]:
        yield ComparedRow(key, tuple(str(table.get(key, "")) for table in tables))


def _decided(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of the record of a run that its user decided, the generators by name."""
    kept = ("preset", "seed", "plan", "recipe", "resolution", "size", "resize", "format", "probe", "budget")
    own = {name: {key: one.get(key) for key in ("model", "train", "augmentation")}
           for name, one in _named(values.get("generators"), "generator")}  # fmt: skip
    selection = values.get("selection")
    chosen = dict(selection) if isinstance(selection, Mapping) else {}
    selectors = {name: one.get("settings") for name, one in _named(chosen.get("selectors"), "name")}
    return {key: values.get(key) for key in kept} | own | chosen | {"selectors": selectors}


def _named(values: Any, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables of a list with the names that they give themselves; a damaged record may hold anything."""
    for one in values if isinstance(values, list) else ():
        if isinstance(one, Mapping):
            yield str(one.get(key)), one


def _flat(values: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from _flat(value, f"{where}.{key}".lstrip("."))
    else:
        yield where, values


def _metrics(contents: Sequence[ReportContent]) -> Iterator[ComparedRow]:
    """A row for each metric that was computed for any of them: its value, interval and baseline."""
    tables = [
        {} if content.run is None or content.run.evaluation is None else
        {row.name: row for row in content.run.evaluation.rows}
        for content in contents
    ]  # fmt: skip
    for name in dict.fromkeys(name for table in tables for name in table):
        best = next(table[name] for table in tables if name in table)
        texts = tuple(_metric(table.get(name)) for table in tables)
        yield ComparedRow(f"{name} {'↑' if best.higher_is_better else '↓'}", texts)


def _metric(row: Any) -> str:
    if row is None or row.value is None:
        return ""
    interval = "" if row.low is None else f" ({row.low:.3g} to {row.high:.3g})"
    baseline = "" if row.real is None else f", real {row.real:.3g}"
    return f"{row.value:.3g}{interval}{baseline}"


def _samples(contents: Sequence[ReportContent]) -> list[tuple[str, list[ClassSamples | None]]]:
    """For each class of any output, its samples in each of them."""
    tables = [{one.name: one for one in class_samples(content)} for content in contents]
    return [
        (name, [table.get(name) for table in tables]) for name in dict.fromkeys(name for one in tables for name in one)
    ]
