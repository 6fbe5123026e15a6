"""The real and the synthetic images as each metric needs them: pixels, features or probabilities, computed once."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from genaug.chance import derive
from genaug.data import duplicates
from genaug.errors import UsageError
from genaug.evaluation.baselines import Space
from genaug.evaluation.inputs import EvaluationInputs
from genaug.features import CrossFit, Extractor, cross_fit, near_groups
from genaug.images import to_float
from genaug.metric import Measured, Metric

CLASSIFIER = "classifier"
ImageSet = Literal["real", "synthetic"]
"""Which images of a comparison: the training images, or the synthetic ones."""


def fresh_judges(inputs: EvaluationInputs, seed: int, folder: Path | None = None) -> CrossFit:
    """Cross-fitted classifiers for an evaluation, not those of the run: those chose its images and would favour them.

    folder: where finished classifiers are kept and found again.
    """
    return cross_fit(inputs.train, seed=derive(seed, "evaluation"), folder=folder)


class MetricInputs:
    """What metrics compare, by kind and by name of the features; classifiers are trained when first needed."""

    def __init__(
        self,
        inputs: EvaluationInputs,
        extractors: Mapping[str, Extractor],
        *,
        seed: int,
        judges: CrossFit | None = None,
    ) -> None:
        self.inputs = inputs
        self.seed = seed
        self._extractors = extractors
        self._given = judges
        self._cached: dict[tuple[str, str, ImageSet], Tensor] = {}

    @cached_property
    def judges(self) -> CrossFit:
        """The cross-fitted classifiers."""
        return self._given or fresh_judges(self.inputs, self.seed)

    def feature_name(self, needs: str, features: str) -> str:
        """The name of the features in results; ends in the start of a hash if the weights are not the known ones."""
        if features not in self._extractors:
            return features
        extractor = self._extractors[features]
        return extractor.features_name if needs == "features" else extractor.name

    @cached_property
    def training_groups(self) -> Tensor:
        """The group of near-duplicates of each training image, int64 [N]."""
        return torch.from_numpy(near_groups(self.inputs.train))

    def duplicate_groups(self, images: ImageSet) -> Tensor:
        """The group of near-duplicates of each image's source, int64 [N]; images of one group are not independent."""
        return self.training_groups[self.sources(images)]

    def sources(self, images: ImageSet) -> Tensor:
        """The training row of each image's source image, int64 [N]; a training image is its own source."""
        return torch.arange(len(self.inputs.train)) if images == "real" else self.inputs.sources

    def values(self, needs: str, features: str, images: ImageSet) -> Measured:
        """Training or synthetic images; classifiers judge only images whose source was not in their training data."""
        key = (needs, features, images)
        if key not in self._cached:
            self._cached[key] = self._compute(*key)
        labels = torch.from_numpy(self.inputs.train.labels) if images == "real" else self.inputs.labels
        parents = self.inputs.parents
        groups = (
            self.training_groups[:, None]
            if images == "real"
            else torch.where(parents < 0, -1, self.training_groups[parents])
        )
        return Measured(self._cached[key], labels, groups)

    def held_out(self) -> Measured | None:
        """The test split as pixels, with groups of near-duplicates within it; None if there is no test split."""
        test = self.inputs.held_out
        if test is None:
            return None
        groups = torch.from_numpy(duplicates.near_groups(test.thumbnails))
        apart = groups[:, None] + len(self.inputs.train)  # numbers that no group of training images has
        return Measured(to_float(test.images), torch.from_numpy(test.labels), apart)

    def spaces(self, metric: Metric[Any], features: str) -> list[Space]:
        """Masks of the real and synthetic images whose values can be compared with each other.

        Features of a classifier can be compared only within one cross-validation fold: one pair of masks for each fold.
        """
        real, synthetic = self.sources("real"), self.sources("synthetic")
        if metric.needs != "features" or features != CLASSIFIER:
            return [(torch.ones_like(real, dtype=torch.bool), torch.ones_like(synthetic, dtype=torch.bool))]
        folds = range(len(self.judges.classifiers))
        return [(self.judges.folds[real] == fold, self.judges.folds[synthetic] == fold) for fold in folds]

    def _compute(self, needs: str, features: str, image_set: ImageSet) -> Tensor:
        images = self.inputs.train.images if image_set == "real" else self.inputs.synthetic
        if needs == "pixels":
            return to_float(images)
        if features == CLASSIFIER:
            view = self.judges.features if needs == "features" else self.judges.probabilities
            return view(images, self.sources(image_set))
        views = self._extractors[features].views(images)
        if needs == "features":
            return views.features
        if views.probabilities is None:
            raise UsageError(f"{features} gives no class probabilities; use classifier or inception")
        return views.probabilities
