"""The one training loop, for every generator and every classifier."""

from genaug.training.hardware import computing, resolve_device, resolve_precision, side_by_side
from genaug.training.loop import Progress, Trained, train
from genaug.training.muon import Muon
from genaug.training.order import RowOrder
from genaug.training.state import resolved_steps

__all__ = [
    "Muon",
    "Progress",
    "RowOrder",
    "Trained",
    "computing",
    "resolve_device",
    "resolve_precision",
    "resolved_steps",
    "side_by_side",
    "train",
]
