"""A generator works at the sizes that its description allows, and at its native one whatever size a run has."""

import json

import numpy as np
import pytest
import torch
from genaug.fitting.sizes import brought_to, resized
from genaug.spec import ImageSpec
from genaug.testing.material import tiny_split
from PIL import Image
from torch.nn import functional as F

PLUGIN = """
import torch
from genaug.config import GeneratorConfig, Preset, TrainConfig
from genaug.generator import Drawn, Generator
from genaug.hookspecs import GeneratorDescription, Needs, hookimpl


class Sized(Generator[GeneratorConfig]):
    averaged = frozenset({"net"})

    def build(self):
        assert (self.spec.height, self.spec.width) == EXPECTED
        return {"net": torch.nn.Conv2d(3, 3, 1)}

    def losses(self, batch):
        assert batch.images.shape[2:] == EXPECTED
        yield "net", (self.networks["net"](batch.images) - batch.images).square().mean()

    def remember(self, known):
        assert known.images.shape[2:] == EXPECTED
        return {"images": known.images, "labels": known.labels, "rows": known.rows}

    def sample(self, labels, noise):
        rows = [int((self.memory["labels"] == label).nonzero()[0]) for label in labels]
        images = self.memory["images"][rows] + 0.1 * noise.normal(3, *EXPECTED)
        return Drawn(images.clamp(-1, 1), self.memory["rows"][rows].unsqueeze(1))


def auto(spec, device):
    assert (spec.height, spec.width) == EXPECTED
    return Preset(model=GeneratorConfig(), train=TrainConfig(steps=4, stop_at_copies=0.9, average_decay=0.9))


@hookimpl
def genaug_generators():
    return [GeneratorDescription(name="sized", summary="", rank=950, config=GeneratorConfig, presets={"auto": auto},
                                 factory="sized_plugin:Sized", conditioning="class", api=1, needs=Needs(NEEDS))]
"""


def put(install, needs: str, expected: tuple[int, int]) -> None:
    install("sized-plugin", PLUGIN.replace("NEEDS", needs).replace("EXPECTED", str(expected)))


def image_size(path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


OPTIONS = ("-g", "sized", "--per-class", 2, "--select", "none", "--no-check", "--workers", 1)


@pytest.mark.parametrize("native", [(48, 32), (16, 24)])
def test_a_generator_with_a_native_size_sees_it_alone_and_draws_at_the_size_of_the_run(
    genaug, install, plain, tmp_path, native
):
    put(install, f"native={native}", native)
    assert genaug("plan", plain, *OPTIONS[:2]).code == 0
    run = genaug("run", plain, *OPTIONS, "--size", "24x32", "-o", tmp_path / "out")
    assert run.code == 0, run.err
    record = json.loads((tmp_path / "out/run.json").read_text("utf-8"))
    assert (record["spec"]["height"], record["spec"]["width"]) == (24, 32)
    images = sorted((tmp_path / "out/train").glob("*/sized-*.png"))
    assert len(images) == 6
    assert {image_size(path) for path in images} == {(20, 15)}, "the width of the real images, the shape of the run's"
    assert genaug("verify", tmp_path / "out").code == 0
    assert genaug("replay", images[0]).code == 0
    assert genaug("sample", tmp_path / "out/models/sized", "-n", 1, "-o", tmp_path / "more").code == 0


def test_a_budget_measures_at_the_native_size(genaug, install, plain):
    put(install, "native=(48, 32)", (48, 32))
    assert genaug("plan", plain, *OPTIONS[:2], "--budget", "10m").code == 0


@pytest.mark.parametrize(
    ("needs", "size", "words"),
    [
        ("square=True", "24x32", "square images whose height and width are multiples of 8 in [16, 256], got 24x32"),
        ("square=True", "24x32", "give --size 24x24"),
        ("sizes=(64, 512)", "32", "multiples of 8 in [64, 512], got 32x32; give --size 64x64"),
        ("multiple=32, sizes=(32, 1024)", "1000x40", "got 1000x40; give --size 992x32"),
        ("", "512", "multiples of 8 in [16, 256], got 512x512; give --size 256x256"),
    ],
)
def test_a_size_that_a_generator_does_not_work_at_is_refused_in_one_sentence(
    genaug, install, plain, needs, size, words
):
    put(install, needs, (0, 0))
    found = genaug("plan", plain, "-g", "sized", "--size", size)
    assert found.code == 2
    assert words in " ".join(found.err.split())


def test_a_generator_may_work_at_sizes_up_to_1024(genaug, install, plain, tmp_path):
    put(install, "sizes=(16, 1024), multiple=256", (1024, 256))
    run = genaug("run", plain, *OPTIONS, "--size", "1024x256", "-o", tmp_path / "out")
    assert run.code == 0, run.err


def test_images_that_are_brought_to_a_size_and_back_stay_what_they_show():
    split = tiny_split(3, 32, 48)
    large = ImageSpec(3, 64, 96, split.spec.classes, split.spec.counts)
    grown = resized(split, large)
    assert grown.images.shape == (len(split), 64, 96, 3)
    assert grown.spec == large
    assert resized(split, split.spec) is split
    values = torch.from_numpy(grown.images).permute(0, 3, 1, 2).float() / 127.5 - 1
    back = brought_to(values, split.spec)
    truth = torch.from_numpy(split.images).permute(0, 3, 1, 2).float() / 127.5 - 1
    assert back.shape == truth.shape
    assert float((F.avg_pool2d(back, 4) - F.avg_pool2d(truth, 4)).abs().mean()) < 0.02
    assert np.abs(back.numpy()).max() <= 1
