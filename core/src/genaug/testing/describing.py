"""Checks of a description and its settings class: imports no torch, closed, frozen, documented, storable as JSON."""

import subprocess
import sys
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from genaug.config import GeneratorConfig, Preset
from genaug.errors import GenaugError
from genaug.hookspecs import GeneratorDescription
from genaug.spec import ImageSpec

_BOUNDS = {"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}


def check_needs_no_torch(description: GeneratorDescription) -> None:
    """Importing the modules of the settings class and of the presets does not import torch."""
    modules = sorted({description.config.__module__, *(make.__module__ for make in description.presets.values())})
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        f"describing {description.name} must not import torch; importing {modules} did, or failed: {done.stderr}"
    )


def check_config(config: type[GeneratorConfig], example: GeneratorConfig) -> None:
    """Settings refuse unknown keys, are frozen and survive JSON; all fields have descriptions, all numbers bounds."""
    assert _refuses(lambda: config.model_validate({"no_such_key": 1})), f"{config.__name__} must refuse unknown keys"
    for name in config.model_fields:
        assert _refuses(lambda name=name: setattr(example, name, None)), (
            f"{config.__name__} must be frozen: {name} is not"
        )
    again = config.model_validate_json(example.model_dump_json())
    assert again == example, f"{config.__name__} must survive JSON, got {again} from {example}"
    for name, field in config.model_json_schema().get("properties", {}).items():
        assert field.get("description"), f"{config.__name__}.{name} needs a description"
        assert _bounded(field), f"{config.__name__}.{name} is a number and needs bounds"


def check_presets(description: GeneratorDescription, spec: ImageSpec) -> None:
    """There is an auto preset, and each preset returns settings of the right class, or says why it cannot."""
    assert "auto" in description.presets, f"{description.name} needs a preset called auto"
    for name, make in description.presets.items():
        try:
            preset = make(spec, "cpu")
        except GenaugError:
            continue
        assert isinstance(preset, Preset), f"preset {name} must return a Preset, got {type(preset).__name__}"
        assert isinstance(preset.model, description.config), (
            f"preset {name} must return a {description.config.__name__}"
        )
        allowed = ("auto", *description.needs.precisions)
        assert preset.train.precision in allowed, (
            f"preset {name} trains in {preset.train.precision}, which the description does not list"
        )
        with suppress(GenaugError):
            preset.model.check(spec)


def _refuses(attempt: Any) -> bool:
    try:
        attempt()
    except ValidationError:
        return True
    return False


def _bounded(field: dict[str, Any]) -> bool:
    """Whether a field of a JSON schema has two bounds, if it is a number and not one of a list."""
    parts = [part for part in (field, *field.get("anyOf", [])) if "enum" not in part]
    return all(
        all(bound & part.keys() for bound in _BOUNDS) for part in parts if part.get("type") in ("integer", "number")
    )
