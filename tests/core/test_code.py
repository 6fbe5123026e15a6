"""The files of a plugin decide its models: an edited plugin trains again and says so."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from genaug.fitting import code_hash
from genaug.output.run_file import read_run
from genaug.registry import Source, load_registry
from genaug.run.config import RunConfig
from genaug.studies.question import _versions
from PIL import Image

PLUGIN = """
import torch
from genaug.config import GeneratorConfig, Preset, TrainConfig
from genaug.generator import Drawn, Generator
from genaug.hookspecs import GeneratorDescription, hookimpl

VALUE = 0.0


class Plain(Generator[GeneratorConfig]):
    def build(self):
        return {"net": torch.nn.Linear(1, 1)}

    def losses(self, batch):
        yield "net", self.networks["net"](torch.ones(1, 1)).mean()

    def sample(self, labels, noise):
        return Drawn.without_parents(torch.full((len(labels), 3, self.spec.height, self.spec.width), VALUE))


@hookimpl
def genaug_generators():
    auto = lambda spec, device: Preset(model=GeneratorConfig(), train=TrainConfig(steps=2))
    return [GeneratorDescription(name="even", summary="", rank=950, config=GeneratorConfig, presets={"auto": auto},
                                 factory="even_plugin:Plain", conditioning="class", api=1)]
"""


def edit(site: Path, monkeypatch, old: str, new: str) -> None:
    """Change a module as an editor does, and forget it as a new process would."""
    path = site / "even_plugin.py"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    os.utime(path, (1, 1))  # Python keeps compiled code by the second
    monkeypatch.delitem(sys.modules, "even_plugin", raising=False)


def drawn(out: Path) -> int:
    """The first pixel of the first generated image."""
    path = min((out / "train").glob("*/even-*.png"))
    return int(np.asarray(Image.open(path)).flat[0])


@pytest.mark.parametrize("workers", [1, 2])
def test_an_edited_plugin_trains_again_and_says_so(genaug, install, plain, tmp_path, monkeypatch, caplog, workers):
    install("even-plugin", PLUGIN)
    options = ("-g", "even", "--per-class", 1, "--select", "none", "--no-check", "--workers", workers)
    run = ("run", plain, *options, "-o", tmp_path / "out")
    assert genaug(*run).code == 0
    before, pixel = read_run(tmp_path / "out"), drawn(tmp_path / "out")
    assert genaug(*run).code == 0
    assert read_run(tmp_path / "out")["fits"] == before["fits"]
    assert not caplog.text
    edit(tmp_path / "site", monkeypatch, "VALUE = 0.0", "VALUE = 1.0")
    assert genaug(*run).code == 0
    after = read_run(tmp_path / "out")
    assert (pixel, drawn(tmp_path / "out")) == (128, 255)
    assert before["fits"][0]["key"] != after["fits"][0]["key"]
    assert before["code"]["even"] != after["code"]["even"]
    if workers == 1:  # another process writes to its own stderr
        assert "the files of even-plugin changed since even was trained; it is trained again" in caplog.text


def test_a_study_does_not_take_the_images_of_an_edited_plugin_for_those_before(install, tmp_path, monkeypatch):
    install("even-plugin", PLUGIN)
    config = RunConfig(generator="even", select=("novelty",), on_shortfall="leave")
    before = list(_versions(config, load_registry()))
    assert list(_versions(config, load_registry())) == before
    edit(tmp_path / "site", monkeypatch, "VALUE = 0.0", "VALUE = 1.0")
    after = list(_versions(config, load_registry()))
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True, True, True]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with code, data and compiled code, and a description of a generator in it."""
    home = tmp_path / "site" / "genaug_paths"
    for name in ("__init__.py", "generator.py", "weights/table.bin", "__pycache__/generator.cpython-311.pyc"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    described = load_registry().generators.get("oversample")
    return home, replace(described, name="paths", factory="genaug_paths.generator:Paths")


@pytest.mark.parametrize(
    ("name", "counts"),
    [("generator.py", True), ("weights/table.bin", True), ("new.py", True), ("__pycache__/new.pyc", False)],
)
def test_every_file_of_a_package_counts_but_compiled_code(package, name, counts):
    home, described = package
    source = Source("genaug-paths", "1.0", "paths")
    before = code_hash(described, source)
    assert code_hash(described, source) == before
    (home / name).write_bytes(b"x = 2\n")
    assert (code_hash(described, source) != before) == counts


def test_the_files_of_a_plugin_that_it_depends_on_count_too(package, tmp_path):
    described = package[1]
    for name, requirement in (("genaug-paths", "Requires-Dist: genaug_below>=1\n"), ("genaug-below", "")):
        facts = tmp_path / "site" / f"{name.replace('-', '_')}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requirement}", "utf-8")
        (facts / "entry_points.txt").write_text(f"[genaug]\n{name[7:]} = {name.replace('-', '_')}\n", "utf-8")
    below = tmp_path / "site" / "genaug_below.py"
    below.write_text("x = 1\n", "utf-8")
    source = Source("genaug-paths", "1.0", "paths")
    before = code_hash(described, source)
    below.write_text("x = 2\n", "utf-8")
    assert code_hash(described, source) != before


def test_generators_of_core_count_their_own_package_alone():
    registry = load_registry()
    found = {name: code_hash(registry.generators.get(name), registry.generators.source(name)) for name in CORE}
    assert len(set(found.values())) == 1


CORE = ("classical", "oversample")
