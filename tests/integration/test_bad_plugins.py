"""A broken plugin ends a run with exit code 5, its name and the line inside it; never with an empty success."""

import pytest

PLUGIN = """
import sys
import numpy as np
import torch
from genaug.config import AugmentationConfig, GeneratorConfig, Preset, TrainConfig
from genaug.generator import Drawn, Generator
from genaug.hookspecs import GeneratorDescription, hookimpl
{on_import}


class Broken(Generator[GeneratorConfig]):
    def build(self):
        {build}
        return {{"net": torch.nn.Linear(1, 1)}}

    def losses(self, batch):
        {losses}
        yield "net", self.networks["net"](torch.ones(1, 1)).mean()

    def sample(self, labels, noise):
        images = torch.zeros(len(labels), self.spec.channels, self.spec.height, self.spec.width)
        parents = torch.full((len(labels), 1), -1)
        {sample}
        return Drawn(images, parents)


def auto(spec, device):
    return {preset}


@hookimpl
def genaug_generators():
    {hook}
    return [GeneratorDescription(name={name!r}, summary="Broken", rank=950, config=GeneratorConfig,
                                 presets={{"auto": auto}}, factory="broken_plugin:Broken", conditioning="class", api=1)]
"""
SOUND = {
    "on_import": "",
    "build": "pass",
    "losses": "pass",
    "sample": "pass",
    "hook": "pass",
    "name": "broken",
    "preset": "Preset(model=GeneratorConfig(), train=TrainConfig(steps=2), augmentation=AugmentationConfig())",
}


def run(genaug, install, plain, tmp_path, **changes):
    install("broken-plugin", PLUGIN.format(**SOUND | changes))
    options = ("--per-class", 1, "--select", "none", "--no-check", "--workers", 1)
    return genaug("run", plain, "-g", "broken", *options, "-o", tmp_path / "out")


def test_the_planted_plugin_is_sound_without_its_fault(genaug, install, plain, tmp_path):
    assert run(genaug, install, plain, tmp_path).code == 0


@pytest.mark.parametrize("place", ["build", "losses", "sample"])
@pytest.mark.parametrize(
    "fault",
    [
        "sys.exit(0)",
        "sys.exit()",
        "raise BaseException('bare')",
        "torch.zeros(2) @ torch.zeros(3)",
        "np.zeros(2)[:, 1]",
    ],
)
def test_a_plugin_that_exits_or_fails_is_named_with_its_line(genaug, install, plain, tmp_path, place, fault):
    found = run(genaug, install, plain, tmp_path, **{place: fault})
    said = " ".join(found.err.split())
    assert found.code == 5, said
    lines = PLUGIN.format(**SOUND | {place: fault}).splitlines()
    (number,) = [number for number, line in enumerate(lines, start=1) if fault in line]
    assert f"broken_plugin.py:{number})" in said.replace(" ", "")
    assert "the generator 'broken' fails" in said
    assert not (tmp_path / "out/train").exists()


@pytest.mark.parametrize("place", ["build", "losses"])
def test_a_plugin_that_fails_in_a_plan_is_named_with_its_line(genaug, install, plain, place):
    install("broken-plugin", PLUGIN.format(**SOUND | {place: "sys.exit(0)"}))
    found = genaug("plan", plain, "-g", "broken")
    assert found.code == 5
    assert "the generator 'broken' fails: SystemExit: 0 (broken_plugin.py:" in " ".join(found.err.split())


def test_ctrl_c_inside_a_plugin_stays_an_interrupt(genaug, install, plain, tmp_path):
    assert run(genaug, install, plain, tmp_path, losses="raise KeyboardInterrupt").code == 130


TWO = """
import albumentations
from dataclasses import replace
from genaug.hookspecs import hookimpl
from genaug_vae.generator import VAE


class Derived(VAE):
    def losses(self, batch):
        albumentations.Compose(7)  # fails inside a library
        yield


@hookimpl
def genaug_generators():
    from genaug_vae import plugin
    return [replace(plugin.genaug_generators()[0], name="derived", factory="two_plugin:Derived")]
"""


def test_the_line_that_is_named_is_the_plugins_not_a_librarys(genaug, install, plain, tmp_path):
    install("two-plugin", TWO)
    options = ("--per-class", 1, "--select", "none", "--no-check", "--workers", 1, "-o", tmp_path / "out")
    found = genaug("run", plain, "-g", "derived", *options)
    assert found.code == 5
    assert "(two_plugin.py:10)" in " ".join(found.err.split()), found.err


