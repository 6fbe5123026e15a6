"""Reads `key=value` overrides of settings and finds the section of a generator's settings that each key belongs to."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from genaug.config import AugmentationConfig, Closed, GeneratorConfig, TrainConfig
from genaug.errors import UsageError, shown, unknown

_TIME = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)


def assign(model: type[GeneratorConfig], values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """{key: value} to {section: {key: value}} for the sections model, train and augmentation.

    A key is `section.key`, or only `key` if a single section has it. Raises UsageError for an unknown or ambiguous key.
    """
    settings: dict[str, type[Closed]] = {"model": model, "train": TrainConfig, "augmentation": AugmentationConfig}
    sections = {name: kind.model_fields for name, kind in settings.items()}
    changes: dict[str, dict[str, Any]] = {name: {} for name in sections}
    for path, value in values.items():
        section, key = _locate(path, sections)
        changes[section][key] = value
    return changes


def read_assignments(texts: Iterable[str]) -> dict[str, Any]:
    """`key=value` texts to {key: value}; values are read as YAML: numbers, true, false, null, lists, texts."""
    values = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"expected key=value, got {shown(text)}")
        values[key.strip()] = _plain(value.strip())
    return values


def _locate(path: str, sections: Mapping[str, Mapping[str, FieldInfo]]) -> tuple[str, str]:
    section, dot, key = path.partition(".")
    known = {f"{name}.{field}" for name, fields in sections.items() for field in fields}
    if dot and path in known:
        return section, key
    found = [name for name, fields in sections.items() if path in fields]
    if len(found) > 1:
        raise UsageError(f"key {path!r} is in {' and '.join(found)}; write {found[0]}.{path} or {found[1]}.{path}")
    if not found:
        raise unknown("key", path, known if dot else {name.partition(".")[2] for name in known})
    return found[0], path


def _plain(text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise UsageError(f"expected a number, true, false, a list or a text as value, got {shown(text)}") from error
    return _scientific(value) if isinstance(value, str) else value


def _scientific(text: str) -> Any:
    """A text such as 1e-4 as a number, which YAML 1.1 reads as text; other texts unchanged."""
    try:
        return float(text) if text[:1].isdigit() or text[:1] in "+-." else text
    except ValueError:
        return text


def names(text: str) -> tuple[str, ...]:
    """`a,b` as names; raises ValueError where there is none."""
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    if not found:
        raise ValueError("expected names separated by commas")
    return found


def size(text: str) -> tuple[int, int]:
    """`64` or `64x96` as (height, width); raises ValueError for anything else."""
    numbers = text.lower().split("x")
    if len(numbers) > 2 or not all(number.isascii() and number.isdigit() and len(number) < 10 for number in numbers):
        raise ValueError("expected pixels such as 64 or 64x96")
    return int(numbers[0]), int(numbers[-1])


def numbers(text: str) -> dict[str, int]:
    """`stop=40,yield=10` as {name: number}; raises ValueError for anything else, and for a name that is given twice."""
    found: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = (word.strip() for word in part.rpartition("="))
        if not name or name in found or not (number.isascii() and number.isdigit() and len(number) < 10):
            raise ValueError("expected one number of images for each class, such as stop=40,yield=10")
        found[name] = int(number)
    return found


def duration(text: str) -> int:
    """`90s`, `30m`, `2h` or `1h30m` in seconds; raises ValueError for anything else, and for no time at all."""
    found = _TIME.fullmatch(text.strip().lower())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        raise ValueError("expected a time such as 30m, 2h or 1h30m")
    return total
