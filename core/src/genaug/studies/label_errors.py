"""Images whose labels may be wrong: every classifier that had not seen them says another class."""

import base64
from collections import Counter
from collections.abc import Sequence
from typing import Any

from genaug.output.mark import png
from genaug.studies.outcome import StudyOutcome
from genaug.studies.scored_images import ScoredImages

_LEAST_CLASSIFIERS = 4
_MOST_PICTURES = 48


def suspected_labels(outcome: StudyOutcome, scored: ScoredImages, classes: Sequence[str]) -> list[dict[str, Any]]:
    """The scored images that no classifier assigns to their own class, those with the most agreement first.

    Classifiers of all arms with real images and of all seeds count, in the splits that held an image out; images judged
    by fewer than four classifiers are left out. The first 48 have a picture, a PNG in base64.
    """
    judged = [index for index, arm in enumerate(outcome.arms) if arm.real]
    votes: dict[int, Counter[int]] = {}
    for split in outcome.splits:
        for predicted in (one for index in judged for one in split.predictions[index]):
            for row, label in zip(split.rows.tolist(), predicted.tolist(), strict=True):
                votes.setdefault(row, Counter())[label] += 1
    suspects = [row for row, counts in votes.items() if _unanimous(counts, int(scored.labels[row]))]
    shares = {row: max(votes[row].values()) / votes[row].total() for row in suspects}
    ordered = sorted(suspects, key=lambda row: (-shares[row], -votes[row].total(), scored.names[row]))
    return [
        _suspect(row, votes[row], scored, classes, picture=place < _MOST_PICTURES) for place, row in enumerate(ordered)
    ]


def _unanimous(counts: Counter[int], own: int) -> bool:
    """Whether enough classifiers judged an image, and none of them says its own class or nothing."""
    return counts.total() >= _LEAST_CLASSIFIERS and not counts[own] and min(counts) >= 0


def _suspect(
    row: int, counts: Counter[int], scored: ScoredImages, classes: Sequence[str], *, picture: bool
) -> dict[str, Any]:
    label, agreeing = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "file": scored.names[row],
        "class": classes[scored.labels[row]],
        "predicted": classes[label],
        "classifiers": counts.total(),
        "agreeing": agreeing,
        "picture": base64.b64encode(png(scored.images[row])).decode() if picture else None,
    }
