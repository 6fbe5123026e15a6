"""Turns imbalanced-learn's `sampling_strategy` for over-samplers into {label: number of new images}."""

from collections.abc import Hashable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypeVar

from genaug.errors import UsageError, unknown

Label = TypeVar("Label", bound=Hashable)


def sampling_strategy_counts(
    counts: Mapping[Label, int], strategy: Any, labels: Sequence[Label] | None = None
) -> dict[Label, int]:
    """The number of new images of each label that the strategy covers, sorted by label.

    counts: the number of real images of each label. strategy: one of
    - a word: "auto" and "not majority" fill all classes except the largest up to its size; "all" adds the largest with
      0 new images; "minority" fills only the smallest class, "not minority" all except the smallest;
    - a ratio in (0, 1], of the smaller to the larger of two classes;
    - a table {label: total number of images};
    - a function of `labels` (y) that returns such a table.
    Among classes of equal size, the first label in order is the largest (or smallest). The numbers equal those of
    `imblearn.utils.check_sampling_strategy`. Raises UsageError.
    """
    real = {label: counts[label] for label in sorted(counts)}  # type: ignore[type-var]
    if len(real) < 2:
        raise UsageError(f"sampling_strategy needs at least two classes, got {len(real)}; for one class give per_class")
    if callable(strategy):
        strategy = strategy([label for label in real for _ in range(real[label])] if labels is None else labels)
    if isinstance(strategy, Mapping):
        return _up_to(real, strategy)
    if isinstance(strategy, Real) and not isinstance(strategy, bool):
        return _by_ratio(real, float(strategy))
    largest = max(real.values())
    return {label: largest - real[label] for label in _labels_of(real, strategy)}


def _labels_of(counts: Mapping[Label, int], strategy: Any) -> list[Label]:
    """The labels that a word covers."""
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
            f"sampling_strategy: expected {', '.join(words)}, a ratio in (0, 1], {{class: total images}} or a "
            f"function of y, got {strategy!r}"
        )
    return words[strategy]


def _up_to(counts: Mapping[Label, int], totals: Mapping[Label, Any]) -> dict[Label, int]:
    for label, total in totals.items():
        if label not in counts:
            raise unknown("class in sampling_strategy", str(label), map(str, counts))
        if not isinstance(total, Integral) or total < counts[label]:
            raise UsageError(
                f"sampling_strategy: expected a whole number of at least {counts[label]} images, since class "
                f"{label!r} has that many, got {total!r}"
            )
    return {label: int(totals[label]) - counts[label] for label in counts if label in totals}


def _by_ratio(counts: Mapping[Label, int], ratio: float) -> dict[Label, int]:
    if len(counts) != 2:
        raise UsageError(f"sampling_strategy: a ratio needs two classes, got {len(counts)} classes; give a table")
    if not 0.0 < ratio <= 1.0:
        raise UsageError(f"sampling_strategy: expected a ratio in (0, 1], got {ratio:g}")
    largest = max(counts.values())
    (smaller,) = _labels_of(counts, "auto")
    new = int(largest * ratio - counts[smaller])
    if new < 1:
        raise UsageError(
            f"sampling_strategy: class {smaller!r} already has {counts[smaller]} images, the largest has {largest}: a "
            f"ratio of {ratio:g} adds no image; give a larger ratio"
        )
    return {smaller: new}
