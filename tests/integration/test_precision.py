"""Every installed generator has about the same losses in every precision of the hardware, each in its own process."""

import json
import subprocess
import sys

import pytest
import torch
from genaug.registry import load_registry

SCRIPT = """
import json, sys
from genaug.config import TrainConfig
from genaug.registry import load_registry, make_generator
from genaug.testing.material import tiny_split
from genaug.training import train

precision, device = sys.argv[1:]
found = {}
registry = load_registry()
for name in registry.generators.names():
    description = registry.generators.get(name)
    split = tiny_split(3, 16, 16)
    split = split if description.conditioning == "class" else split.of_class(0)
    make = description.presets.get("small", description.presets["auto"])
    generator = make_generator(description, split.spec, make(split.spec, device).model)
    train(generator, split, TrainConfig(steps=4, batch_size=4), seed=0, device=device, precision=precision,
          report=lambda progress: found.setdefault(name, []).append(progress.losses))
print(json.dumps(found))
"""


def losses(precision, device="cpu"):
    start = [sys.executable, "-c", SCRIPT, precision, device]
    done = subprocess.run(start, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def single():
    return losses("no")


def test_bf16_trains_as_single_precision_does(single):
    half = losses("bf16")
    trained = [name for name in load_registry().generators.names() if name not in ("classical", "oversample")]
    assert set(half) == set(single) >= set(trained)
    assert_close(half, single)


PLUGIN = """
import torch
from genaug.config import GeneratorConfig, Preset, TrainConfig
from genaug.generator import Drawn, Generator
from genaug.hookspecs import GeneratorDescription, Needs, hookimpl


class Single(Generator[GeneratorConfig]):
    def build(self):
        return {"net": torch.nn.Linear(1, 1)}

    def losses(self, batch):
        values = self.networks["net"](torch.ones(1, 1))
        yield "net", (values + torch.ones(1, 1) @ torch.ones(1, 1)).float().mean()

    def sample(self, labels, noise):
        return Drawn.without_parents(noise.uniform(self.spec.channels, self.spec.height, self.spec.width))


@hookimpl
def genaug_generators():
    auto = lambda spec, device: Preset(model=GeneratorConfig(), train=TrainConfig(steps=2))
    return [GeneratorDescription(name="single", summary="Needs single precision", rank=950, config=GeneratorConfig,
                                 presets={"auto": auto}, factory="single_plugin:Single", conditioning="class", api=1,
                                 needs=Needs(precisions=PRECISIONS))]
"""


@pytest.mark.parametrize("precisions", ['("no",)', '("no", "fp16")'])
def test_core_trains_in_a_precision_that_the_plugin_supports_and_says_so(
    genaug, install, plain, tmp_path, monkeypatch, precisions
):
    install("single-plugin", PLUGIN.replace("PRECISIONS", precisions))
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": True})
    options = ("-g", "single", "--per-class", 1, "--select", "none", "--no-check", "--workers", 1)
    found = genaug("run", plain, *options, "-o", tmp_path / "out")
    assert found.code == 0, found.err
    assert "single trains with precision no, since its plugin does not support bf16" in found.err
    record = json.loads((tmp_path / "out/run.json").read_text("utf-8"))
    assert record["generators"][0]["precision"] == "no"


def test_a_precision_that_the_plugin_does_not_support_is_refused_in_one_sentence(genaug, install, plain):
    install("single-plugin", PLUGIN.replace("PRECISIONS", '("no", "fp16")'))
    found = genaug("plan", plain, "-g", "single", "-s", "precision=bf16")
    assert found.code == 2
    assert "single supports precision no or fp16, got bf16; give one of these, or auto" in found.err


def test_precisions_without_single_precision_are_refused(genaug, install):
    install("single-plugin", PLUGIN.replace("PRECISIONS", '("bf16",)'))
    assert "the precisions of 'single' must be 'no' and others" in genaug("plugins").err


def assert_close(half, single):
    """Every loss of every step, so that wrong gradients and wrong steps are seen as well."""
    for name, steps in half.items():
        for step, values in enumerate(steps):
            assert values == pytest.approx(single[name][step], rel=0.1, abs=0.1), f"{name}, step {step}"


CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


@pytest.fixture(scope="module")
def single_on_cuda():
    return losses("no", "cuda")


@CUDA
def test_cuda_trains_as_the_cpu_does(single, single_on_cuda):
    """By their first losses: a GPU draws other noise from the same seed."""
    for name, steps in single_on_cuda.items():
        assert steps[0] == pytest.approx(single[name][0], rel=0.2, abs=0.2), name


@CUDA
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_on_cuda_trains_as_single_precision_does(single_on_cuda, precision):
    assert_close(losses(precision, "cuda"), single_on_cuda)
