"""genaug study: planted effects are found, absent effects are not, nothing leaks, and finished work is kept."""

import json
import re
import shutil
from pathlib import Path

import pytest
from genaug import augment
from PIL import Image

from tests.folders import fill

SPLITS = ("--folds", 2, "--repeats", 1, "--seeds", 1, "--steps", 20, "--select", "none", "--workers", 1)

FAILING_SEED = 2  # holds out, in the first fold, the scan with which the generator `fails` fails
MANUAL = Path(__file__).parents[2] / "docs/study.md"
PLANTED = (Path(__file__).parents[2] / "benchmarks/planted.py").read_text("utf-8")


SIGNER = """
import os
from genaug.hookspecs import GeneratorDescription, hookimpl
from planted import Perfect, auto
from genaug.config import GeneratorConfig


class Signer(Perfect):
    def build(self):
        with open({log!r}, "a") as log:
            log.write(str(os.getpid()) + " ")
        return super().build()


@hookimpl
def genaug_generators():
    return [GeneratorDescription(name="signer", summary="Notes its process", rank=990, config=GeneratorConfig,
                                 presets={{"auto": auto}}, factory="signer:Signer", conditioning="class", api=1)]
"""


@pytest.fixture
def digits(tmp_path, install):
    """Sixteen scans of five digits with heavy noise, too few to learn them; also installs the planted generators."""
    install("planted", PLANTED.replace("range(10)", "range(5)"))
    return write_scans(tmp_path / "digits")


@pytest.fixture
def all_digits(tmp_path, install):
    """The same with ten digits: fewer would not make the planted effects certain."""
    install("planted", PLANTED.replace("NOISE = 200.0", "NOISE = 150.0"))
    return write_scans(tmp_path / "digits")


def write_scans(data):
    from planted import DIGITS, scans

    for digit in DIGITS:
        folder = data / str(digit)
        folder.mkdir(parents=True)
        for number, scan in enumerate(scans(digit, held=True)):
            Image.fromarray(scan).save(folder / f"{number}.png")
    return data


def test_planted_effects_are_found_and_copies_have_none(all_digits, tmp_path, genaug):
    out = tmp_path / "out"
    run = ("study", all_digits, *SPLITS, "-o", out, "--per-class", 60, "--json")
    code, shown, err = genaug(*run, "-g", "perfect")
    assert code == 0, err
    perfect = json.loads(shown)
    assert perfect["headline"]["verdict"] == "helps", perfect["headline"]
    assert perfect["recommendation"]["synthetic"]
    assert perfect == json.loads((out / "study.json").read_text("utf-8"))

    shuffled = json.loads(genaug(*run, "-g", "shuffled").out)
    assert shuffled["headline"]["verdict"] == "harms", shuffled["headline"]
    assert not shuffled["recommendation"]["synthetic"]
    assert shuffled["recommendation"]["sentence"].startswith("Do not use synthetic images")

    equal = json.loads(
        genaug("study", all_digits, *SPLITS, "-o", out, "--per-class", 8, "--json", "-g", "oversample").out
    )
    assert equal["headline"]["verdict"] == "no evidence", equal["headline"]
    assert {arm["name"] for arm in equal["arms"] if arm["kind"] == "real"} == {
        "real",
        "real, balanced",
        "classical",
        "classical, balanced",
    }


def test_a_generator_cannot_reach_held_out_images(digits, tmp_path, genaug):
    quick = ("--folds", 2, "--repeats", 1, "--seeds", 1, "--steps", 2, "--select", "none", "--workers", 1)
    code, _, err = genaug("study", digits, *quick, "--per-class", 2, "-g", "spy", "-o", tmp_path / "out")
    assert code == 0, err


def test_every_split_has_a_process_of_its_own(digits, tmp_path, genaug, install):
    install("signer", SIGNER.format(log=str(tmp_path / "processes")))
    quick = ("--folds", 2, "--repeats", 1, "--seeds", 1, "--steps", 2, "--select", "none", "--workers", 1)
    code, _, err = genaug("study", digits, *quick, "--per-class", 2, "-g", "signer", "-o", tmp_path / "out")
    assert code == 0, err
    assert len(set((tmp_path / "processes").read_text("utf-8").split())) == 2


