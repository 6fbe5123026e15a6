"""Checkpoints: one safetensors file, tensors and a small JSON in its header, whole or not at all, never a pickle."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from genaug.storage import make_folder, write_bytes

_FACTS = "genaug"
_NAME = "checkpoint.safetensors"


class Checkpoints:
    """The last checkpoint of one fit, in a folder of its own; `key` tells it from one of another configuration."""

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / _NAME
        self._key = key

    def save(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Replace the checkpoint."""
        make_folder(self._path.parent)
        write_bytes(self._path, save(tensors, {_FACTS: json.dumps({"key": self._key, **facts}, sort_keys=True)}))

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Tensors and facts of the last checkpoint; None when there is none of this key."""
        if not self._path.exists():
            return None
        try:
            with safe_open(self._path, framework="pt") as file:
                facts = json.loads(file.metadata()[_FACTS])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        except SafetensorError:
            return None  # damaged from outside: our own writes are whole; the training starts again, to the same bytes
        return (tensors, facts) if facts.pop("key") == self._key else None
