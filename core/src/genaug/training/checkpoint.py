"""Checkpoints: safetensors with JSON among the tensors, behind their hash; written completely or not at all."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from genaug.storage import make_folder, read_checked, write_checked

_FACTS = "genaug"
_NAME = "checkpoint"


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
        text = json.dumps({"key": self._key, **facts}, sort_keys=True).encode()
        write_checked(self._path, save(tensors | {_FACTS: torch.frombuffer(bytearray(text), dtype=torch.uint8)}))

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Tensors and facts of the last checkpoint; None if there is none with this key, or it is damaged."""
        data = read_checked(self._path)
        if data is None:
            return None  # a damaged one is not ours, as our writes are complete; a new training gives the same weights
        tensors = load(data)
        facts = json.loads(tensors.pop(_FACTS).numpy().tobytes())
        return (tensors, facts) if facts.pop("key") == self._key else None
