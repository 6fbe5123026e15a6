"""genaug train: the classifier that a study recommends."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.storage import real_path

if TYPE_CHECKING:
    from genaug.studies.saved_classifier import ClassifierFacts

Study = Annotated[Path, typer.Argument(help="Output of genaug study, or its training.yaml.")]
Data = Annotated[Path | None, typer.Argument(help="Folder that was studied; where the study found it if left out.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder for the classifier; STUDY-classifier if left out.")
]
Weights = Annotated[
    Path | None, typer.Option("--weights", help="File of initial weights; where the study found it if left out.")
]
Device = Annotated[
    str | None,
    typer.Option("--device", help="Where to compute: auto, cpu, cuda, cuda:N or mps; as the study if left out."),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, max=256, help="Classifiers that train in parallel; results do not depend on it."),
]


def train(
    study: Study,
    data: Data = None,
    out: Out = None,
    weights: Weights = None,
    device: Device = None,
    workers: Workers = None,
    as_json: given.Json = False,
) -> int:
    """Train the classifier that a study recommends on all training images, with calibrated probabilities."""
    from genaug.cli.progress import progress_bars
    from genaug.studies.final_classifier import train_recommended

    home = real_path(study if study.is_dir() else study.parent)
    target = out or home.with_name(f"{home.name}-classifier")
    with progress_bars() as report:
        facts = train_recommended(
            study,
            target,
            data=data,
            weights=weights,
            device=device,
            workers=workers or given.cores(),
            report=report,
        )
    if as_json:
        console.answer_json({"out": str(real_path(target)), **facts.model_dump(mode="json")})
    else:
        _show(facts, target)
    return 0


def _show(facts: "ClassifierFacts", target: Path) -> None:
    found = facts.calibration
    console.say(f"trained on {facts.images} real images: {facts.arm}")
    console.say(
        f"out of fold: balanced accuracy {found.balanced_accuracy:.3f} on {found.images} images in {found.folds} folds"
    )
    console.say(
        f"probabilities: logits divided by {found.temperature:.3f}; log loss {found.log_loss_before:.3f} before, "
        f"{found.log_loss:.3f} after"
    )
    console.say(f"classifier: {target}")
