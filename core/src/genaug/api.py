"""The Python interface: one function for each command, with the same words. Importing it does not import torch."""

import inspect as signatures
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from genaug.call_options import checked_keys, in_seconds, listed, make_job, make_question
from genaug.errors import unknown
from genaug.option_types import AugmentOptions, Name, Pixels, PlanOptions, Resize, Settings, StudyOptions, spelled_out

if TYPE_CHECKING:
    from genaug.augmented import Augmented
    from genaug.progress import Work
    from genaug.results import Evaluated, Inspected, Planned, Studied, Verified
    from genaug.studies.prediction import Predictions
    from genaug.studies.saved_classifier import ClassifierFacts
    from genaug.studies.training_recipe import TrainingRecipe


@spelled_out(AugmentOptions)
def augment(data: Any, generator: str | None = None, **options: Unpack[AugmentOptions]) -> "Augmented":
    """Train a generator on a small image data set and return the data set with synthetic images added.

    data: a folder of class folders; a torchvision ImageFolder; any map-style torch data set of (image, label), as it
    returns them; a Hugging Face Dataset or DatasetDict; or arrays (X, y), X uint8 or float in [0, 1], [N, H, W],
    [N, H, W, C] or [N, C, H, W]. The same pixels under the same class names give the same synthetic images.
    generator: one name, or several with shares as `a=0.3,b=0.7`; the first of `genaug plugins` if left out.

    How many images, at most one of these. per_class: new images for every class. balance: "max", "median", a number of
    images, or a ratio of the largest class. targets: {class: new images}. sampling_strategy: as imbalanced-learn's
    over-samplers take it, by class name. Without any of them the mix is even: classical variants bring every class to
    the size of the largest, then every class gets the same number of generated images, one for three others.
    top_up: "classical", "oversample" or "none", what is done first to bring every class to the largest.

    How generators train. preset: "auto", "small", "paper" or another one of the generator. settings: {key: value} as
    in `--set`; `NAME:key` for one of several generators, or for a selector. model, train, augmentation, generators,
    selectors: the same as tables, as in a config file. config: a config file; options given here override it. size:
    size at which models work, (height, width) or one number for both. resize: "auto", "fit", "crop" or "stretch".
    device: "auto", "cpu", "cuda", "cuda:N" or "mps". budget: time for the whole run, in seconds or as "10m". workers:
    trainings of one thread side by side, each in a process of its own; one for each core if left out. seed: random
    seed.

    Which images come in. select: selectors in order; none where it is empty. overdraw: most candidates drawn for each
    requested image. judge_steps: training steps of each classifier that judges images. on_shortfall: what to do if too
    few candidates are accepted: "classical", "oversample", "leave" or "fail". reject: a file of images to reject, as
    the report page saves it. probe: let the label-safety probe decide which changes are allowed. gate: run a quick
    study first, and draw images only if it recommends them. check: find out whether the images harm a classifier.

    What is written. recipe: how real and synthetic images are combined. resolution: "real", or pixels for all training
    images. train_size: shorter side in pixels at which you will train; findings are about images of this size.
    classes: classes to use. groups: images that belong together, as those of one patient: a CSV file of file,group
    lines or a regular expression; no group is on both sides of a split. format: "folder", "webdataset" or "parquet".
    only_synthetic: write only these.

    progress: True for bars in a terminal or notebook, else lines in the log `genaug`; False for nothing; or a function
    that is called with every piece of work (stage, title, done, total, unit, detail).
    Raises UsageError, DataError, PluginError or TrainingError.
    """
    from genaug.augmented import Augmented
    from genaug.data.hugging_face import columns_of
    from genaug.progress import shown_as

    values: dict[str, Any] = dict(options)
    progress = values.pop("progress", True)
    job = make_job(data, generator, values, "augment()")
    with shown_as(progress) as report:
        return Augmented(job, options.get("workers"), report, columns_of(data))


@spelled_out(PlanOptions)
def plan(data: Any, generator: str | None = None, **options: Unpack[PlanOptions]) -> "Planned":
    """What `augment` with these options would do, draw and cost. Times a few training steps, writes nothing.

    data, generator and all options: those of `augment`. Raises UsageError, DataError or PluginError.
    """
    from genaug.results import Planned
    from genaug.run.pipeline import check

    job = make_job(data, generator, dict(options), "plan()")
    check(job)
    return Planned.of(job, options.get("workers"))


def inspect(
    data: Any,
    *,
    classes: Sequence[str] | None = None,
    size: Pixels | None = None,
    probe: bool = False,
    judge_steps: int = 400,
) -> "Inspected":
    """What is in a data set: classes, sizes, modes, unreadable and duplicate images, leaks between splits, and advice.

    data, classes, size: as for `augment`. probe: test with trained classifiers which flips, rotations and hue shifts
    keep the class; judge_steps: training steps of each of them. Raises UsageError or DataError.
    """
    from genaug.data.input_types import load_any
    from genaug.results import Inspected
    from genaug.run.config import RunConfig

    config = checked_keys(RunConfig, {"classes": classes, "size": size, "judge_steps": judge_steps}, "inspect()")
    loaded = load_any(data, config.classes, config.size, config.resize)
    return Inspected.of(loaded, config.judge_steps if probe else None)


