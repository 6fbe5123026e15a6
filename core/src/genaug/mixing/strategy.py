"""Every spelling of imbalanced-learn's `sampling_strategy` for over-samplers becomes {label: number of new images}."""

from collections.abc import Hashable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypeVar

from genaug.errors import UsageError, unknown

Label = TypeVar("Label", bound=Hashable)


def sampling_strategy_counts(
    counts: Mapping[Label, int], strategy: Any, labels: Sequence[Label] | None = None
) -> dict[Label, int]:
    """New images for each label that the strategy is about, sorted by label, from the counts of real ones.

    strategy: "auto" and "not majority" fill all classes but the largest up to it, "all" counts that one too, with 0,
    "minority" fills the smallest alone, "not minority" all but that; a ratio in (0, 1] of the smaller to the larger of
    two classes; {label: images afterwards}; or a function of `labels`, y, that gives such a table.
    The first label in order is the largest, or smallest, of equals. The numbers are those of
    `imblearn.utils.check_sampling_strategy`. Raises UsageError.
    """
    real = {label: counts[label] for label in sorted(counts)}  # type: ignore[type-var]
    if len(real) < 2:
        raise UsageError(f"sampling_strategy needs at least two classes, got {len(real)}; per_class needs one")
    if callable(strategy):
        strategy = strategy([label for label in real for _ in range(real[label])] if labels is None else labels)
    if isinstance(strategy, Mapping):
        return _up_to(real, strategy)
    if isinstance(strategy, Real) and not isinstance(strategy, bool):
        return _by_ratio(real, float(strategy))
    largest = max(real.values())
    return {label: largest - real[label] for label in _meant(real, strategy)}


def _meant(counts: Mapping[Label, int], strategy: Any) -> list[Label]:
    """The labels that a word is about."""
    majority, minority = max(counts, key=lambda label: counts[label]), min(counts, key=lambda label: counts[label])
    words = {
        "auto": [label for label in counts if label != majority],
        "minority": [minority],
        "not majority": [label for label in counts if label != majority],
        "not minority": [label for label in counts if label != minority],
        "all": list(counts),
    }
    if not isinstance(strategy, str) or strategy not in words:
        raise UsageError(
            f"sampling_strategy: expected {', '.join(words)}, a ratio in (0, 1], {{class: images afterwards}} or a "
            f"function of y, got {strategy!r}"
        )
    return words[strategy]


def _up_to(counts: Mapping[Label, int], totals: Mapping[Label, Any]) -> dict[Label, int]:
    for label, total in totals.items():
        if label not in counts:
            raise unknown("class in sampling_strategy", str(label), map(str, counts))
        if not isinstance(total, Integral) or total < counts[label]:
            raise UsageError(
                f"sampling_strategy: expected a whole number of at least {counts[label]} images, as many as class "
                f"{label!r} has, got {total!r}"
            )
    return {label: int(totals[label]) - counts[label] for label in counts if label in totals}


def _by_ratio(counts: Mapping[Label, int], ratio: float) -> dict[Label, int]:
    if len(counts) != 2:
        raise UsageError(f"sampling_strategy: a ratio is for two classes, got {len(counts)} classes; give a table")
    if not 0.0 < ratio <= 1.0:
        raise UsageError(f"sampling_strategy: expected a ratio in (0, 1], got {ratio:g}")
    largest = max(counts.values())
    (smaller,) = _meant(counts, "auto")
    new = int(largest * ratio - counts[smaller])
    if new < 1:
        raise UsageError(
            f"sampling_strategy: class {smaller!r} has {counts[smaller]} images to {largest} already, more than a "
            f"ratio of {ratio:g} leaves room for; give a larger ratio"
        )
    return {smaller: new}
