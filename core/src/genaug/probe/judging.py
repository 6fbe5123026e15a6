"""Every change of every training image, judged by classifiers that never saw the image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from genaug.augmentation.changes import FLIPS, Change, changes_for
from genaug.data.split import TrainSplit
from genaug.errors import DataError
from genaug.features.crossfit import CrossFit, near_groups
from genaug.probe.verdicts import Finding, Labels, weigh

_REACH = {"turns": {"rotation +15", "rotation -15"}, "hue": {"hue +18", "hue -18"}}  # what pipelines do at the most


@dataclass(frozen=True)
class Probe:
    """The verdict on every change."""

    findings: tuple[Finding, ...]

    @property
    def allowed(self) -> tuple[str, ...]:
        """The names of the changes that keep every class."""
        return tuple(finding.change for finding in self.findings if finding.verdict == "safe")

    @property
    def banned(self) -> tuple[str, ...]:
        """The names of the changes that turn a class into others."""
        return tuple(finding.change for finding in self.findings if finding.verdict == "banned")

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        findings = {finding.change: finding.to_json() for finding in self.findings}
        return {"allowed": list(self.allowed), "banned": list(self.banned), "changes": findings}


def probe(split: TrainSplit, judges: CrossFit) -> Probe:
    """Judge every training image as it is and changed, by the classifier that never saw it; of near-duplicates one.

    Raises DataError where all images are near-duplicates, since then no classifier can judge what it did not see.
    """
    if len(judges.classifiers) < 2:
        raise DataError("the probe needs images that are not all nearly the same picture, got one picture")
    rows = np.unique(near_groups(split), return_index=True)[1]
    images, labels, parents = split.images[rows], split.labels[rows], torch.from_numpy(rows)

    def judged(change: Change) -> Labels:
        return judges.probabilities(change(images), parents).argmax(dim=1).numpy()

    own = judged(lambda unchanged: unchanged)
    changes = changes_for(*split.images.shape[1:])
    classes = split.spec.classes
    return Probe(tuple(weigh(name, classes, labels, own, judged(change)) for name, change in changes.items()))


def allowed_settings(found: Probe) -> dict[str, Any]:
    """What the probe changes in the settings of augmentation, or of classical: fields of AllowedChanges.

    Evidence is asked of both sides: a flip is on only when it is safe; turns or hue are off only when one of those that
    pipelines make at the most is banned, and are left out of the answer otherwise.
    """
    flips = [name for name in FLIPS if f"{name} flip" in found.allowed]
    return {"flips": flips} | {key: False for key, names in _REACH.items() if names & set(found.banned)}