def test_finished_work_is_not_repeated_and_the_test_split_is_used_once(splits, tmp_path, genaug):
    out = tmp_path / "out"
    quick = ("-g", "oversample", "--folds", 2, "--seeds", 1, "--steps", 2, "-o", out, "--workers", 1)
    code, shown, err = genaug("study", splits, *quick, "--repeats", 1)
    assert code == 0, err
    assert "On the test split (6 images, used once)" in shown
    assert "recommendation: " in shown
    before = {path: path.stat().st_mtime_ns for path in (out / ".genaug").rglob("arm-*.json")}
    code, shown, err = genaug("study", splits, *quick, "--repeats", 1)
    assert code == 0, err
    assert "used once" in shown
    code, shown, _ = genaug("study", splits, *quick, "--repeats", 2, "--json")
    found = json.loads(shown)
    assert found["splits"]["done"] == 4
    assert found["certainty"].startswith("4 splits")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert genaug("report", out).code == 0


def test_a_changed_test_split_is_scored_again_and_without_training_images(splits, tmp_path, genaug):
    out = tmp_path / "out"
    quick = ("-g", "oversample", "--folds", 2, "--repeats", 1, "--seeds", 1, "--steps", 1, "-o", out, "--workers", 1)
    assert genaug("study", splits, *quick).code == 0
    shutil.copy(splits / "train/cat/0.png", splits / "test/cat/leaked.png")
    (splits / "test/dog/0.png").unlink()
    code, shown, err = genaug("study", splits, *quick)
    assert code == 0, err
    assert "On the test split (5 images, 1 more left out as near-duplicates of training images, used 2 times" in shown


def test_a_test_split_of_training_images_is_not_used_and_a_note_says_so(plain, tmp_path, genaug):
    data, out = tmp_path / "both", tmp_path / "out"
    shutil.copytree(plain, data / "train")
    shutil.copytree(plain, data / "test")
    quick = ("-g", "oversample", "--folds", 2, "--repeats", 1, "--seeds", 1, "--steps", 1, "-o", out, "--workers", 1)
    code, shown, err = genaug("study", data, *quick)
    assert code == 0, err
    assert "On the test split" not in shown
    assert "The test split was not used: every image in it is a near-duplicate of a training image." in err
    assert "The test split was not used" in (out / "report.html").read_text("utf-8")


def test_finished_splits_are_summed_up_when_a_later_one_fails(digits, tmp_path, genaug):
    out = tmp_path / "out"
    quick = ("--folds", 2, "--repeats", 1, "--seeds", 1, "--steps", 1, "--select", "none", "--workers", 1, "-o", out)
    found = genaug("study", digits, "-g", "fails", "--per-class", 1, "--budget", "1h", "--seed", FAILING_SEED, *quick)
    assert found.code == 5, found.err
    assert "planted failure" in found.err
    splits = json.loads((out / "study.json").read_text("utf-8"))["splits"]
    assert (splits["done"], splits["planned"]) == (1, 2)


def test_a_class_of_one_image_has_no_verdict_and_does_not_stop_a_study(plain, tmp_path, genaug):
    fill(plain, {"yak": 1}, seed=5)
    out = tmp_path / "out"
    quick = ("-g", "oversample", "--folds", 2, "--repeats", 1, "--seeds", 1, "--steps", 1, "-o", out, "--workers", 1)
    code, shown, err = genaug("study", plain, *quick, "--json")
    assert code == 0, err
    (row,) = [row for row in json.loads(shown)["classes"] if row["class"] == "yak"]
    assert (row["real"], row["difference"]["mean"], row["verdict"]) == (None, None, "no evidence")
    assert (out / "report.html").exists()


def test_an_output_of_genaug_is_refused_as_data(plain, tmp_path, genaug):
    assert genaug("run", plain, "-g", "oversample", "-o", tmp_path / "output").code == 0
    found = genaug("study", tmp_path / "output", "-g", "oversample", "-o", tmp_path / "out")
    assert found.code == 3
    assert "which would count as real ones; give the folder of real images" in found.err


