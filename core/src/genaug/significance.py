"""P-values of counts, their correction for the number of tests, and Student's t. scipy is loaded where it is needed."""

from collections.abc import Sequence


def above_chance(right: int, images: int, chance: float) -> float:
    """Exact one-sided p-value of `right` or more right answers for `images` images, each right with this chance.

    The p-value of no images is 1.
    """
    if not images:
        return 1.0
    from scipy.stats import binomtest  # imported here because it takes a second

    return float(binomtest(right, images, chance, alternative="greater").pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for multiple tests, in the given order (Holm 1979, Scand J Stat 6)."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def t_quantile(share: float, freedom: float) -> float:
    """The value below which Student's t with these degrees of freedom lies with a probability `share`."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def t_tail(value: float, freedom: float) -> float:
    """The probability that Student's t with these degrees of freedom exceeds a value."""
    from scipy.special import stdtr

    return float(stdtr(freedom, -value))