def traced(genaug, monkeypatch, *arguments):
    monkeypatch.setenv("GENAUG_TRACEBACK", "1")
    found = genaug(*arguments)
    return found.code, " ".join(found.err.split())


@pytest.mark.parametrize("workers", [1, 2])
def test_the_whole_traceback_is_shown_when_it_is_wanted(genaug, install, plain, tmp_path, monkeypatch, workers):
    install("broken-plugin", PLUGIN.format(**SOUND | {"losses": "torch.zeros(2) @ torch.zeros(3)"}))
    options = ("-g", "broken", "--per-class", 1, "--select", "none", "--workers", workers, "-o", tmp_path / "out")
    code, said = traced(genaug, monkeypatch, "run", plain, *options)
    assert code == 5
    assert "Traceback (most recent call last)" in said
    assert "torch.zeros(2) @ torch.zeros(3)" in said
    code, said = traced(genaug, monkeypatch, "run", plain, "-g", "brokn", "-o", tmp_path / "out")
    assert (code, "Traceback" in said) == (2, True)


def test_the_traceback_of_an_import_is_shown_when_it_is_wanted(genaug, install, plain, monkeypatch, caplog):
    install("broken-plugin", PLUGIN.format(**SOUND | {"on_import": "import not_there"}))
    assert genaug("plugins").code == 0
    assert not caplog.text
    assert traced(genaug, monkeypatch, "plugins")[0] == 0
    code, said = traced(genaug, monkeypatch, "plan", plain, "-g", "broken-plugin")
    assert code == 5
    for text in (caplog.text, said):
        assert "import not_there" in text
        assert "Traceback" in text


@pytest.mark.parametrize(
    ("changes", "name", "code"),
    [
        ({"on_import": "import not_there"}, "broken-plugin", 5),
        ({"on_import": "import not_there"}, "broken_plugin", 5),
        ({"on_import": "import not_there"}, "broken", 2),  # the name is in code that was not loaded
        ({"name": "../evil"}, "../evil", 5),
    ],
)
def test_the_name_of_a_plugin_that_could_not_be_loaded_says_why(genaug, install, plain, changes, name, code):
    install("broken-plugin", PLUGIN.format(**SOUND | changes))
    found = genaug("plan", plain, "-g", name)
    said = " ".join(found.err.split())
    assert found.code == code
    assert "broken-plugin cannot be used" in said
    assert "not_there' (broken_plugin.py:8)" in said or "must consist of letters" in said


@pytest.mark.parametrize(
    "sample",
    [
        "images = images + 1.5",
        "images = images.bool()",
        "images = images.int()",
        "images = images.cfloat()",
        "images = images / 0",
        "images = images[:, :, 1:]",
        "parents = parents + 1000",
        "parents = parents - 1",
        "parents = parents.float()",
    ],
)
def test_a_plugin_that_draws_something_else_than_images_is_refused(genaug, install, plain, tmp_path, sample):
    found = run(genaug, install, plain, tmp_path, sample=sample)
    assert found.code == 5, found.err
    assert "broken" in found.err.lower()
    assert "Traceback" not in found.err


def test_a_preset_that_is_none_is_refused(genaug, install, plain, tmp_path):
    found = run(genaug, install, plain, tmp_path, preset="None")
    assert found.code == 5
    assert "a preset of 'broken' must return a Preset, got None" in found.err


