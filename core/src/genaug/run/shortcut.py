"""Says when the origin of an image, real or generated, tells so much about its class that a classifier may learn it."""

from collections.abc import Mapping

import numpy as np

from genaug.evaluation.detectability import Detectability
from genaug.metrics.shortcut import Table, mutual_information

LIMIT = 0.05  # bits
_BY_BLUR = 0.75  # area under the curve of blur alone from which it is named
_WAYS_OUT = "Ways out: --top-up classical with --per-class N, --resolution N, or a larger --size."

Counts = Mapping[str, Mapping[str, int]]


def origin_table(counts: Counts) -> Table:
    """Training images by class and origin, float64 [K, 2]: real and classical ones, then generated ones."""
    return np.array([[row["real"] + row["classical"], row["generated"]] for row in counts.values()], dtype=np.float64)


def origin_bits(counts: Counts) -> float:
    """I(class; origin) in bits: the shortcut risk if every generated image can be recognised."""
    return mutual_information(origin_table(counts))


def possible_shortcut(counts: Counts) -> list[str]:
    """A sentence if a classifier could learn origin instead of the class once it can recognise generated images."""
    bits = origin_bits(counts)
    if bits <= LIMIT:
        return []
    return [
        f"{_shares(counts)}: if generated images can be recognised, a classifier may learn that instead of the class "
        f"({bits:.2f} bits). {_WAYS_OUT}"
    ]


def found_shortcut(counts: Counts, found: Detectability, bits: float) -> list[str]:
    """A sentence if a classifier may learn to recognise generated images instead of the class. bits: the risk."""
    if bits <= LIMIT:
        return []
    mark = "blur" if found.blur.area.rising else "sharpness"
    by_mark = found.blur.area.value >= _BY_BLUR
    how, what = (f" by their {mark}", f"the {mark}") if by_mark else ("", "that")
    return [
        f"{_shares(counts)}, and generated images are recognisable{how}: a classifier may learn {what} instead of the "
        f"class (shortcut risk {bits:.2f} bits). {_WAYS_OUT}"
    ]


def _shares(counts: Counts) -> str:
    """The classes with the most and the fewest generated images for their size."""
    shares = {name: row["generated"] / sum(row.values()) for name, row in counts.items() if sum(row.values())}
    most, least = max(shares, key=lambda name: shares[name]), min(shares, key=lambda name: shares[name])
    fewest = f"is {100 * shares[least]:.0f} %" if shares[least] else "has none"
    return f"class {most} is {100 * shares[most]:.0f} % generated, class {least} {fewest}"
