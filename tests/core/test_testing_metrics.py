"""The kit of metrics catches faulty ones: each fault fails the check that is meant for it."""

import pytest
import torch
from genaug.config import MetricConfig
from genaug.hookspecs import MetricDescription
from genaug.metric import KernelMetric, Kernels, Metric, ShareMetric
from genaug.testing import MetricContract

from tests.kits import run_all, tried


class Distance(Metric[MetricConfig]):
    """A sound metric: the distance between mean features."""

    needs = "features"
    higher_is_better = False

    def compute(self, real, synthetic):
        return {"distance": float((real.values.mean(0) - synthetic.values.mean(0)).norm())}


class Near(ShareMetric[MetricConfig]):
    """A sound share: images nearer to a real one than real ones are to their furthest other one."""

    needs = "features"
    higher_is_better = True

    def each(self, real, synthetic):
        limit = torch.cdist(real.values, real.values).max() / 2
        return {"near": torch.cdist(synthetic.values, real.values).min(dim=1).values < limit}


class Linear(KernelMetric[MetricConfig]):
    """A sound kernel distance."""

    needs = "features"

    def kernels(self, real, synthetic):
        one, two = real.values.double(), synthetic.values.double()
        return {"linear": Kernels(one @ one.T, one @ two.T, two @ two.T)}


class Held(Near):
    """A sound share of real images: those that have a synthetic one nearby."""

    reference = "held-out"

    def each(self, real, synthetic):
        return super().each(synthetic, real)


class Empty(Distance):
    def compute(self, real, synthetic):
        return {}


class Infinite(Distance):
    def compute(self, real, synthetic):
        return {"distance": float("inf")}


class TooShort(Near):
    def each(self, real, synthetic):
        return {name: verdicts[1:] for name, verdicts in super().each(real, synthetic).items()}


class CountsTheOthers(Near):
    def each(self, real, synthetic):
        return super().each(synthetic, real)


class SharesOfNumbers(Near):
    def each(self, real, synthetic):
        return {name: verdicts.double() for name, verdicts in super().each(real, synthetic).items()}


class HalfAKernel(Linear):
    def kernels(self, real, synthetic):
        return {
            name: Kernels(one.real, one.across, one.across) for name, one in super().kernels(real, synthetic).items()
        }


class Turned(Distance):
    higher_is_better = True


class Blind(Distance):
    def compute(self, real, synthetic):
        return {"distance": 1.0}


class Drifting(Distance):
    calls = 0

    def compute(self, real, synthetic):
        self.calls += 1
        return {"distance": float(self.calls)}


class Random(Distance):
    def compute(self, real, synthetic):
        return {"distance": super().compute(real, synthetic)["distance"] + float(torch.rand(1))}


class Quiet(Distance):
    def compute(self, real, synthetic):
        torch.rand(1)
        return super().compute(real, synthetic)


class CentresReal(Distance):
    def compute(self, real, synthetic):
        found = super().compute(real, synthetic)
        real.values.sub_(real.values.mean(0))
        return found


class CentresSynthetic(Distance):
    def compute(self, real, synthetic):
        found = super().compute(real, synthetic)
        synthetic.values.sub_(synthetic.values.mean(0))
        return found


class FirstHalf(Distance):
    def compute(self, real, synthetic):
        return super().compute(real, synthetic.rows(torch.arange(len(synthetic) // 2)))


class BesideOthers(Near):
    def each(self, real, synthetic):
        spread = torch.cdist(synthetic.values, synthetic.values).fill_diagonal_(float("inf")).min(dim=1).values
        near = torch.cdist(synthetic.values, real.values).min(dim=1).values
        return {"near": (near < 8) & (spread > spread.median())}


FAULTS = [
    (Empty, "test_values_are_finite_and_named", "returned no values"),
    (Infinite, "test_values_are_finite_and_named", "inf"),
    (TooShort, "test_each_counted_image_gets_one_verdict", r"must have the shape \[30\], got \[29\]"),
    (CountsTheOthers, "test_each_counted_image_gets_one_verdict", r"must have the shape \[30\], got \[42\]"),
    (SharesOfNumbers, "test_each_counted_image_gets_one_verdict", "must be bool, got torch.float64"),
    (HalfAKernel, "test_each_counted_image_gets_one_verdict", r"\[30, 30\]\], got .* \[42, 30\]\]"),
    (Drifting, "test_computing_is_pure", "and then"),
    (Random, "test_computing_is_pure", "global random generator"),
    (Quiet, "test_computing_is_pure", "global random generator"),
    (CentresReal, "test_the_input_stays_as_it_is", "changed the real images"),
    (CentresSynthetic, "test_the_input_stays_as_it_is", "changed the synthetic images"),
    (FirstHalf, "test_the_order_of_images_decides_nothing", "in reversed order"),
    (BesideOthers, "test_a_verdict_on_a_synthetic_image_depends_on_no_other_one", "change with the other"),
    (Turned, "test_worse_images_get_a_worse_value", "higher_is_better is True"),
    (Blind, "test_worse_images_get_a_worse_value", "higher_is_better is False"),
]


def contract_for(factory: type) -> MetricContract:
    return tried(MetricContract, MetricDescription("tried", "", MetricConfig, f"{__name__}:{factory.__name__}", api=1))


@pytest.mark.parametrize("sound", [Distance, Near, Linear, Held])
def test_a_sound_metric_keeps_every_promise(sound):
    assert run_all(contract_for(sound)) == 7


@pytest.mark.parametrize(("fault", "promise", "words"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS])
def test_a_planted_fault_is_caught(fault, promise, words):
    with pytest.raises(AssertionError, match=words):
        getattr(contract_for(fault), promise)()


def test_each_promise_is_broken_by_a_planted_fault():
    assert {promise for _, promise, _ in FAULTS} == {name for name in dir(MetricContract) if name.startswith("test_")}
