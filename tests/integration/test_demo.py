"""The demo balances real digits and compares classifiers with and without the synthetic images."""

import re

from genaug import demonstration
from genaug.demonstration import TEST_COUNT, TRAIN_COUNTS


def test_the_demo_balances_digits_and_says_how_well_classifiers_do(tmp_path, genaug, monkeypatch):
    monkeypatch.setattr(demonstration, "_STEPS", 60)
    code, shown, _ = genaug("demo", "-g", "oversample", "-o", tmp_path / "demo", "--workers", 2)
    assert code == 0
    written = {
        split: [len(list((tmp_path / "demo" / "digits-genaug" / split / str(label)).iterdir())) for label in range(10)]
        for split in ("train", "test")
    }
    assert written == {"train": [max(TRAIN_COUNTS)] * 10, "test": [TEST_COUNT] * 10}
    scores = [float(text) for text in re.findall(r"(0\.\d{3}) \(sd", shown)]
    assert len(scores) == 2
    assert min(scores) > 0.7
    assert "a demo, not a study" in shown.replace("\n", " ")
