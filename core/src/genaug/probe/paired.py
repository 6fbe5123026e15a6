"""How often the same images are judged wrong before and after a change: an exact test, and an interval."""

import math
from collections.abc import Sequence

Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution


def chance_of_turning(turned: int, returned: int) -> float:
    """McNemar's exact one-sided p-value: so many images or more turn wrong if turning right were as likely.

    turned: right before, wrong after. returned: wrong before, right after. Of all that differ, those that turned are
    binomial with a half (McNemar 1947, Psychometrika 12; exact as in Fagerland et al. 2013, BMC Med Res Methodol 13).
    """
    differ = turned + returned
    ways: int = sum(math.comb(differ, count) for count in range(turned, differ + 1))
    return ways / (1 << differ)


def increase_interval(turned: int, returned: int, images: int) -> tuple[float, float]:
    """95 % interval of the increase (turned - returned) / images: the adjusted Wald of Bonett and Price.

    One image is added to either kind that differs (Bonett and Price 2012, Stat Methods Med Res 21:479; recommended for
    small numbers by Fagerland et al. 2014, Stat Med 33:2850). Exactly enumerated for 3 to 100 images it covers 93 % at
    the least; Tango's score interval covers down to 91.9 %.
    """
    worse, better = (turned + 1) / (images + 2), (returned + 1) / (images + 2)
    half = Z * math.sqrt((worse + better - (worse - better) ** 2) / (images + 2))
    return max(-1.0, worse - better - half), min(1.0, worse - better + half)


def holm(chances: Sequence[float]) -> list[float]:
    """P-values adjusted for their number, in the order given (Holm 1979, Scand J Stat 6)."""
    adjusted, largest = [0.0] * len(chances), 0.0
    for place, index in enumerate(sorted(range(len(chances)), key=lambda index: chances[index])):
        largest = max(largest, min(1.0, (len(chances) - place) * chances[index]))
        adjusted[index] = largest
    return adjusted
