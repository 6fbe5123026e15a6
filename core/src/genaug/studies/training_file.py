"""training.yaml: how to train as a study recommends. The only place that writes and reads that file."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, PlainValidator, field_serializer

from genaug.config import Closed, option, parse, read_file
from genaug.errors import DataError
from genaug.mixing.recipe import RecipeConfig
from genaug.output.files import STUDY, TRAINING
from genaug.run.config import RunConfig
from genaug.storage import write_text
from genaug.studies.classifier_training import ClassifierTraining
from genaug.version import __version__

FORMAT = 1
_HEAD = "# How to train as this study recommends: genaug train, genaug run --from-study, genaug.training_recipe.\n"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected a text")
    return value


Text = Annotated[str, PlainValidator(_text)]  # pydantic's own str refuses file names that are not UTF-8


class PromisedScore(Closed):
    """The balanced accuracy of the recommended arm on held-out images of the study, with its 95 % interval."""

    mean: float | None = option(None, "Mean over all splits and seeds.")
    low: float | None = option(None, "Lower end of the interval.")
    high: float | None = option(None, "Upper end of the interval.")


class StudiedImages(Closed):
    """The real images of a study, and how they are read."""

    folder: Text | None = option(None, "Folder, relative to this file; none for images from memory.")
    fingerprint: str = option(..., "Hash of the training images as they were read.")
    classes: tuple[Text, ...] = option(..., "Classes in label order.")
    counts: tuple[int, ...] = option(..., "Training images of each class.", unit="images")
    channels: Literal[1, 3] = option(..., "1 for grey, 3 for colour.")
    size: tuple[int, int] = option(..., "Height and width to which images are resized.", unit="pixels")
    resize: Literal["fit", "crop", "stretch"] = option(..., "How they are resized.")
    folds: int = option(5, "Folds of the study's cross-validation.", ge=2, le=20)
    groups: dict[Text, Text] = option({}, "Groups that the user named, by file name; images of a group stay together.")


class SyntheticImages(Closed):
    """The synthetic images of the recommended arm, as `genaug run` draws them."""

    generator: str = option(..., "Generator, or mixture of generators with shares.")
    count: int | None = option(None, "At most this many of each class, those drawn first.", unit="images", ge=1)
    recipe: RecipeConfig = option(RecipeConfig(), "How they are combined with real images.")
    run: RunConfig = option(..., "Settings of the run that draws them, as in a config file.")

    @field_serializer("recipe", "run")
    def _changed(self, settings: BaseModel) -> dict[str, Any]:
        """Only what differs from the defaults."""
        return settings.model_dump(mode="json", exclude_defaults=True)


class NetworkSettings(Closed):
    """The network of the classifier."""

    name: str = option("small", "small, or a model of torchvision or timm.")
    weights: Text | None = option(None, "File of initial weights, relative to this file; random ones if left out.")
    sha256: str = option("", "Hash of that file.")
    frozen: bool = option(False, "Train only a linear layer on its features.")


class TrainingFile(Closed):
    """What a study recommends: which images to train on, and how."""

    format: Literal[1] = option(FORMAT, "Version of this format.")
    genaug: str = option(__version__, "Version of genaug that wrote it.")
    arm: str = option(..., "Name of the recommended arm.")
    balanced_accuracy: PromisedScore = option(PromisedScore(), "Its score in the study.")
    data: StudiedImages = option(..., "The real images.")
    real: bool = option(True, "Train on the real images.")
    synthetic: SyntheticImages | None = option(None, "Synthetic images; none if left out.")
    balanced: bool = option(False, "Show every class equally often.")
    network: NetworkSettings = option(NetworkSettings(), "The classifier.")
    training: ClassifierTraining = option(..., "Its training.")
    seed: int = option(0, "Random seed of the study.", ge=0, le=2**63 - 1)
    device: str = option("auto", "Device of the study: auto, cpu, cuda, cuda:N or mps.")

    @property
    def recipe(self) -> RecipeConfig:
        """How images are combined and sampled."""
        recipe = RecipeConfig() if self.synthetic is None else self.synthetic.recipe
        return recipe.model_copy(update={"balanced": self.balanced})


def write_training_file(folder: Path, file: TrainingFile) -> None:
    """Write the file into the folder of a study."""
    write_text(folder / TRAINING, _HEAD + yaml.safe_dump(file.model_dump(), sort_keys=False, width=100))


def read_training_file(path: Path) -> tuple[TrainingFile, Path]:
    """The file of a study, and the folder that it lies in. path: that folder, or the file itself.

    Raises DataError where there is none, UsageError for a file that somebody has changed to what cannot be used.
    """
    found = path / TRAINING if path.is_dir() else path
    if not found.is_file():
        finished = (path / STUDY).is_file()
        why = "it was studied by an older genaug; run the same study again" if finished else "give a finished study"
        raise DataError(f"{found} is not there: {why} (genaug study DATA)")
    values = read_file(found)
    if values.get("format") != FORMAT:
        raise DataError(f"{found} has the format {values.get('format')}, and this genaug reads {FORMAT}; update genaug")
    return parse(TrainingFile, values, str(found)), found.parent


def relative_path(path: Path, folder: Path) -> str:
    """A path as the file in `folder` names it, so that both can move together; absolute on another drive."""
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:
        return path.absolute().as_posix()
