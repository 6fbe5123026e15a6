"""genaug report: writes the report page of an output."""

from pathlib import Path
from typing import Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.storage import real_path

Output = Annotated[Path, typer.Argument(help="The output of genaug run or genaug study.")]
Evaluate = Annotated[
    bool, typer.Option("--evaluate", help="First compute all metrics between the synthetic and the real images.")
]


def report(out: Output, evaluate: Evaluate = False, as_json: given.Json = False) -> int:
    """Write the report page of OUT: one HTML file that shows everything known about it and needs no other file."""
    from genaug.report import write_report

    if evaluate:
        _evaluate(out)
    page = write_report(out)
    if as_json:
        console.answer_json({"report": str(real_path(page))})
    else:
        console.say(str(page))
    return 0


def _evaluate(out: Path) -> None:
    """Compute the metrics. They train classifiers and need torch, which the page does not."""
    from genaug.report.measuring import measure

    if note := measure(out):
        console.note(note)
