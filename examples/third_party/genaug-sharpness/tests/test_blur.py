"""Blurred images are found, by the measure, the metric and the selector."""

import torch
from genaug.data.split import TrainSplit
from genaug.images import to_uint8
from genaug.metric import Measured
from genaug.selector import Candidates
from genaug.spec import ImageSpec
from genaug_sharpness.blur import blurs
from genaug_sharpness.metric import Sharpness
from genaug_sharpness.plugin import SharpnessMetricConfig, SharpnessSelectorConfig
from genaug_sharpness.selector import SharpnessSelector
from torch.nn.functional import avg_pool2d

COUNT = 40
SHARP = torch.rand((COUNT, 3, 24, 24), generator=torch.Generator().manual_seed(0)) * 2 - 1
SOFT = avg_pool2d(SHARP, 5, stride=1, padding=2)
LABELS = torch.zeros(COUNT, dtype=torch.int64)


def share(images, central=0.95):
    metric = Sharpness(SharpnessMetricConfig(central=central))
    return metric.compute(Measured(SHARP, LABELS), Measured(images, LABELS))["sharpness"]


def verdicts(images):
    names = [f"{row:02d}" for row in range(COUNT)]
    spec = ImageSpec(3, 24, 24, ("one",), (COUNT,))
    selector = SharpnessSelector(SharpnessSelectorConfig())
    selector.fit(TrainSplit.ordered(spec, to_uint8(SHARP), LABELS.numpy(), names, names), None)
    parents = torch.empty((COUNT, 0), dtype=torch.int64)
    return selector.judge(Candidates(images, 0, parents, torch.arange(COUNT)), images[:0], COUNT)


def test_blur_rises_when_an_image_is_smoothed():
    assert (blurs(SOFT) > blurs(SHARP) + 0.05).all()


def test_images_without_edges_are_fully_blurred():
    flat, stripes = torch.zeros(1, 3, 24, 24), torch.linspace(-1, 1, 24).expand(1, 3, 24, 24)
    assert blurs(torch.cat([flat, stripes])).tolist() == [1.0, 1.0]


def test_the_metric_counts_images_within_the_range_of_the_real_ones():
    assert share(SHARP, central=1.0) == 1.0
    assert share(SHARP) == 1 - 2 / COUNT
    assert share(SOFT) == 0.0


def test_the_selector_keeps_sharp_candidates_and_says_why_it_rejects_the_others():
    assert sum(verdict.keep for verdict in verdicts(SHARP)) == COUNT - 1
    soft = verdicts(SOFT)
    assert not any(verdict.keep for verdict in soft)
    assert {verdict.reason for verdict in soft} == {"blurrier than 100% of the training images"}
