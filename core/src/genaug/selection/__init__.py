"""Which drawn images come into the data set: selectors are fitted once, asked in order, and every answer is kept."""

from genaug.selection.by_hand import Marked, read_marked
from genaug.selection.filling import Filling, Kept, Rejected
from genaug.selection.panel import Choice, Panel, choose_selectors
from genaug.selection.tools import CrossFitTools

__all__ = [
    "Choice",
    "CrossFitTools",
    "Filling",
    "Kept",
    "Marked",
    "Panel",
    "Rejected",
    "choose_selectors",
    "read_marked",
]
