"""Results as text and as HTML that needs no other file, as notebooks show them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from genaug.errors import printable
from genaug.report.thumbnails import data_uri

STRIP = 6  # images of each class and kind
_MOST_ROWS = 30
_SIDE = 48  # pixels

Row = Sequence[object]
Strips = Mapping[str, Mapping[str, Sequence[NDArray[np.uint8]]]]  # {class: {"real", "synthetic": pixels [H, W, C]}}


def as_text(title: str, columns: Sequence[str], rows: Sequence[Row], sentences: Iterable[str]) -> str:
    """A title, a table with aligned columns, and sentences, each on a line of its own."""
    lines = [[*columns], *([printable(str(value)) for value in row] for row in rows[:_MOST_ROWS])]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([title, *table, *_left_out(rows), *(printable(text) for text in sentences)])


def as_html(
    title: str, columns: Sequence[str], rows: Sequence[Row], sentences: Iterable[str], strips: Strips | None = None
) -> str:
    """The same as HTML, with a strip of images for each class where there are any; all text is escaped."""
    table = [_row("th", columns), *(_row("td", row) for row in rows[:_MOST_ROWS])]
    parts = [f"<p><b>{_shown(title)}</b></p>", f"<table>{''.join(table)}</table>"]
    if strips:
        shown = [kind for kind in ("real", "synthetic") if any(kinds.get(kind) for kinds in strips.values())]
        lines = (_strip_row(name, kinds, shown) for name, kinds in list(strips.items())[:_MOST_ROWS])
        parts.append(f"<table>{_row('th', ('', *shown))}{''.join(lines)}</table>")
    parts += [f"<p>{_shown(text)}</p>" for text in (*_left_out(rows), *sentences)]
    return f"<div>{''.join(parts)}</div>"


def short(value: float | None) -> str:
    """A number with three significant digits; empty for none."""
    return "" if value is None or math.isnan(value) else f"{value:.3g}"


def _left_out(rows: Sequence[Row]) -> list[str]:
    return [f"... and {len(rows) - _MOST_ROWS} more"] if len(rows) > _MOST_ROWS else []


def _row(cell: str, values: Row) -> str:
    return f"<tr>{''.join(f'<{cell}>{_shown(str(value))}</{cell}>' for value in values)}</tr>"


def _strip_row(name: str, kinds: Mapping[str, Sequence[NDArray[np.uint8]]], shown: Sequence[str]) -> str:
    cells = (
        f"<td>{''.join(_picture(pixels, f'{kind} {name}') for pixels in kinds.get(kind, ())[:STRIP])}</td>"
        for kind in shown
    )
    return f"<tr><th>{_shown(name)}</th>{''.join(cells)}</tr>"


def _picture(pixels: NDArray[np.uint8], text: str) -> str:
    return f'<img src="{data_uri(pixels)}" alt="{_shown(text)}" height="{_SIDE}" style="margin:1px">'


def _shown(text: str) -> str:
    return escape(printable(text))