@pytest.mark.parametrize(
    "changes",
    [{"on_import": "sys.exit(0)"}, {"on_import": "raise GeneratorExit"}, {"hook": "sys.exit()"}, {"name": "../evil"}],
)
def test_a_plugin_that_cannot_be_loaded_is_listed_and_harms_no_other(genaug, install, plain, tmp_path, changes):
    install("broken-plugin", PLUGIN.format(**SOUND | changes))
    assert genaug("run", plain, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out").code == 0
    found = genaug("plugins")
    assert "broken-plugin" in found.out + found.err
    assert genaug("plan", plain, "-g", "broken").code == 2


JUDGES = """
import sys
from genaug.config import MetricConfig, SelectorConfig
from genaug.hookspecs import MetricDescription, SelectorDescription, hookimpl
from genaug.metric import Metric
from genaug.selector import Selector


class Odd(Metric[MetricConfig]):
    needs = "pixels"
    higher_is_better = True

    def compute(self, real, synthetic):
        {body}


class OddSelector(Selector[SelectorConfig]):
    def fit(self, train, tools):
        pass

    def judge(self, candidates, accepted, wanted):
        {body}


@hookimpl
def genaug_metrics():
    return [MetricDescription(name="odd", summary="Odd", config=MetricConfig, factory="odd_plugin:Odd", api=1)]


@hookimpl
def genaug_selectors():
    return [SelectorDescription(name="odds", summary="Odd", config=SelectorConfig, factory="odd_plugin:OddSelector",
                                api=1)]
"""


@pytest.mark.parametrize("body", ["sys.exit(0)", "return None", "raise StopIteration", "raise GeneratorExit"])
def test_a_metric_or_selector_that_exits_or_fails_is_named(genaug, install, plain, tmp_path, body):
    install("odd-plugin", JUDGES.format(body=body))
    run = ("run", plain, "-g", "cdcgan", "--preset", "small", "-s", "steps=2", "-s", "width=4", "--no-check")
    for command, name in (
        ((*run, "--per-class", 1, "--select", "odds", "-o", tmp_path / "out"), "the selector 'odds'"),
        (("evaluate", plain, plain, "--metrics", "odd"), "the metric Odd"),
    ):
        found = genaug(*command)
        assert (found.code, name in " ".join(found.err.split())) == (5, True), found.err


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("'no', 0.5, ''", "must give keep as True or False, got 'no'"),
        ("None, 0.5, ''", "must give keep as True or False, got None"),
        ("True, float('nan'), ''", "must give finite scores, got nan"),
        ("False, float('-inf'), ''", "must give finite scores, got -inf"),
    ],
)
def test_a_verdict_that_is_none_is_refused(genaug, install, plain, tmp_path, verdict, words):
    body = f"from genaug.selector import Verdict; return [Verdict({verdict})] * len(candidates.images)"
    install("odd-plugin", JUDGES.format(body=body))
    options = ("--preset", "small", "-s", "steps=2", "-s", "width=4", "--no-check", "--per-class", 1)
    found = genaug("run", plain, "-g", "cdcgan", *options, "--select", "odds", "-o", tmp_path / "out")
    assert (found.code, words in " ".join(found.err.split())) == (5, True), found.err


def test_a_name_that_is_no_text_is_listed_and_harms_no_other(genaug, install):
    install("odd-plugin", JUDGES.format(body="pass").replace('name="odd"', "name=5"))
    found = genaug("plugins")
    assert (found.code, "the name 5 must consist of letters" in " ".join((found.out + found.err).split())) == (0, True)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("config=MetricConfig", "config=int", "the config of 'odd' must be a subclass of MetricConfig"),
        ('"odd_plugin:Odd"', "None", "the factory of 'odd' must be text, got None"),
    ],
)
def test_a_description_of_wrong_types_is_listed(genaug, install, before, after, words):
    install("odd-plugin", JUDGES.format(body="pass").replace(before, after))
    found = genaug("plugins")
    assert (found.code, words in " ".join((found.out + found.err).split())) == (0, True), found.out + found.err


@pytest.mark.parametrize("place", ["odd_plugin:OddSelector", "os:getcwd"])
def test_a_factory_of_another_kind_is_named(genaug, install, plain, place):
    install("odd-plugin", JUDGES.format(body="pass").replace('odd_plugin:Odd"', f'{place}"'))
    found = genaug("evaluate", plain, plain, "--metrics", "odd")
    assert (found.code, "a subclass of genaug.metric.Metric" in " ".join(found.err.split())) == (5, True), found.err


def test_a_metric_or_selector_that_cannot_be_created_is_named(genaug, install, plain, tmp_path):
    constructor = "    def __init__(self, config):\n        raise OSError('no luck')\n\n    def "
    source = JUDGES.format(body="pass").replace("    def compute", f"{constructor}compute")
    install("odd-plugin", source.replace("    def fit", f"{constructor}fit"))
    run = ("run", plain, "-g", "cdcgan", "--preset", "small", "-s", "steps=2", "-s", "width=4", "--no-check")
    for command in (
        (*run, "--per-class", 1, "--select", "odds", "-o", tmp_path / "out"),
        ("evaluate", plain, plain, "--metrics", "odd"),
    ):
        found = genaug(*command)
        assert (found.code, "OSError: no luck" in " ".join(found.err.split())) == (5, True), found.err
