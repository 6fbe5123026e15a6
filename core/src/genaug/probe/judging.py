"""Applies every change to every training image and lets a classifier judge it that was not trained on the image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from genaug.augmentation.changes import FLIPS, Change, changes_for
from genaug.data.split import TrainSplit
from genaug.errors import DataError
from genaug.features.crossfit import CrossFit, near_groups
from genaug.probe.verdicts import ChangeFinding, Labels, weigh

# the largest changes that pipelines make
_REACH = {"turns": {"rotation +15", "rotation -15"}, "hue": {"hue +18", "hue -18"}}


@dataclass(frozen=True)
class Probe:
    """The verdicts on all changes."""

    findings: tuple[ChangeFinding, ...]

    @property
    def allowed(self) -> tuple[str, ...]:
        """The names of the changes that keep every class."""
        return tuple(finding.change for finding in self.findings if finding.verdict == "safe")

    @property
    def banned(self) -> tuple[str, ...]:
        """The names of the changes that turn images of a class into other classes."""
        return tuple(finding.change for finding in self.findings if finding.verdict == "banned")

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        findings = {finding.change: finding.to_json() for finding in self.findings}
        return {"allowed": list(self.allowed), "banned": list(self.banned), "changes": findings}


def probe(split: TrainSplit, judges: CrossFit) -> Probe:
    """Judge every training image unchanged and with each change, by the classifier that was not trained on it.

    Of near-duplicates, one image is judged.
    Raises DataError if all images are near-duplicates, since then every classifier was trained on all of them.
    """
    if len(judges.classifiers) < 2:
        raise DataError("the probe needs different pictures, but all images are near-duplicates of one picture")
    rows = np.unique(near_groups(split), return_index=True)[1]
    images, labels, parents = split.images[rows], split.labels[rows], torch.from_numpy(rows)

    def predict(change: Change) -> Labels:
        return judges.probabilities(change(images), parents).argmax(dim=1).numpy()

    own = predict(lambda unchanged: unchanged)
    changes = changes_for(*split.images.shape[1:])
    classes = split.spec.classes
    return Probe(tuple(weigh(name, classes, labels, own, predict(change)) for name, change in changes.items()))


def allowed_settings(result: Probe) -> dict[str, Any]:
    """The settings of augmentation, or of the generator classical, that follow from a probe: fields of AllowedChanges.

    Every setting needs evidence: a flip is on only if it is safe. `turns` or `hue` is off only if one of the largest
    changes that pipelines make is banned; otherwise the key is missing.
    """
    flips = [name for name in FLIPS if f"{name} flip" in result.allowed]
    return {"flips": flips} | {key: False for key, names in _REACH.items() if names & set(result.banned)}
