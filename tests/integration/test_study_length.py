"""The length of a study's trainings: doubled until real images alone stop gaining, and the verdict at half of it."""

import json

import numpy as np
import pytest
from genaug.studies import length as lengths
from genaug.studies.half_length import HalfLength
from genaug.studies.length import Length
from genaug.studies.statistics import Estimate
from PIL import Image
from sklearn.datasets import load_digits

QUICK = ("-g", "oversample", "--per-class", 4, "--folds", 2, "--repeats", 1, "--seeds", 1, "--select", "none")


@pytest.fixture
def few_digits(tmp_path):
    """Twelve scans of three digits, of 16x16 pixels."""
    found = load_digits()
    for digit in (0, 1, 2):
        (tmp_path / "digits" / str(digit)).mkdir(parents=True)
        for number, scan in enumerate(found.images[found.target == digit][:12]):
            pixels = np.kron(np.minimum(scan * 16, 255).astype(np.uint8), np.ones((2, 2), np.uint8))
            Image.fromarray(pixels).save(tmp_path / "digits" / str(digit) / f"{number}.png")
    return tmp_path / "digits"


def test_steps_are_doubled_until_real_images_stop_gaining_and_the_verdict_is_shown_at_half(
    few_digits, tmp_path, genaug, monkeypatch
):
    monkeypatch.setattr(lengths, "SHORTEST", 2)
    monkeypatch.setattr(lengths, "LONGEST", 32)
    given = ("study", few_digits, *QUICK, "--workers", 1, "-o", tmp_path / "out", "--json")
    code, shown, err = genaug(*given)
    assert code == 0, err
    found = json.loads(shown)
    curve = [(point["steps"], point["balanced_accuracy"]) for point in found["length"]["curve"]]
    gains = np.diff([value for _, value in curve])
    assert [steps for steps, _ in curve] == [2 * 2**number for number in range(len(curve))]
    assert (gains[:-1] >= 0.005).all()
    stopped = gains[-1] < 0.005
    assert found["steps"] == curve[-2 if stopped else -1][0]
    assert stopped or found["steps"] == 32
    half = found["length"]["half"]
    assert half["steps"] == found["steps"] // 2
    assert half["low"] <= half["mean"] <= half["high"]
    (sentence,) = [text for text in found["notes"] if "half as many steps" in text]
    assert half["verdict"] in sentence
    assert "On held-out training images, " in (tmp_path / "out/report.html").read_text()
    again = json.loads(genaug(*given).out)
    assert {key: again[key] for key in ("length", "arms", "notes")} == {
        key: found[key] for key in ("length", "arms", "notes")
    }


def test_fixed_steps_are_kept(few_digits, tmp_path, genaug):
    found = json.loads(
        genaug("study", few_digits, *QUICK, "--steps", 3, "--workers", 1, "-o", tmp_path / "out", "--json").out
    )
    assert (found["steps"], found["length"]["curve"]) == (3, [])
    assert not [text for text in found["notes"] if "half as many steps" in text]


def test_a_verdict_that_changes_with_the_length_is_named():
    helps = HalfLength(400, Estimate(0.03, 0.01, 0.05, 0.001))
    assert helps.sentences("no evidence") == [
        "After half as many steps (400), the same arms differ by +0.030 (95 % interval +0.010 to +0.050); the verdict "
        "depends on the length: there it is helps."
    ]
    assert helps.sentences("helps")[0].endswith("; that is helps too.")


def test_the_curve_is_told_in_one_sentence():
    assert Length(800).sentence == "Every classifier is trained for 800 steps."
    assert Length(400, ((400, 0.96), (800, 0.961))).sentence.endswith(
        "reached a balanced accuracy of 0.960 after 400, 0.961 after 800 steps."
    )
