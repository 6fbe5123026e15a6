"""The one training loop, for every generator and every classifier."""

from genaug.training.hardware import computing, resolve_device, resolve_precision, side_by_side
from genaug.training.loop import Progress, Trained, train
from genaug.training.muon import Muon
from genaug.training.networks import built, restore, stored_tensors
from genaug.training.order import RowOrder
from genaug.training.state import resolved_steps

__all__ = [
    "Muon",
    "Progress",
    "RowOrder",
    "Trained",
    "built",
    "computing",
    "resolve_device",
    "resolve_precision",
    "resolved_steps",
    "restore",
    "side_by_side",
    "stored_tensors",
    "train",
]
