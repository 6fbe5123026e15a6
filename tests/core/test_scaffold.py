"""`genaug plugins new` refuses what it cannot do; `genaug plugins test` says which promises a plugin breaks."""

import json
import subprocess
import sys

import pytest
from genaug.errors import UsageError
from genaug.registry import load_registry
from genaug.scaffold import KINDS, write_package

PLUGIN = """
from genaug.config import MetricConfig
from genaug.hookspecs import MetricDescription, hookimpl


@hookimpl
def genaug_metrics():
    return [MetricDescription("{name}", "", MetricConfig, "{module}_code:{kind}", api=1)]
"""
CODE = """
from genaug.metric import Metric


class Turned(Metric):
    needs, higher_is_better = "features", True

    def compute(self, real, synthetic):
        return {"distance": float((real.values.mean(0) - synthetic.values.mean(0)).norm())}


class Failing(Turned):
    def compute(self, real, synthetic):
        raise RuntimeError("no such thing")
"""


@pytest.fixture
def metric(install, tmp_path):
    """Install a metric of this class of CODE under the name `scored`."""

    def put(kind: str) -> None:
        install("scored", PLUGIN.format(name="scored", module="scored", kind=kind))
        (tmp_path / "site/scored_code.py").write_text(CODE, "utf-8")
        sys.modules.pop("scored_code", None)

    return put


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("My-Model", "expected a name of at most 30 small letters, digits and single dashes"),
        ("my_model", "such as my-model; got 'my_model'"),
        ("my--model", "expected a name"),
        ("-my", "expected a name"),
        ("3d", "expected a name"),
        ("", "expected a name"),
        ("../up", "expected a name"),
        ("a" * 31, "expected a name"),
        ("genaug-mine", "leave out 'genaug-'"),
        ("classical", "a plugin called 'classical' is installed already"),
        ("novelty", "a plugin called 'novelty' is installed already"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(tmp_path, name, words):
    with pytest.raises(UsageError, match=words):
        write_package(name, "metric", load_registry(), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_name_of_a_broken_plugin_is_taken(install, tmp_path):
    install("spoilt", "raise RuntimeError")
    with pytest.raises(UsageError, match="'spoilt' is installed already"):
        write_package("spoilt", "metric", load_registry(), tmp_path / "new")


def test_the_name_of_an_installed_distribution_is_taken(install, tmp_path):
    install("genaug-odd", PLUGIN.format(name="scored", module="odd", kind="Turned"))
    assert load_registry().metrics.source("scored").distribution == "genaug-odd"
    with pytest.raises(UsageError, match="'odd' is installed already"):
        write_package("odd", "metric", load_registry(), tmp_path / "new")


def test_a_name_that_two_plugins_claim_is_taken(install, tmp_path):
    for name in ("one", "two"):
        install(name, PLUGIN.format(name="scored", module=name, kind="Turned"))
    with pytest.raises(UsageError, match="'scored' is installed already"):
        write_package("scored", "metric", load_registry(), tmp_path / "new")


def test_an_existing_folder_is_left_alone(genaug, tmp_path):
    (tmp_path / "new").mkdir()
    code, out, err = genaug("plugins", "new", "mine", "--kind", "metric", "-o", tmp_path / "new")
    assert (code, out) == (4, "")
    assert "exists already; move it away, or give another --out" in err
    assert not any((tmp_path / "new").iterdir())


def test_an_unknown_kind_is_refused(genaug):
    code, _, err = genaug("plugins", "new", "mine", "--kind", "metrics")
    assert code == 2
    assert "unknown kind 'metrics' (did you mean 'metric'?)" in err


@pytest.mark.parametrize("kind", KINDS)
def test_the_longest_name_gives_code_that_ruff_accepts(tmp_path, kind):
    folder = write_package("a" * 30, kind, load_registry(), tmp_path / "new")
    for check in (("check",), ("format", "--check")):
        done = subprocess.run([sys.executable, "-m", "ruff", *check, "."], cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode()


def test_a_broken_promise_is_named_and_ends_with_exit_code_5(metric, genaug):
    metric("Turned")
    code, out, err = genaug("plugins", "test", "scored")
    assert code == 5
    assert "the metric 'scored' breaks 1 of 7 promises" in err
    assert "6 of 7 promises kept" in out
    assert "  kept    computing is pure" in out
    assert "  BROKEN  worse images get a worse value: higher_is_better is True" in out


def test_code_that_fails_breaks_promises_with_its_line(metric, genaug):
    metric("Failing")
    code, out, _ = genaug("plugins", "test", "scored", "--json")
    assert code == 5
    faults = [one["fault"] for one in json.loads(out)["metric"]]
    assert any("RuntimeError: no such thing" in fault and "scored_code.py:14" in fault for fault in faults)


def test_a_metric_is_tested_with_the_harm_that_it_finds(genaug):
    assert genaug("plugins", "test", "novelty", "--kind", "metric").code == 5
    code, out, _ = genaug("plugins", "test", "novelty", "--kind", "metric", "--harm", "copies")
    assert code == 0
    assert out.endswith("7 of 7 promises kept\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing",), "unknown plugin 'nothing'"),
        (("novelty", "--kind", "generator"), "unknown generator 'novelty'"),
        (("novelty", "--harm", "rain"), "unknown harm 'rain'"),
        (("kid", "-s", "width=3"), "unknown key of the settings of kid 'width'"),
        (("oversample", "--preset", "paper"), "unknown preset of oversample 'paper'"),
    ],
)
def test_a_bad_request_is_refused(genaug, arguments, words):
    code, _, err = genaug("plugins", "test", *arguments)
    assert code == 2
    assert words in err
