"""augment() with the interface of imbalanced-learn's over-samplers: fit_resample(X, y) for images."""

from collections import Counter
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import PurePosixPath
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from genaug.api import augment
from genaug.data.input_types import check_arrays
from genaug.data.labels import class_name, plain_label
from genaug.data.pixels import ArrayFormat
from genaug.data.resize import resize
from genaug.errors import DataError, TrainingError
from genaug.mixing.candidate import Candidate
from genaug.mixing.mixed import MixedSet
from genaug.targets.sampling_strategy import sampling_strategy_counts


class GenerativeSampler(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Over-samples images with a generator, through imbalanced-learn's interface.

    sampling_strategy: as of its over-samplers: "auto", "minority", "not majority", "not minority", "all", a ratio for
    two classes, {label: images afterwards}, or a function of y that returns such a table. random_state: a seed, or what
    scikit-learn accepts as one. Everything else, other options too, is passed to `augment`; its check is off by default
    (`check=True` turns it on), since a sampler inside a pipeline is fitted many times.

    After fit: sampling_strategy_ {label: new images}, for the labels that the strategy names. After fit_resample:
    sample_indices_ int64 [N + M]: 0 to N - 1 for the images of X, then for each new image the index in X of its source
    image: the one that looks most like it among those that its generator used, or among all where it used none.
    """

    def __init__(
        self,
        generator: str | None = None,
        sampling_strategy: Any = "auto",
        *,
        random_state: Any = 0,
        preset: str = "auto",
        settings: Mapping[str, Any] | None = None,
        size: int | tuple[int, int] | None = None,
        device: str = "auto",
        workers: int | None = None,
        **options: Any,
    ) -> None:
        self.generator = generator
        self.sampling_strategy = sampling_strategy
        self.random_state = random_state
        self.preset = preset
        self.settings = settings
        self.size = size
        self.device = device
        self.workers = workers
        self._options = tuple(options)
        for name, value in options.items():
            setattr(self, name, value)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All parameters by name, options too."""
        return {**super().get_params(deep), **{name: getattr(self, name) for name in self._options}}

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803 - scikit-learn's name
        """Set `sampling_strategy_` alone; fit_resample does so too. Raises DataError or UsageError."""
        self._check(X, y)
        return self

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:  # noqa: N803 - scikit-learn's name
        """X and y with synthetic images after them, in the layout, type and size of X, and labels in the type of y.

        X: an array or tensor, uint8 or float in [0, 1], [N, H, W], [N, H, W, C] or [N, C, H, W]; all images are
        stretched to the model size and back, unless an option says otherwise. y: labels [N]. A class may get fewer
        images where candidates are rejected. Raises DataError, UsageError, PluginError, or TrainingError when a class
        that shall grow cannot be trained.
        """
        form = self._check(X, y)
        mixed = self._augmented(X, y)
        by_name = {class_name(label, "y"): plain_label(label, "y") for label in y}
        places = [_place(mixed, one) for one in mixed.synthetic]
        self.sample_indices_ = np.array([*range(len(X)), *places], dtype=np.int64)
        written = map(mixed.resolution.pixels, mixed.synthetic)
        images = [form.write(resize(pixels, *form.size, form.channels, "stretch")) for pixels in written]
        return _extended(X, images), _extended(y, [by_name[mixed.classes[one.label]] for one in mixed.synthetic])

    def _check(self, images: Any, labels: Any) -> ArrayFormat:
        check_arrays(images, labels)
        if not hasattr(images, "shape") or not len(images):
            raise DataError("X: expected an array or tensor of at least one image, all of one size")
        counts = Counter(plain_label(label, f"y[{place}]") for place, label in enumerate(labels))
        self.sampling_strategy_ = sampling_strategy_counts(counts, self.sampling_strategy, labels)
        return ArrayFormat.of(images[0], "X[0]")

    def _augmented(self, images: Any, labels: Any) -> MixedSet:
        targets = {class_name(label, "y"): number for label, number in self.sampling_strategy_.items()}
        shared = {name: getattr(self, name) for name in ("preset", "settings", "size", "device", "workers")}
        options: dict[str, Any] = {"resize": "stretch", "check": False} | {
            name: getattr(self, name) for name in self._options
        }
        result = augment((images, labels), self.generator, targets=targets, seed=self._seed(), **shared, **options)
        for name, reason in result.failures.items():
            raise TrainingError(f"class {name!r} got no new images: {reason}")
        return result._mixed

    def _seed(self) -> int:
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))


def _place(mixed: MixedSet, candidate: Candidate) -> int:
    """The index in X of a candidate's source image; files of images from memory are named by their index."""
    return int(PurePosixPath(mixed.loaded.train.names[candidate.source]).stem)


def _extended(values: Any, new: Sequence[Any]) -> Any:
    """An array, tensor or list with new values of its kind appended."""
    if isinstance(values, list):
        return [*values, *new]
    if isinstance(values, torch.Tensor):
        return torch.cat([values, values.new_tensor(np.array(new)).reshape(-1, *values.shape[1:])])
    values = np.asarray(values)
    return np.concatenate([values, np.array(new, dtype=values.dtype).reshape(-1, *values.shape[1:])])
