"""genaug report: writes the report page of an output."""

from pathlib import Path
from typing import Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.storage import real_path

Outputs = Annotated[
    list[Path],
    typer.Argument(
        metavar="OUT", help="The output of genaug run or genaug study; several are shown side by side on one page."
    ),
]
PageOut = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FILE", help="Where the page about several outputs is written."),
]
Evaluate = Annotated[
    bool, typer.Option("--evaluate", help="First compute all metrics between the synthetic and the real images.")
]


def report(
    outs: Outputs, page_out: PageOut = Path("comparison.html"), evaluate: Evaluate = False, as_json: given.Json = False
) -> int:
    """Write the report page of OUT: one HTML file that shows everything known about it and needs no other file.

    Several outputs are compared on one page: images, settings that differ, metrics, answers.
    """
    from genaug.report import write_comparison, write_report

    if evaluate:
        for out in outs:
            _evaluate(out)
    page = write_report(outs[0]) if len(outs) == 1 else write_comparison(outs, page_out)
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
