"""Which candidates come into the data set: selectors are fitted once and applied in order, and every score is kept."""

from genaug.selection.class_filler import ClassFiller
from genaug.selection.manual_rejections import ManualRejections, read_manual_rejections
from genaug.selection.selector_chain import SelectorChain, SelectorChoice, choose_selectors
from genaug.selection.tools import CrossFitTools

__all__ = [
    "ClassFiller",
    "CrossFitTools",
    "ManualRejections",
    "SelectorChain",
    "SelectorChoice",
    "choose_selectors",
    "read_manual_rejections",
]
