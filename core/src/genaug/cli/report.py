"""genaug report: the page of an output."""

from pathlib import Path
from typing import Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given

Output = Annotated[Path, typer.Argument(help="The output of a run or of a study.")]
Evaluate = Annotated[
    bool, typer.Option("--evaluate", help="Compute all metrics between its real and synthetic images first.")
]


def report(out: Output, evaluate: Evaluate = False, as_json: given.Json = False) -> int:
    """Write OUT/report.html, one page with all that is known of an output; it needs no network and no other file."""
    from genaug.report import write_report

    if evaluate:
        _measure(out)
    page = write_report(out)
    if as_json:
        console.answer_json({"report": str(page.resolve())})
    else:
        console.say(str(page))
    return 0


def _measure(out: Path) -> None:
    """Metrics train classifiers and need torch, which the page does not."""
    from genaug.report.measuring import measure

    if text := measure(out):
        console.note(text)
