"""Checkpoints: one safetensors file with JSON in its header, written completely or not at all; never a pickle."""

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
    """The last checkpoint of one training, in a folder of its own.

    key: hash of everything that decides the weights; a checkpoint with another key is ignored.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / _NAME
        self._key = key

    def save(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Replace the checkpoint by these tensors and facts (plain values)."""
        make_folder(self._path.parent)
        write_bytes(self._path, save(tensors, {_FACTS: json.dumps({"key": self._key, **facts}, sort_keys=True)}))

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Tensors and facts of the last checkpoint; None if there is none with this key, or it is damaged."""
        if not self._path.exists():
            return None
        try:
            with safe_open(self._path, framework="pt") as file:
                facts = json.loads(file.metadata()[_FACTS])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        except SafetensorError:
            return None  # damaged from outside, as our writes are complete; a new training gives the same weights
        return (tensors, facts) if facts.pop("key") == self._key else None
