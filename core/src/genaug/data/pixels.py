"""Converts PIL images, arrays and tensors to 8-bit pixels, and 8-bit pixels back to arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genaug.data.decode import quiet, upright
from genaug.errors import DataError

_CHANNELS = frozenset({1, 2, 3, 4})  # grey, grey and alpha, colour, colour and alpha


def pixels_of(image: Any, where: str) -> NDArray[np.uint8]:
    """A PIL image, array or tensor to uint8 [H, W, C], C 1 or 3, the same pixels as `decode` reads from its file.

    Raises UnreadableError for a PIL image that cannot be converted, DataError that names `where` for such an array.
    """
    if not isinstance(image, Image.Image):
        return ArrayFormat.of(image, where).read(image, where)
    with quiet:
        return upright(image)


@dataclass(frozen=True)
class ArrayFormat:
    """The layout of one image in an array.

    shape: of one image. channel_axis: 0, 2, or None for grey without a channel axis. floating: True for float in
    [0, 1], False for uint8.
    """

    shape: tuple[int, ...]
    channel_axis: int | None
    floating: bool

    @classmethod
    def of(cls, image: Any, where: str) -> "ArrayFormat":
        """The format of an array or tensor, uint8 or float, [H, W], [H, W, C] or [C, H, W]; raises DataError.

        If both the first and the last axis could be the channels, it is the first in tensors and float arrays, and the
        last in uint8 arrays.
        """
        values = _array(image)
        floating = values.dtype.kind == "f"
        if not floating and values.dtype != np.uint8:
            raise DataError(
                f"{where}: expected a PIL image, or an array of uint8 in [0, 255] or of float in [0, 1], "
                f"got {_kind(image, values)}"
            )
        axes = (0, 2) if floating or _is_tensor(image) else (2, 0)
        return cls(values.shape, _channel_axis(values.shape, axes, where), floating)

    def read(self, image: Any, where: str) -> NDArray[np.uint8]:
        """An array of this format to uint8 [H, W, C], C 1 or 3, without alpha. Raises DataError that names `where`."""
        values = _array(image)
        levels = _levels(values, where) if self.floating else values
        last = levels[:, :, None] if self.channel_axis is None else np.moveaxis(levels, self.channel_axis, 2)
        return np.ascontiguousarray(last[:, :, : 1 if last.shape[2] < 3 else 3])

    def write(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """uint8 [H, W, C], C 1 or 3, to an array of this format, float64 or uint8; alpha is opaque."""
        values = pixels / 255.0 if self.floating else pixels
        if self.channel_axis is None:
            return values[:, :, 0]
        missing = self.shape[self.channel_axis] - values.shape[2]
        alpha = np.full((*values.shape[:2], missing), 1.0 if self.floating else 255, values.dtype)
        return np.moveaxis(np.concatenate([values, alpha], axis=2), 2, self.channel_axis)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = (side for axis, side in enumerate(self.shape) if axis != self.channel_axis)
        return height, width

    @property
    def channels(self) -> int:
        """Channels without alpha, 1 or 3."""
        return 1 if self.channel_axis is None or self.shape[self.channel_axis] < 3 else 3


def _is_tensor(image: Any) -> bool:
    return hasattr(image, "detach")


def _array(image: Any) -> NDArray[Any]:
    return np.asarray(image.detach().cpu() if _is_tensor(image) else image)


def _channel_axis(shape: tuple[int, ...], axes: tuple[int, int], where: str) -> int | None:
    if 0 not in shape and len(shape) == 2:
        return None
    if 0 not in shape and len(shape) == 3:
        for axis in axes:
            if shape[axis] in _CHANNELS:
                return axis
    raise DataError(f"{where}: expected the shape [H, W], [H, W, C] or [C, H, W] with C from 1 to 4, got {list(shape)}")


def _levels(values: NDArray[Any], where: str) -> NDArray[np.uint8]:
    """Floats in [0, 1] to levels uint8; half a level beyond the range is accepted, since filters overshoot a little."""
    low, high = float(values.min()), float(values.max())
    if np.isnan(low) or np.isnan(high):
        raise DataError(f"{where} holds NaN; expected float in [0, 1]")
    if not (low >= -0.5 / 255.0 and high <= 255.5 / 255.0):
        raise DataError(
            f"{where}: expected float in [0, 1], got values from {low:g} to {high:g}; scale them to [0, 1], without "
            "normalisation"
        )
    return np.rint(np.clip(values.astype(np.float64), 0.0, 1.0) * 255.0).astype(np.uint8)


def _kind(image: Any, values: NDArray[Any]) -> str:
    return str(values.dtype) if values.dtype.kind in "biufc" else type(image).__name__
