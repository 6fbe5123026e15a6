"""augment() with the interface of imbalanced-learn's over-samplers: fit_resample(X, y) for images."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import PurePosixPath
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
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
    scikit-learn accepts as one. image_shape: (height, width) or (height, width, channels) of the images in the rows of
    a table X [N, features], as scikit-learn's own data sets hold them; value_range: (least, greatest) value of its
    pixels, where that is not the range of uint8 or [0, 1] of floats. Everything else, other options too, is passed to
    `augment`; its check is off by default (`check=True` turns it on), since a sampler inside a pipeline is fitted many
    times, and so is its progress.

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
        image_shape: tuple[int, ...] | None = None,
        value_range: tuple[float, float] | None = None,
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
        self.image_shape = image_shape
        self.value_range = value_range
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
        self._check(self._images(X), y)
        return self

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:  # noqa: N803 - scikit-learn's name
        """X and y with synthetic images after them, in the layout, type and size of X, and labels in the type of y.

        X: an array or tensor, uint8 or float in [0, 1], [N, H, W], [N, H, W, C] or [N, C, H, W], or with image_shape a
        table [N, features]; all images are stretched to the model size and back, unless an option says otherwise. y:
        labels [N]. A class may get fewer images where candidates are rejected. Raises DataError, UsageError,
        PluginError, or TrainingError when a class that shall grow cannot be trained.
        """
        images = self._images(X)
        form = self._check(images, y)
        mixed = self._augmented(images, y)
        by_name = {class_name(label, "y"): plain_label(label, "y") for label in y}
        places = [_place(mixed, one) for one in mixed.synthetic]
        self.sample_indices_ = np.array([*range(len(X)), *places], dtype=np.int64)
        written = map(mixed.resolution.pixels, mixed.synthetic)
        drawn = [form.write(resize(pixels, *form.size, form.channels, "stretch")) for pixels in written]
        return _extended(X, self._as_rows(X, drawn)), _extended(
            y, [by_name[mixed.classes[one.label]] for one in mixed.synthetic]
        )

    def _images(self, table: Any) -> Any:
        """X itself, or the images in the rows of X [N, features]; raises DataError where they have another shape."""
        if self.image_shape is None:
            return table
        rows = table if hasattr(table, "shape") else np.asarray(table)
        features = math.prod(self.image_shape)
        if len(rows.shape) != 2 or rows.shape[1] != features:
            raise DataError(
                f"X: expected [N, {features}], since image_shape is {self.image_shape}, got {[*rows.shape]}"
            )
        return self._unit(rows).reshape(-1, *self.image_shape)

    def _unit(self, rows: Any) -> Any:
        """Rows with values in [0, 1] instead of the range that was given; raises DataError for values outside of it."""
        if self.value_range is None:
            return rows
        low, high = self.value_range
        values = np.asarray(rows, dtype=np.float64)
        if not (low < high and np.isfinite(values).all() and values.min() >= low and values.max() <= high):
            raise DataError(f"X: expected values in [{low:g}, {high:g}], the value_range, got {_span(values)}")
        return (values - low) / (high - low)

    def _as_rows(self, table: Any, images: Sequence[Any]) -> Sequence[Any]:
        """New images as rows of X, in its range of values."""
        if self.image_shape is None:
            return images
        low, high = (0.0, 1.0) if self.value_range is None else self.value_range
        rows = [
            np.ravel(image) if self.value_range is None else low + (high - low) * np.ravel(image) for image in images
        ]
        return [row.tolist() for row in rows] if isinstance(table, list) else rows

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
        options: dict[str, Any] = {"resize": "stretch", "check": False, "progress": False} | {
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


def _span(values: NDArray[np.float64]) -> str:
    return f"[{values.min():g}, {values.max():g}]" if values.size else "none"


def _extended(values: Any, new: Sequence[Any]) -> Any:
    """An array, tensor or list with new values of its kind appended."""
    if isinstance(values, list):
        return [*values, *new]
    if isinstance(values, torch.Tensor):
        return torch.cat([values, values.new_tensor(np.array(new)).reshape(-1, *values.shape[1:])])
    values = np.asarray(values)
    return np.concatenate([values, np.array(new, dtype=values.dtype).reshape(-1, *values.shape[1:])])
