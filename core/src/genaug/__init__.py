"""genaug balances a small image folder with generated images, and measures whether that helped.

Importing this package does not import torch; what needs torch is imported when it is first used.
"""

from typing import TYPE_CHECKING, Any

from genaug.api import augment, evaluate, inspect, plan, predict, study, train, training_recipe, verify
from genaug.errors import DataError, GenaugError, OutputError, PluginError, TrainingError, UsageError

if TYPE_CHECKING:
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
    "evaluate",
    "inspect",
    "plan",
    "predict",
    "study",
    "train",
    "training_recipe",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import a public name that needs torch when it is first used."""
    if name == "GenerativeSampler":
        from genaug.resampling import GenerativeSampler

        return GenerativeSampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, those too that are imported when they are first used."""
    return __all__
