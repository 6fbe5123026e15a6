"""The metric: how many synthetic images are as sharp as real ones."""

import torch
from genaug.metric import Measured, ShareMetric
from torch import Tensor

from genaug_sharpness.blur import blurs
from genaug_sharpness.plugin import SharpnessMetricConfig


class Sharpness(ShareMetric[SharpnessMetricConfig]):
    """Share of synthetic images whose blur lies within the usual range of the real images."""

    needs = "pixels"
    higher_is_better = True

    def each(self, real: Measured, synthetic: Measured) -> dict[str, Tensor]:
        """Whether each synthetic image lies within the range, bool [N]."""
        outside = (1 - self.config.central) / 2
        low, high = blurs(real.values).quantile(torch.tensor([outside, 1 - outside], dtype=torch.float64))
        values = blurs(synthetic.values)
        return {"sharpness": (low <= values) & (values <= high)}
