"""Labels of any library become class names, which are names of folders everywhere in genaug."""

import math
from typing import Any

from genaug.errors import DataError


def class_name(label: Any, where: str) -> str:
    """The class that a label names: a text as it is, a whole number in digits. Raises DataError, naming `where`."""
    return str(plain_label(label, where))


def plain_label(label: Any, where: str) -> str | int:
    """A text or a whole number, from Python, numpy or torch, 1.0 being 1. Raises DataError, naming `where`."""
    value = label.item() if hasattr(label, "item") and math.prod(getattr(label, "shape", ())) == 1 else label
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise DataError(f"{where} has no label; give it one, or leave it out")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str | int):
        raise DataError(f"{where}: expected a whole number or a text as its label, got {_shown(value)}")
    return value


def check_class_name(name: str) -> None:
    """Raise DataError for a class that cannot be a folder."""
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise DataError(f"the class name {name!r} cannot be a folder: no '/', no leading dot, not empty; rename it")


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"{value!r:.60}" if shape is None else f"an array of shape {tuple(shape)}"
