"""Both sides as each metric needs them, computed once."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from genaug.chance import derive
from genaug.data import duplicates
from genaug.errors import UsageError
from genaug.evaluation.sides import Sides
from genaug.features import CrossFit, Extractor, cross_fit, near_groups
from genaug.images import to_float
from genaug.metric import Measured, Metric

CLASSIFIER = "classifier"
Side = Literal["real", "synthetic"]


def fresh_judges(sides: Sides, seed: int, folder: Path | None = None) -> CrossFit:
    """Cross-fitted classifiers of an evaluation's own: those of a run chose its images, and would flatter them.

    folder: where finished ones are kept, and found again.
    """
    return cross_fit(sides.train, seed=derive(seed, "evaluation"), folder=folder)


class Views:
    """What metrics compare, by the name of their features; the classifiers are trained when first asked for."""

    def __init__(
        self, sides: Sides, extractors: Mapping[str, Extractor], *, seed: int, judges: CrossFit | None = None
    ) -> None:
        self.sides = sides
        self.seed = seed
        self._extractors = extractors
        self._given = judges
        self._cached: dict[tuple[str, str, Side], Tensor] = {}

    @cached_property
    def judges(self) -> CrossFit:
        """The cross-fitted classifiers."""
        return self._given or fresh_judges(self.sides, self.seed)

    def called(self, needs: str, features: str) -> str:
        """The name of what a metric is computed in, with the beginning of a hash where weights are unknown."""
        if features not in self._extractors:
            return features
        extractor = self._extractors[features]
        return extractor.features_name if needs == "features" else extractor.name

    @cached_property
    def groups(self) -> Tensor:
        """The group of near-duplicates of each training image, int64 [N]."""
        return torch.from_numpy(near_groups(self.sides.train))

    def families(self, side: Side) -> Tensor:
        """The group of near-duplicates that each image stems from: images of one are not independent."""
        return self.groups[self.stems(side)]

    def stems(self, side: Side) -> Tensor:
        """The training row that each image stems from; a training image stems from itself."""
        return torch.arange(len(self.sides.train)) if side == "real" else self.sides.stems

    def side(self, needs: str, features: str, side: Side) -> Measured:
        """Training or synthetic images; by classifiers that did not see their stems."""
        key = (needs, features, side)
        if key not in self._cached:
            self._cached[key] = self._values(*key)
        labels = torch.from_numpy(self.sides.train.labels) if side == "real" else self.sides.labels
        parents = self.sides.parents
        kin = self.groups[:, None] if side == "real" else torch.where(parents < 0, -1, self.groups[parents])
        return Measured(self._cached[key], labels, kin)

    def held_out(self) -> Measured | None:
        """The test split, as pixels, kin to near-duplicates within it; None where there is none."""
        unseen = self.sides.held_out
        if unseen is None:
            return None
        groups = torch.from_numpy(duplicates.near_groups(unseen.thumbnails))
        kin = groups[:, None] + len(self.sides.train)  # no group of training images
        return Measured(to_float(unseen.images), torch.from_numpy(unseen.labels), kin)

    def spaces(self, metric: Metric[Any], features: str) -> list[tuple[Tensor, Tensor]]:
        """Masks of real and synthetic images whose values can be compared with each other."""
        real, synthetic = self.stems("real"), self.stems("synthetic")
        if metric.needs != "features" or features != CLASSIFIER:
            return [(torch.ones_like(real, dtype=torch.bool), torch.ones_like(synthetic, dtype=torch.bool))]
        folds = range(len(self.judges.classifiers))
        return [(self.judges.folds[real] == fold, self.judges.folds[synthetic] == fold) for fold in folds]

    def _values(self, needs: str, features: str, side: Side) -> Tensor:
        images = self.sides.train.images if side == "real" else self.sides.synthetic
        if needs == "pixels":
            return to_float(images)
        if features == CLASSIFIER:
            view = self.judges.features if needs == "features" else self.judges.probabilities
            return view(images, self.stems(side))
        views = self._extractors[features].views(images)
        if needs == "features":
            return views.features
        if views.probabilities is None:
            raise UsageError(f"{features} gives no class probabilities; use classifier or inception")
        return views.probabilities
