"""Writes the report page: one HTML file that loads no other file and runs no script but its own."""

import base64
import hashlib
import math
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from genaug.errors import printable
from genaug.output.files import REPORT
from genaug.report.gallery import make_gallery
from genaug.report.reading import ReportContent, read_output
from genaug.report.repeat import repeat
from genaug.report.samples import class_samples
from genaug.report.tables import class_rows, loss_curves, study_plots
from genaug.storage import real_path, write_text
from genaug.version import __version__

_NO_VALUE = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"


def write_report(out: Path) -> Path:
    """Write the report page of OUT from its files; raises DataError if OUT is the output of neither run nor study."""
    path = out / REPORT
    write_text(path, render(read_output(out)))
    return path


def render(content: ReportContent) -> str:
    """The page as HTML."""
    templates = assets()
    style, script = (source(templates, name) for name in ("page.css", "page.js"))
    values = _template_values(content) | {"policy": content_policy(style, script)}
    return templates.get_template("page.html").render(style=style, script=script, **values)


def content_policy(style: str, script: str | None = None) -> str:
    """The content security policy of a page: its own style and script, images inside it, and nothing else."""
    scripts = "'none'" if script is None else f"'{_hash(script)}'"
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src {scripts}; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def assets() -> Environment:
    """The templates, each compiled once for all pages of a process."""
    templates = Environment(
        loader=PackageLoader("genaug.report", "assets"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_shown,
    )
    templates.filters |= {"number": _number, "percent": _percent, "points": _points, "duration": _duration}
    return templates


def _template_values(content: ReportContent) -> dict[str, Any]:
    run, study = content.run, content.study
    name = real_path(content.path).name
    return {
        "name": name,
        "run": run,
        "study": study,
        "faults": content.faults,
        "rows": class_rows(run) if run else [],
        "samples": class_samples(content),
        "gallery": make_gallery(content),
        "curves": loss_curves(run) if run else [],
        "plots": study_plots(study) if study else None,
        "repeat": repeat(run.values, run.record.manual_rejection_list, name) if run else None,
        "generators": ",".join(run.record.shares) if run else "",
        "version": __version__,
    }


def _shown(value: Any) -> Any:
    """A value of the page: each line of a text without control characters; markup of our own as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "\n".join(printable(line) for line in value.split("\n"))


def source(templates: Environment, name: str) -> Markup:
    """An asset that the page contains unchanged and unescaped."""
    assert templates.loader is not None
    return Markup(templates.loader.get_source(templates, name)[0])


def _hash(text: str) -> str:
    """The hash that a content security policy uses to allow an inline block."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _number(value: float | None) -> str:
    """A number with three significant digits, or as a whole number from 1,000."""
    if value is None or not math.isfinite(value):
        return _NO_VALUE
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _percent(value: float | None) -> str:
    return _NO_VALUE if value is None else f"{100 * value:.1f} %"


def _points(value: float | None) -> str:
    """A difference of two shares in percentage points, with its sign."""
    return _NO_VALUE if value is None else f"{100 * value:+.1f}".replace("-", _MINUS)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
