"""The harm check as a user meets it: at the end of a run, on the card, on the page, in Python, and switched off."""

import json
from pathlib import Path

import numpy as np
import pytest
from genaug import GenerativeSampler, augment
from PIL import Image

from tests.folders import contents

PLANTED = (Path(__file__).parents[2] / "benchmarks/planted.py").read_text("utf-8")
HARM = "A classifier trained on this set loses"
PLAN = ("--per-class", 16, "--select", "none")


@pytest.fixture
def digits(tmp_path, install):
    """Sixteen scans of three digits; also installs the planted generators, of which `shuffled` draws wrong digits."""
    install("planted", PLANTED.replace("range(10)", "range(3)").replace("NOISE = 200.0", "NOISE = 40.0"))
    from planted import DIGITS, scans

    for digit in DIGITS:
        folder = tmp_path / "digits" / str(digit)
        folder.mkdir(parents=True)
        for number, scan in enumerate(scans(digit, held=True)):
            Image.fromarray(scan).save(folder / f"{number}.png")
    (tmp_path / "run.yaml").write_text("judge_steps: 24", "utf-8")
    return tmp_path / "digits"


def test_a_run_that_harms_says_so_everywhere(digits, tmp_path, genaug):
    out = tmp_path / "out"
    run = ("run", digits, "-g", "shuffled", *PLAN, "--config", tmp_path / "run.yaml", "-o", out)
    code, shown, _ = genaug(*run)
    assert code == 0
    assert HARM in shown
    assert "Use fewer generated images (`--recipe cap=0.25`)" in " ".join(shown.split())
    assert "genaug study -g shuffled" in " ".join(shown.split())
    assert HARM in (out / "README.md").read_text("utf-8")
    assert HARM in (out / "report.html").read_text("utf-8")
    record = json.loads((out / "run.json").read_text("utf-8"))
    found = record["harm_check"]
    assert found["harms"]
    assert found["points"] < found["high"] < 0
    assert (found["images"], found["folds"], found["seeds"], found["steps"]) == (48, 3, 2, 12)
    assert record["findings"][0].startswith(HARM)

    kept = {path: path.stat().st_mtime_ns for path in (out / ".genaug/harm-check").iterdir()}
    before = contents(out)
    assert json.loads(genaug(*run, "--json").out)["harm_check"] == found
    assert contents(out) == before
    assert {path: path.stat().st_mtime_ns for path in (out / ".genaug/harm-check").iterdir()} == kept

    code, shown, _ = genaug(*run, "--no-check")
    assert code == 0
    assert HARM not in shown
    assert json.loads((out / "run.json").read_text("utf-8"))["harm_check"] is None


def test_the_study_that_is_suggested_has_the_generators_of_the_run_and_not_what_tops_up(digits, tmp_path, genaug):
    for number in range(8):
        (digits / "2" / f"{number}.png").unlink()
    out = tmp_path / "out"
    options = (*PLAN, "--top-up", "classical", "--config", tmp_path / "run.yaml", "-o", out)
    code, shown, _ = genaug("run", digits, "-g", "shuffled", *options)
    assert code == 0
    assert len(list((out / "train/2").glob("classical-*.png"))) == 8
    written = [" ".join(text.split()) for text in (shown, (out / "README.md").read_text("utf-8"))]
    page = (out / "report.html").read_text("utf-8")
    for text in (*written, page):
        assert "full answer: genaug study -g shuffled" in text
        assert "shuffled,classical" not in text
    assert written[0].endswith(f"genaug study {digits} -g shuffled")
    assert "<code>genaug study DATA -g shuffled</code>" in page


def test_a_run_that_does_not_harm_does_not_say_that_it_helps(digits, tmp_path, genaug):
    run = ("run", digits, "-g", "perfect", *PLAN, "--config", tmp_path / "run.yaml", "-o", tmp_path / "out")
    code, shown, _ = genaug(*run)
    assert code == 0
    assert "harm check: no loss found (a check, not a proof of help)" in " ".join(shown.split())
    assert json.loads((tmp_path / "out/run.json").read_text("utf-8"))["findings"] == []


def test_variants_of_real_images_alone_are_not_checked(plain, tmp_path, genaug):
    code, shown, _ = genaug("run", plain, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out")
    assert code == 0
    assert "harm check: skipped, since there is no generated image" in " ".join(shown.split())
    assert not (tmp_path / "out/.genaug/harm-check").exists()


def test_in_python_harm_is_among_the_findings_and_the_check_can_be_switched_off(digits, tmp_path):
    options = {"per_class": 16, "select": ("none",), "judge_steps": 24}
    result = augment(digits, "shuffled", **options)
    assert result.findings[0].startswith(HARM)
    result.save(tmp_path / "out")
    assert json.loads((tmp_path / "out/run.json").read_text("utf-8"))["findings"] == result.findings
    assert augment(digits, "shuffled", **options, check=False).findings == []


def test_a_sampler_does_not_check(digits, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a classifier was trained")

    monkeypatch.setattr("genaug.run.harm_check.fit_classifier", refuse)
    images = np.stack([np.asarray(Image.open(path)) for path in sorted(digits.rglob("*.png"))])
    labels = np.arange(3).repeat(16)
    sampler = GenerativeSampler("shuffled", {0: 17, 1: 16, 2: 16}, select=("none",))
    assert len(sampler.fit_resample(images, labels)[0]) == 49


def test_a_plan_names_the_cost_of_the_check(digits, genaug):
    told = json.loads(genaug("plan", digits, "-g", "shuffled", *PLAN, "--json").out)["cost"]
    assert told["check_seconds"] > 0
    assert (
        json.loads(genaug("plan", digits, "-g", "shuffled", *PLAN, "--json", "--no-check").out)["cost"]["check_seconds"]
        == 0
    )
