"""genaug balances a small image folder with generated images, and measures whether that helped.

Importing this package does not import torch; what needs torch is imported when it is first used.
"""

from typing import TYPE_CHECKING, Any

from genaug.errors import DataError, GenaugError, OutputError, PluginError, TrainingError, UsageError

if TYPE_CHECKING:
    from genaug.api import Augmented
    from genaug.resampling import GenerativeSampler

__all__ = [
    "DataError",
    "GenaugError",
    "GenerativeSampler",
    "OutputError",
    "PluginError",
    "TrainingError",
    "UsageError",
    "augment",
]


def augment(data: Any, generator: str | None = None, **options: Any) -> "Augmented":
    """Train a generator on a small image data set and return the data set with synthetic images added.

    data: a folder of class folders, a torchvision ImageFolder, any map-style torch data set of (image, label), a
    Hugging Face Dataset or DatasetDict, or arrays (X, y). options: per_class, balance, targets, sampling_strategy,
    preset, settings, size, resize, classes, seed, device, workers; see `genaug.api.augment`, which does the work.
    """
    from genaug import api

    return api.augment(data, generator, **options)


def __getattr__(name: str) -> Any:
    """Import a public name that needs torch when it is first used."""
    if name == "GenerativeSampler":
        from genaug.resampling import GenerativeSampler

        return GenerativeSampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
