"""Outside plugins: built as wheels and installed into a scratch environment, then used without changing genaug."""

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.commands import command
from tests.environments import call, install, new_environment
from tests.folders import fill

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT / "examples/third_party" / name for name in ("genaug-flow", "genaug-gmmn", "genaug-sharpness")]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a scratch environment with all packages of this one and the wheels of the outside plugins."""
    home = tmp_path_factory.mktemp("scratch")
    for package in PACKAGES:
        call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", home / "dist", package)
    interpreter = new_environment(home / "env")
    install(interpreter, *(home / "dist").glob("*.whl"))
    return interpreter


def genaug(python: Path, *arguments: object) -> str:
    return call(python, *command(*arguments)[1:])


@pytest.fixture(scope="module")
def run(python: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Data and the output of a short run that fills dog up to the five images of cat with both plugins."""
    folder = tmp_path_factory.mktemp("run")
    data, out = fill(folder / "data", {"cat": 5, "dog": 2}), folder / "out"
    settings = ("--preset", "small", "-s", "steps=5", "-s", "width=4", "--no-check")
    genaug(python, "run", data, "-g", "gmmn", *settings, "--select", "sharpness", "--balance", "max", "-o", out)
    return data, out


def test_they_are_not_installed_where_the_tests_run():
    assert not {"flow", "gmmn", "sharpness"} & {entry.name for entry in entry_points(group="genaug")}


def test_they_are_listed_with_their_settings(python):
    listed = genaug(python, "plugins")
    assert all(name in listed for name in ("flow", "gmmn", "genaug-gmmn", "genaug-sharpness", "oversample"))
    assert "model.latent" in genaug(python, "plugins", "show", "gmmn")
    shown = genaug(python, "plugins", "show", "sharpness")
    assert "central" in shown, "the metric's setting"
    assert "lost" in shown, "the selector's setting"


def test_the_generator_fills_the_smaller_class(run):
    assert not list((run[1] / "train/cat").glob("gmmn-*"))
    names = [f"gmmn-{number:06d}.png" for number in range(3)]
    assert sorted(path.name for path in (run[1] / "train/dog").glob("gmmn-*")) == names


def test_the_flow_draws_the_classes_that_are_requested(python, tmp_path):
    data, out = fill(tmp_path / "data", {"cat": 3, "dog": 3}), tmp_path / "out"
    settings = ("--preset", "small", "-s", "steps=2", "-s", "width=8", "-s", "sampling_steps=4", "--no-check")
    genaug(python, "run", data, "-g", "flow", *settings, "--select", "none", "--per-class", 2, "-o", out)
    assert [len(list((out / "train" / name).glob("flow-*"))) for name in ("cat", "dog")] == [2, 2]


def test_the_selector_judges_each_synthetic_image(run):
    lines = map(json.loads, (run[1] / "provenance.jsonl").read_text("utf-8").splitlines())
    scores = [line["scores"] for line in lines if line["synthetic"]]
    assert len(scores) == 3
    assert all(0 < one["sharpness"] <= 1 for one in scores)


def test_the_metric_is_shown_with_the_value_of_real_images(python, run):
    (row,) = json.loads(genaug(python, "evaluate", *run, "--metrics", "sharpness", "--json"))
    assert (row["name"], row["images"], row["real_images"]) == ("sharpness", 3, 7)
    assert 0 <= row["value"] <= 1
    assert 0 < row["real"] <= 1


def test_their_own_tests_pass_where_they_are_installed(python):
    tests = [package / "tests" for package in PACKAGES]
    assert " passed" in call(python, "-m", "pytest", "-q", "-c", ROOT / "pyproject.toml", "--rootdir", ROOT, *tests)
