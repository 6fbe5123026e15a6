"""Turns labels of any library into class names; a class name is a folder name everywhere in genaug."""

import math
from typing import Any

from genaug.errors import DataError


def class_name(label: Any, where: str) -> str:
    """The class name of a label: a text unchanged, a whole number in digits. Raises DataError that names `where`."""
    return str(plain_label(label, where))


def plain_label(label: Any, where: str) -> str | int:
    """A label of Python, numpy or torch as str or int; 1.0 becomes 1. Raises DataError that names `where`."""
    value = label.item() if hasattr(label, "item") and math.prod(getattr(label, "shape", ())) == 1 else label
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise DataError(f"{where} has no label; add one, or leave this image out")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str | int):
        raise DataError(f"{where}: expected a whole number or a text as the label, got {_shown(value)}")
    return value


def check_class_name(name: str) -> None:
    """Raise DataError for a class name that cannot be a folder name."""
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise DataError(
            f"the class name {name!r} cannot be a folder name (empty, a leading dot, or a '/'); rename the class"
        )


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"{value!r:.60}" if shape is None else f"an array of shape {tuple(shape)}"