def evaluate(
    real: Name,
    synthetic: Name,
    *,
    metrics: Sequence[str] | str | None = None,
    features: str = "auto",
    weights: Name | None = None,
    allow_download: bool = False,
    layer: int = 2048,
    settings: Settings | None = None,
    size: Pixels | None = None,
    train_size: int | None = None,
    resize: Resize = "auto",
    seed: int = 0,
) -> "Evaluated":
    """Score synthetic images; each score comes with an interval and the score that real images get.

    real: the folder of real images from which the synthetic ones were generated. synthetic: the output of a run, or a
    folder of class folders. metrics: names such as "kid" or "fid[inception]", all if left out. features: of metrics
    without brackets: "auto", "classifier", "pixels", "inception" or "dinov2". weights: a file with the weights of the
    last two; allow_download: download them where they are missing; layer: of inception. settings: {"METRIC:key":
    value}. size, resize, seed: as for `augment`. train_size: shorter side in pixels at which you will train.
    Raises UsageError, DataError or PluginError.
    """
    from genaug.results import Evaluated
    from genaug.run.config import RunConfig

    given = {"size": size, "train_size": train_size, "resize": resize, "seed": seed}
    config = checked_keys(RunConfig, given, "evaluate()")
    assigned = [f"{key}={value}" for key, value in (settings or {}).items()]
    listed = metrics.split(",") if isinstance(metrics, str) else metrics
    names = None if listed is None else [name.strip() for name in listed]
    source = None if weights is None else Path(weights)
    return Evaluated.of(Path(real), Path(synthetic), names, (features, source, allow_download, layer), assigned, config)


@spelled_out(StudyOptions)
def study(
    data: Any,
    generator: str | Sequence[str] | None = None,
    *,
    counts: Sequence[int] = (),
    recipe: str | Sequence[str] | None = None,
    on: Literal["auto", "folds", "split"] = "auto",
    folds: int = 5,
    repeats: int | None = None,
    seeds: int = 2,
    steps: int | None = None,
    classifier: str = "small",
    weights: Name | None = None,
    frozen: bool = False,
    budget: int | str | None = None,
    out: Name | None = None,
    progress: "bool | Callable[[Work], object]" = True,
    **options: Unpack[StudyOptions],
) -> "Studied":
    """Find out whether synthetic images help: train classifiers with and without them, score them on held-out images.

    data and options: those of `augment`. generator: one, or several that are studied each alone. counts: numbers of
    synthetic images per class to compare. recipe: one or several ways to combine images. on: what scores the
    classifiers, folds of the training images or the test split. folds, repeats: of the cross-validation; seeds:
    classifiers for each arm and split; steps: training steps of each classifier, chosen if left out. classifier:
    "small", or a model of torchvision or timm; weights: a file of its initial weights; frozen: train only a linear
    layer on its features. budget: a limit in seconds or as "30m". out: a folder in which finished splits are kept and
    found again, and the report page is written; a temporary one if left out. progress: as for `augment`. Raises
    UsageError, DataError, OutputError or TrainingError.
    """
    from genaug.progress import shown_as
    from genaug.results import Studied

    chosen: dict[str, Any] = {
        "counts": tuple(counts),
        "recipes": listed(recipe),
        "on": on,
        "folds": folds,
        "repeats": repeats,
    }
    chosen |= {"seeds": seeds, "steps": steps, "classifier": classifier, "frozen": frozen}
    for name in options:
        if name not in StudyOptions.__annotations__:
            raise unknown("key of study()", name, signatures.signature(study).parameters)
    values: dict[str, Any] = dict(options)
    workers = values.pop("workers", None)
    question = make_question(data, listed(generator) or [], values, chosen, weights)
    with shown_as(progress) as report:
        return Studied.of(question, None if out is None else Path(out), workers, in_seconds(budget), report)


def predict(model: Name, images: Name, *, device: str = "auto") -> "Predictions":
    """Class probabilities of all images in a folder, by a classifier that `train` or `genaug train` wrote."""
    from genaug.studies import prediction

    return prediction.predict(Path(model), Path(images), device=device)


def train(
    study: Name,
    out: Name,
    data: Name | None = None,
    *,
    weights: Name | None = None,
    device: str | None = None,
    workers: int = 1,
    progress: "bool | Callable[[Work], object]" = True,
) -> "ClassifierFacts":
    """Train the classifier that a study recommends on all training images and write it to the folder `out`.

    study: its folder. data: the folder that was studied, if it has moved. weights: the file of initial weights, if it
    has moved. device: that of the study if left out. progress: as for `augment`. Raises UsageError, DataError,
    OutputError, TrainingError or PluginError.
    """
    from genaug.progress import shown_as
    from genaug.studies.final_classifier import train_recommended

    moved, initial = (None if path is None else Path(path) for path in (data, weights))
    with shown_as(progress) as report:
        return train_recommended(
            Path(study), Path(out), data=moved, weights=initial, device=device, workers=workers, report=report
        )


def training_recipe(path: Name) -> "TrainingRecipe":
    """The recommended training of a study as plain torch parts, for a script of one's own: docs/training.md.

    path: the folder of the study, or its training.yaml.
    """
    from genaug.studies import training_recipe as recipes

    return recipes.training_recipe(path)


def verify(out: Name) -> "Verified":
    """Whether an output is still what the run wrote, and whether test images are in train. Writes nothing.

    out: the output of a run. Raises DataError where its records are missing or damaged.
    """
    from genaug.results import Verified

    return Verified.of(Path(out))
