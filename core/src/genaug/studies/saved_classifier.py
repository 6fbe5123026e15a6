"""A trained classifier in a folder: weights, facts and a card. The only place that writes and reads these files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from genaug.chance import seeded
from genaug.config import Closed, option
from genaug.errors import DataError, printable
from genaug.output.files import CARD, CLASSIFIER, CLASSIFIER_FACTS
from genaug.spec import ImageSpec
from genaug.storage import file_bytes, file_sha256, read_json, remove, write_bytes, write_json, write_text
from genaug.studies.classifier_training import ClassifierTraining
from genaug.studies.frozen import make_classifier
from genaug.studies.learner import logits_of
from genaug.studies.training_file import PromisedScore, Text
from genaug.version import __version__

FORMAT = 1


class Calibration(Closed):
    """How probabilities were calibrated: on the training images, by classifiers that had not seen them.

    Of each image, neither the classifier nor the generator behind its synthetic images had seen it or a near-duplicate.
    """

    temperature: float = option(..., "Number by which logits are divided.", gt=0.0)
    folds: int = option(..., "Classifiers, one for each fold of the study.", ge=1)
    images: int = option(..., "Images in all folds.", ge=1)
    log_loss: float = option(..., "Mean cross-entropy of these images with that temperature.")
    log_loss_before: float = option(..., "The same with temperature 1.")
    balanced_accuracy: float = option(..., "Of the classifiers of the folds on these images.")


class ClassifierFacts(Closed):
    """What is needed to use a classifier, and how it came to be."""

    format: Literal[1] = option(FORMAT, "Version of this format.")
    genaug: str = option(__version__, "Version of genaug that trained it.")
    arm: str = option(..., "Name of the recommended arm of the study.")
    promised: PromisedScore = option(..., "Balanced accuracy of that arm in the study.")
    classes: tuple[Text, ...] = option(..., "Class names in the order of the outputs.")
    channels: Literal[1, 3] = option(..., "1 for grey, 3 for colour.")
    size: tuple[int, int] = option(..., "Height and width to which images are resized.", unit="pixels")
    resize: Literal["fit", "crop", "stretch"] = option(..., "How they are resized.")
    network: str = option(..., "small, or a model of torchvision or timm.")
    frozen: bool = option(False, "Whether only a linear layer was trained on its features.")
    training: ClassifierTraining = option(..., "How it was trained.")
    images: int = option(..., "Real training images.", ge=1)
    calibration: Calibration = option(..., "The temperature, and how it was found.")
    weights_sha256: str = option("", "Hash of the file of weights.")

    @property
    def spec(self) -> ImageSpec:
        """The images that the network takes."""
        return ImageSpec(self.channels, *self.size, self.classes, (0,) * len(self.classes))


@dataclass(frozen=True)
class SavedClassifier:
    """A classifier that was read from its folder. network: images [N, C, H, W] in [-1, 1] to logits [N, K]."""

    facts: ClassifierFacts
    network: nn.Module

    def probabilities(self, images: NDArray[np.uint8], device: str = "cpu") -> NDArray[np.float32]:
        """Calibrated class probabilities, float32 [N, K], of images uint8 [N, H, W, C] at the size of the facts."""
        logits = logits_of(self.network.to(device), images, device)
        found: NDArray[np.float32] = (logits / self.facts.calibration.temperature).softmax(dim=1).numpy()
        return found


def write_classifier(folder: Path, facts: ClassifierFacts, weights: dict[str, Tensor]) -> ClassifierFacts:
    """Write a classifier into a folder, its facts last; returns them with the hash of the weights."""
    remove(folder / CLASSIFIER_FACTS)  # an interrupt leaves an incomplete classifier, not a false one
    write_bytes(folder / CLASSIFIER, save(weights))
    facts = facts.model_copy(update={"weights_sha256": file_sha256(folder / CLASSIFIER)})
    write_text(folder / CARD, "\n".join(_card(facts)) + "\n")
    write_json(folder / CLASSIFIER_FACTS, facts.model_dump(mode="json"))
    return facts


def read_classifier_facts(folder: Path) -> ClassifierFacts | None:
    """The facts of a classifier; None where the folder holds none. Raises DataError for those of another format."""
    values = read_json(folder / CLASSIFIER_FACTS)
    if not isinstance(values, dict):
        return None
    if values.get("format") != FORMAT:
        raise DataError(
            f"{folder} has the format {values.get('format')}, and this genaug reads {FORMAT}; update genaug"
        )
    try:
        return ClassifierFacts.model_validate(values)
    except ValidationError as error:
        raise DataError(f"{folder / CLASSIFIER_FACTS} was changed and cannot be used; train again") from error


def read_classifier(folder: Path) -> SavedClassifier:
    """A classifier with its weights; raises DataError for a folder without one, or with other weights."""
    facts = read_classifier_facts(folder)
    if facts is None:
        raise DataError(
            f"{folder} holds no trained classifier: expected {CLASSIFIER_FACTS} (genaug train STUDY -o MODEL)"
        )
    path = folder / CLASSIFIER
    if file_sha256(path) != facts.weights_sha256:
        raise DataError(f"{path} is not the file that genaug wrote; train again")
    with seeded(0, "load"):
        network = make_classifier(facts.network, facts.spec, frozen=facts.frozen)
    try:
        network.load_state_dict(load(file_bytes(path)))
    except (SafetensorError, RuntimeError) as error:
        raise DataError(
            f"{path} does not fit the network {facts.network} of these libraries: {str(error).splitlines()[0]}"
        ) from error
    return SavedClassifier(facts, network.eval())


def _card(facts: ClassifierFacts) -> Iterator[str]:
    """The card of a classifier, in Markdown."""
    found, promised = facts.calibration, facts.promised
    colour = "grey" if facts.channels == 1 else "colour"
    yield "# An image classifier"
    yield ""
    how = " (a linear layer on its features)" if facts.frozen else ""
    yield (
        f"Trained by genaug {facts.genaug} on {facts.images} real images as its study recommends: `{facts.arm}`, "
        f"network `{facts.network}`{how}, {facts.training.steps} steps of {facts.training.batch_size} images."
    )
    yield ""
    yield f"Classes: {', '.join(_quoted(facts.classes))}."
    yield ""
    yield f"- Input: {colour} images of {facts.size[0]}x{facts.size[1]} pixels ({facts.resize}), values in [-1, 1]."
    yield f"- The study's balanced accuracy of this way to train on held-out images: {_score(promised)}."
    yield (
        f"- Probabilities are calibrated out of fold: {found.folds} classifiers, each trained without one fold of the "
        f"study, judged {found.images} images that they had not seen (balanced accuracy "
        f"{found.balanced_accuracy:.3f}). Logits are divided by {found.temperature:.3f}; that changes the mean log "
        f"loss of these images from {found.log_loss_before:.3f} to {found.log_loss:.3f}."
    )
    yield "- These figures are about images like the training images. Test it on images of your own before you use it."
    yield "- The weights may hold traits of single training images: treat them like the data."
    yield f"- `{CLASSIFIER}` holds the weights, `{CLASSIFIER_FACTS}` everything else that `genaug predict` needs."


def _quoted(names: Sequence[str]) -> list[str]:
    """Names as they stand: nothing in them is read as Markdown."""
    return [f"`{printable(name).replace('`', chr(39))}`" for name in names]


def _score(score: PromisedScore) -> str:
    if score.mean is None:
        return "unknown"
    interval = (
        "" if score.low is None or score.high is None else f" (95 % interval {score.low:.3f} to {score.high:.3f})"
    )
    return f"{score.mean:.3f}{interval}"
