"""augment() with the manners of imbalanced-learn's over-samplers: fit_resample(X, y) for images."""

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
from genaug.data.adapters import check_arrays
from genaug.data.labels import class_name, plain_label
from genaug.data.pixels import ArrayFormat
from genaug.data.resize import resize
from genaug.errors import DataError, TrainingError
from genaug.mixing.mixed import Synthetic
from genaug.mixing.strategy import sampling_strategy_counts


class GenerativeSampler(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Over-samples images by what a generator draws, behind imbalanced-learn's interface.

    sampling_strategy: as of its over-samplers: "auto", "minority", "not majority", "not minority", "all", a ratio for
    two classes, {label: images afterwards}, or a function of y that gives such a table. random_state: a seed, or what
    scikit-learn takes as one. All else, options too, goes to `augment`.

    After fit: sampling_strategy_ {label: new images}, for the labels that the strategy is about. After fit_resample:
    sample_indices_ int64 [N + M]: 0 to N - 1 for the images of X, then for each new one the index in X of the image
    that it stems from: of those that its generator leant on the one most like it, else the one of all most like it.
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
        workers: int = 1,
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
        """Settle `sampling_strategy_` alone; fit_resample does so too. Raises DataError or UsageError."""
        self._settle(X, y)
        return self

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:  # noqa: N803 - scikit-learn's name
        """X and y with synthetic images after them, in the layout, type and size of X, and labels in the type of y.

        X: an array or tensor, uint8 or float in [0, 1], [N, H, W], [N, H, W, C] or [N, C, H, W]; all images are
        stretched to the model size and back, unless an option says otherwise. y: labels [N]. A class may get fewer
        images where candidates are rejected. Raises DataError, UsageError, PluginError, or TrainingError when a class
        that shall grow cannot be trained.
        """
        form = self._settle(X, y)
        drawn = self._drawn(X, y)
        labels = {class_name(label, "y"): plain_label(label, "y") for label in y}
        self.sample_indices_ = np.array([*range(len(X)), *map(_place, drawn)], dtype=np.int64)
        images = [form.write(resize(image.pixels, *form.size, form.channels, "stretch")) for image in drawn]
        return _extended(X, images), _extended(y, [labels[image.label] for image in drawn])

    def _settle(self, images: Any, labels: Any) -> ArrayFormat:
        check_arrays(images, labels)
        if not hasattr(images, "shape") or not len(images):
            raise DataError("X: expected an array or tensor of at least one image, all of one size")
        counts = Counter(plain_label(label, f"y[{place}]") for place, label in enumerate(labels))
        self.sampling_strategy_ = sampling_strategy_counts(counts, self.sampling_strategy, labels)
        return ArrayFormat.of(images[0], "X[0]")

    def _drawn(self, images: Any, labels: Any) -> Sequence[Synthetic]:
        targets = {class_name(label, "y"): number for label, number in self.sampling_strategy_.items()}
        shared = {name: getattr(self, name) for name in ("preset", "settings", "size", "device", "workers")}
        options = {"resize": "stretch"} | {name: getattr(self, name) for name in self._options}
        result = augment((images, labels), self.generator, targets=targets, seed=self._seed(), **shared, **options)
        for name, reason in result.failures.items():
            raise TrainingError(f"class {name!r} got no new images: {reason}")
        return result._mixed.synthetic

    def _seed(self) -> int:
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))


def _place(image: Synthetic) -> int:
    """The place in X of the image that it stems from; files of images from memory are called by their place."""
    return int(PurePosixPath(image.stem).stem)


def _extended(values: Any, new: Sequence[Any]) -> Any:
    """An array, tensor or list, and new ones of its kind after it."""
    if isinstance(values, list):
        return [*values, *new]
    if isinstance(values, torch.Tensor):
        return torch.cat([values, values.new_tensor(np.array(new)).reshape(-1, *values.shape[1:])])
    values = np.asarray(values)
    return np.concatenate([values, np.array(new, dtype=values.dtype).reshape(-1, *values.shape[1:])])
