"""Writes the page: one file that needs nothing beside it, with no script or style but its own."""

import base64
import hashlib
import math
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from genaug.report.gallery import make_gallery
from genaug.report.reading import Output, read_output
from genaug.report.repeat import repeat
from genaug.report.tables import class_rows, loss_curves, study_plots
from genaug.storage import write_text

PAGE = "report.html"
_NOTHING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"


def write_report(out: Path) -> Path:
    """Write OUT/report.html from the files of OUT; raises DataError where it is the output of neither run nor study."""
    page = out / PAGE
    write_text(page, render(read_output(out)))
    return page


def render(output: Output) -> str:
    """The page as HTML."""
    assets = Environment(
        loader=PackageLoader("genaug.report", "assets"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    assets.filters |= {"number": _number, "percent": _percent, "points": _points, "duration": _duration}
    style, script = (_source(assets, name) for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return assets.get_template("page.html").render(style=style, script=script, policy=policy, **_content(output))


def _content(output: Output) -> dict[str, Any]:
    made, study = output.made, output.study
    name = output.path.resolve().name
    return {
        "name": name,
        "made": made,
        "study": study,
        "faults": output.faults,
        "rows": class_rows(made) if made else [],
        "gallery": make_gallery(output),
        "curves": loss_curves(made) if made else [],
        "plots": study_plots(study) if study else None,
        "repeat": repeat(made.values, made.run.by_hand, name) if made else None,
        "generators": ",".join(dict.fromkeys(fit.generator for fit in made.run.fits)) if made else "",
        "version": version("genaug"),
    }


def _source(assets: Environment, name: str) -> Markup:
    """A file of ours, which stands in the page as it is."""
    assert assets.loader is not None
    return Markup(assets.loader.get_source(assets, name)[0])


def _hash(source: str) -> str:
    """How a content security policy names an inline block."""
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


def _number(value: float | None) -> str:
    """Three digits that count."""
    if value is None or not math.isfinite(value):
        return _NOTHING
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _percent(value: float | None) -> str:
    return _NOTHING if value is None else f"{100 * value:.1f} %"


def _points(value: float | None) -> str:
    """A difference of shares, with its sign."""
    return _NOTHING if value is None else f"{100 * value:+.1f}".replace("-", _MINUS)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