def test_a_budget_computes_fewer_splits_and_says_how_uncertain_they_are(plain, tmp_path, genaug):
    quick = ("-g", "oversample", "--folds", 3, "--repeats", 2, "--seeds", 1, "--steps", 20, "--workers", 1)
    code, shown, err = genaug("study", plain, *quick, "--budget", "1s", "-o", tmp_path / "out")
    assert code == 0, err
    assert "1 of 6 splits: at least 2 are needed to say how certain the result is" in shown, shown
    assert "Do not use synthetic images" in shown


@pytest.mark.parametrize(("generator", "wanted"), [("perfect", True), ("shuffled", False)])
def test_a_gate_writes_the_images_that_a_quick_study_recommends(digits, tmp_path, genaug, generator, wanted):
    config, out = tmp_path / "quick.yaml", tmp_path / "out"
    config.write_text(f"judge_steps: {25 if wanted else 10}\n", "utf-8")
    options = ("--per-class", 60, "--select", "none", "--no-check", "--workers", 1, "-o", out)
    code, shown, err = genaug("run", digits, "-g", generator, "--gate", "--config", config, *options)
    assert code == 0, err
    assert bool(list(out.glob(f"train/*/{generator}-*.png"))) == wanted
    assert len(list(out.glob("train/*/*.png"))) == 5 * (16 + 60 * wanted)
    assert "quick study: " in shown
    assert (("Do not use synthetic images" in shown) != wanted) or "If you use synthetic images" in shown
    gated = json.loads((out / "run.json").read_text("utf-8"))["gated"]
    assert gated["synthetic"] == wanted
    assert (out / "study.json").exists()
    assert genaug("verify", out).code == 0


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--budget", "soon"), 2, "budget: expected a time such as 30m, 2h or 1h30m, got 'soon'"),
        (("--counts", "50;100"), 2, "counts: expected numbers of images such as 0,50,100,500, got '50;100'"),
        (("--folds", "1"), 2, "folds: input should be greater than or equal to 2, got 1"),
        (("--folds", "9"), 3, "a study of 9 folds needs a class of at least 9 different images"),
        (("--recipe", "aneal"), 2, "did you mean 'anneal'"),
        (("-g", "overample"), 2, "did you mean 'oversample'"),
        (("-g", " , "), 2, "generator: expected a name, or several separated by commas, got nothing"),
        (
            ("-g", "oversample", "-s", "classical:pipeline=light"),
            2,
            "unknown generator or selector in settings 'classical'",
        ),
        (("-g", "oversample,classical", "-s", "pipeline=light"), 2, "write oversample:pipeline="),
        (("--classifier", "resnet-9"), 2, "unknown classifier 'resnet-9'"),
        (("-g", "oversample", "--per-class", "0"), 2, "the plan asks for no synthetic image of oversample"),
    ],
)
def test_impossible_requests_are_refused_with_a_clear_message_before_any_work(
    plain, tmp_path, genaug, options, code, words
):
    found = genaug("study", plain, "--folds", 2, *options, "-o", tmp_path / "out")
    assert found.code == code, found.err
    assert words in found.err
    assert "Traceback" not in found.err
    assert not (tmp_path / "out").exists()


def test_the_python_example_of_the_manual_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "signs", {"stop": 4, "yield": 3})
    (example,) = re.findall(r"```python\n(.*?)```", MANUAL.read_text("utf-8"), re.DOTALL)
    quick = example.replace("cdcgan", "oversample").replace("repeats=1", "repeats=1, seeds=1, steps=1")
    exec(compile(quick, "docs/study.md", "exec"), {})
    assert "no evidence Do not use synthetic images" in capsys.readouterr().out


def test_a_gate_works_in_python(plain):
    result = augment(plain, "oversample", per_class=2, gate=True, judge_steps=2, select=())
    assert {one["classical"] for one in result.counts.values()} in ({0}, {2})
    assert len(result.dataset) == sum(sum(one.values()) for one in result.counts.values())
