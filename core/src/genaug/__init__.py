"""genaug balances a small image folder with generated images, and measures whether that helped.

Importing this package does not import torch; what needs torch is imported when it is first used.
"""

import pathlib
from typing import TYPE_CHECKING, Any

from genaug.errors import DataError, GenaugError, OutputError, PluginError, TrainingError, UsageError

if TYPE_CHECKING:
    from genaug.api import Augmented
    from genaug.resampling import GenerativeSampler
    from genaug.studies.prediction import Predictions
    from genaug.studies.saved_classifier import ClassifierFacts
    from genaug.studies.training_recipe import TrainingRecipe

__all__ = [
    "DataError",
    "GenaugError",
    "GenerativeSampler",
    "OutputError",
    "PluginError",
    "TrainingError",
    "UsageError",
    "augment",
    "predict",
    "train",
    "training_recipe",
]


def augment(data: Any, generator: str | None = None, **options: Any) -> "Augmented":
    """Train a generator on a small image data set and return the data set with synthetic images added.

    data: a folder of class folders, a torchvision ImageFolder, any map-style torch data set of (image, label), a
    Hugging Face Dataset or DatasetDict, or arrays (X, y). options: per_class, balance, targets, sampling_strategy,
    preset, settings, size, resize, classes, seed, device, workers; see `genaug.api.augment`, which does the work.
    """
    from genaug import api

    return api.augment(data, generator, **options)


def predict(model: str | pathlib.Path, images: str | pathlib.Path, *, device: str = "auto") -> "Predictions":
    """Class probabilities of all images in a folder, by a classifier that `train` or `genaug train` wrote."""
    from genaug.studies import prediction

    return prediction.predict(pathlib.Path(model), pathlib.Path(images), device=device)


def train(
    study: str | pathlib.Path, out: str | pathlib.Path, data: str | pathlib.Path | None = None, **options: Any
) -> "ClassifierFacts":
    """Train the classifier that a study recommends on all training images and write it to the folder `out`.

    study: its folder. data: the folder that was studied, if it has moved. options: weights, device, workers; see
    `genaug.studies.final_classifier.train_recommended`, which does the work.
    """
    from genaug.studies.final_classifier import train_recommended

    moved = None if data is None else pathlib.Path(data)
    return train_recommended(pathlib.Path(study), pathlib.Path(out), data=moved, **options)


def training_recipe(path: str | pathlib.Path) -> "TrainingRecipe":
    """The recommended training of a study as plain torch parts, for a script of one's own: docs/training.md.

    path: the folder of the study, or its training.yaml.
    """
    from genaug.studies import training_recipe as recipes

    return recipes.training_recipe(path)


def __getattr__(name: str) -> Any:
    """Import a public name that needs torch when it is first used."""
    if name == "GenerativeSampler":
        from genaug.resampling import GenerativeSampler

        return GenerativeSampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
