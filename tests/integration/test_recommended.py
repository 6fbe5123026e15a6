"""A user leaves a study with a classifier, a data set and a script, and none of them is another than it recommends."""

import csv
import json
import re
import shutil
from io import StringIO
from pathlib import Path

import genaug as library
import numpy as np
import pytest
from genaug.config import AllowedChanges
from genaug.data.folder import load_folder
from genaug.run.config import RunConfig
from genaug.studies import final_classifier
from genaug.studies.arms import Arm
from genaug.studies.question import Question
from genaug.studies.recommended import training_file
from genaug.studies.settings import StudyConfig
from genaug.studies.training_file import read_training_file, write_training_file
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import balanced_accuracy_score

from tests.folders import contents

MANUAL = Path(__file__).parents[2] / "docs/training.md"
QUICK = ("-g", "oversample", "--folds", 2, "--repeats", 1, "--seeds", 1, "--workers", 1)
SCORE = {"mean": 0.9, "low": 0.8, "high": 1.0}
FILES = ("README.md", "model.json", "model.safetensors")


@pytest.fixture
def digits(tmp_path) -> Path:
    """Four digits: 20, 12, 8 and 6 scans to train on, 10 of each to test."""
    scans = load_digits()
    for label, count in enumerate((20, 12, 8, 6)):
        images = scans.images[scans.target == label]
        for split, chosen in (("train", images[:count]), ("test", images[-10:])):
            folder = tmp_path / "digits" / split / str(label)
            folder.mkdir(parents=True)
            for number, scan in enumerate(chosen):
                Image.fromarray((scan * 15).astype(np.uint8)).resize((16, 16)).save(folder / f"{number:03d}.png")
    return tmp_path / "digits"


@pytest.fixture
def recommended(digits, tmp_path):
    """A function that writes the file of an arm, as a study of the digits would: the folder of the study."""

    def write(arm: Arm, steps: int = 40, run: RunConfig | None = None) -> Path:
        run = run or RunConfig(generator="oversample", per_class=3, on_shortfall="leave", check=False)
        question = Question(load_folder(digits), {"oversample": run}, StudyConfig(folds=2, steps=steps))
        out = tmp_path / "digits-study"
        out.mkdir(exist_ok=True)
        write_training_file(out, training_file(question, arm, SCORE, AllowedChanges(), out))
        return out

    return write


def test_a_study_leaves_a_classifier_that_is_as_good_as_it_promised(digits, tmp_path, genaug):
    study, model = tmp_path / "digits-study", tmp_path / "digits-study-classifier"
    (digits / "train/0/019.png").rename(digits / "train/2/wrong.png")
    assert genaug("study", digits, *QUICK, "--steps", 40).code == 0
    suspects = json.loads((study / "study.json").read_text("utf-8"))["suspects"]
    assert {"file": "2/wrong.png", "class": "2", "predicted": "0"}.items() <= suspects[0].items()
    assert len(suspects) <= 3
    file, _ = read_training_file(study)
    assert file.arm == json.loads((study / "study.json").read_text("utf-8"))["recommendation"]["arm"]
    code, shown, err = genaug("train", study, "--workers", 1)
    assert code == 0, err
    assert "out of fold: balanced accuracy" in shown
    assert set(FILES) <= {path.name for path in model.iterdir()}
    code, table, err = genaug("predict", model, digits / "test")
    assert code == 0, err
    rows = list(csv.DictReader(StringIO(table)))
    assert [row["file"] for row in rows] == sorted(row["file"] for row in rows)
    labels = [row["file"].split("/")[0] for row in rows]
    assert len(rows) == 40
    assert balanced_accuracy_score(labels, [row["predicted"] for row in rows]) > 0.85
    shares = np.array([[float(row[f"probability {label}"]) for label in "0123"] for row in rows])
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert [row["predicted"] for row in rows] == ["0123"[place] for place in shares.argmax(axis=1)]
    facts = json.loads((model / "model.json").read_text("utf-8"))
    assert facts["calibration"]["log_loss"] <= facts["calibration"]["log_loss_before"]
    assert facts["calibration"]["images"] == 46
    assert f"`{file.arm}`" in (model / "README.md").read_text("utf-8")


def test_what_was_interrupted_continues_with_the_same_bytes_and_a_second_time_trains_nothing(recommended, tmp_path):
    study = recommended(Arm(classical=True, balanced=True), steps=30)
    library.train(study, tmp_path / "straight", workers=1)

    stops = [(1, 17), (3, 20)]

    def stop(message):
        if (message.number, message.progress.step) == stops[0]:
            stops.pop(0)
            raise KeyboardInterrupt

    out = tmp_path / "stopped"
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            final_classifier.train_recommended(study, out, report=stop)
    seen = []
    final_classifier.train_recommended(
        study, out, report=lambda message: seen.append((message.number, message.progress.step))
    )
    assert min(seen) > (3, 17), "the first two classifiers are kept, and the third continues at its checkpoint"
    assert contents(out) == contents(tmp_path / "straight")
    assert set(contents(out)) == set(FILES)
    final_classifier.train_recommended(study, out, report=pytest.fail)


def test_workers_change_no_byte(recommended, tmp_path):
    study = recommended(Arm(balanced=True), steps=6)
    library.train(study, tmp_path / "one", workers=1)
    library.train(study, tmp_path / "two", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_an_arm_with_synthetic_images_trains_on_those_of_the_study(digits, recommended, tmp_path, genaug):
    study = tmp_path / "digits-study"
    run = (*QUICK, "--per-class", 3, "--steps", 2, "-o", study)
    shutil.rmtree(digits / "test")
    assert genaug("study", digits, *run).code == 0
    before = set(study.rglob("synthetic-*.tensors"))
    config = Question(load_folder(digits), *studied(3)).runs["oversample"]
    recommended(Arm("oversample", count=2), steps=3, run=config)
    library.train(study, tmp_path / "model", workers=1)
    new = set(study.rglob("synthetic-*.tensors")) - before
    assert len(before) == 2, "one for each fold"
    assert len(new) == 1, "the one of all training images"


def studied(per_class: int):
    """The runs and settings that `genaug study` makes of the options of the test above."""
    run = RunConfig(generator="oversample", per_class=per_class, gate=False, check=False, on_shortfall="leave")
    return {"oversample": run}, StudyConfig(folds=2)


def test_temperature_is_fitted_on_images_that_no_classifier_of_the_fold_has_seen(recommended, tmp_path, monkeypatch):
    tasks = []
    fit = final_classifier.fit

    def watched(task, report):
        tasks.append(task)
        return fit(task, report)

    monkeypatch.setattr(final_classifier, "fit", watched)
    library.train(recommended(Arm(), steps=2), tmp_path / "model", workers=1)
    final, *folds = tasks
    assert (final.held_out, len(final.train)) == (None, 46)
    for task in folds:
        seen = {image.tobytes() for image in task.train.images}
        assert not seen & {image.tobytes() for image in task.held_out}
        assert len(task.train) + len(task.held_out) == 46
    assert sorted(np.concatenate([task.labels for task in folds]).tolist()) == sorted(final.train.labels.tolist())


@pytest.mark.parametrize(
    ("arm", "counts"),
    [
        (Arm(), {"0": 20, "1": 12, "2": 8, "3": 6}),
        (Arm(balanced=True), dict.fromkeys("0123", 20)),
        (Arm(classical=True), {"0": 20, "1": 12, "2": 8, "3": 6}),
        (Arm(classical=True, balanced=True), dict.fromkeys("0123", 20)),
        (Arm("oversample", count=2), {"0": 22, "1": 14, "2": 10, "3": 8}),
    ],
)
def test_a_run_from_a_study_writes_the_recommended_set(recommended, digits, tmp_path, genaug, arm, counts):
    out = tmp_path / "best"
    code, shown, err = genaug("run", "--from-study", recommended(arm), "-o", out, "--workers", 1)
    assert code == 0, err
    found = {folder.name: len(list(folder.iterdir())) for folder in (out / "train").iterdir()}
    assert found == counts
    new = {path.name.rpartition("-")[0] for path in out.glob("train/*/*-*.png")}
    expected = {"classical" if arm.classical else "oversample"} if sum(counts.values()) > 46 else set()
    assert new == expected
    assert f"this is the set for '{arm.name}', which the study recommends" in shown
    assert ("images change whenever they are shown" in shown) == arm.classical
    assert not list(out.glob("models/*/*")) or arm.synthetic or arm.balanced


def test_data_that_has_moved_is_found_by_name_and_other_data_is_refused(recommended, digits, tmp_path, genaug):
    study = recommended(Arm(), steps=2)
    moved = digits.rename(tmp_path / "moved")
    for words in (("train", study), ("run", "--from-study", study)):
        code, _, err = genaug(*words, "-o", tmp_path / "out")
        assert code == 3
        assert "where the study found its images; give their folder as DATA" in err
    assert genaug("train", study, moved, "-o", tmp_path / "model", "--workers", 1).code == 0
    assert genaug("run", moved, "--from-study", study, "-o", tmp_path / "best", "--workers", 1).code == 0
    (moved / "train/0/000.png").unlink()
    for words in (("train", study, moved), ("run", moved, "--from-study", study)):
        code, _, err = genaug(*words, "-o", tmp_path / "other")
        assert code == 3
        assert "is not what the study read: its training images differ (expected 46, got 45)" in err
        assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--per-class", 3), "--from-study decides what --per-class would"),
        (("-g", "oversample"), "--from-study decides what --generator would"),
        (("-s", "steps=3"), "--from-study decides what --set would"),
        (("--seed", 1), "--from-study decides what --seed would"),
    ],
)
def test_options_that_the_study_decides_are_refused(recommended, tmp_path, genaug, words, said):
    code, _, err = genaug("run", "--from-study", recommended(Arm()), *words, "-o", tmp_path / "best")
    assert code == 2
    assert said in err


def test_unreadable_files_are_listed_and_a_foreign_file_is_kept(recommended, digits, tmp_path, genaug):
    model, photos, table = tmp_path / "model", tmp_path / "photos", tmp_path / "table.csv"
    library.train(recommended(Arm(), steps=2), model, workers=1)
    (photos / "deep er").mkdir(parents=True)
    shutil.copy(digits / "test/1/000.png", photos / 'a, "b".png')
    Image.open(digits / "test/1/000.png").resize((50, 70)).convert("RGB").save(photos / "deep er/c.jpg")
    (photos / "notes.txt").write_text("no image", "utf-8")
    code, _, err = genaug("predict", model, photos, "-o", table)
    assert code == 0
    assert "left out: notes.txt: not an image" in err
    assert "1 file(s) left out, 2 predicted" in err
    rows = csv.DictReader(StringIO(table.read_text("utf-8")))
    assert [row["file"] for row in rows] == ['a, "b".png', "deep er/c.jpg"]
    assert genaug("predict", model, photos, "-o", table).code == 0
    table.write_text("my own notes", "utf-8")
    code, _, err = genaug("predict", model, photos, "-o", table)
    assert (code, table.read_text("utf-8")) == (4, "my own notes")
    (photos / "deep er/c.jpg").unlink()
    (photos / 'a, "b".png').unlink()
    code, _, err = genaug("predict", model, photos)
    assert code == 3
    assert "holds no image that can be read (notes.txt: not an image" in err


def test_a_damaged_or_missing_classifier_is_refused(recommended, digits, tmp_path, genaug):
    model = tmp_path / "model"
    code, _, err = genaug("predict", digits, digits / "test")
    assert code == 3
    assert "holds no trained classifier: expected model.json (genaug train STUDY -o MODEL)" in err
    library.train(recommended(Arm(), steps=2), model, workers=1)
    data = bytearray((model / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (model / "model.safetensors").write_bytes(data)
    code, _, err = genaug("predict", model, digits / "test")
    assert code == 3
    assert "is not the file that genaug wrote; train again" in err


def test_a_folder_that_holds_another_classifier_is_refused(recommended, tmp_path, genaug):
    study = recommended(Arm(), steps=2)
    assert genaug("train", study, "-o", tmp_path / "model", "--workers", 1).code == 0
    recommended(Arm(balanced=True), steps=2)
    code, _, err = genaug("train", study, "-o", tmp_path / "model")
    assert code == 4
    assert "was made with other settings (classifier: " in err


@pytest.mark.parametrize("network", ["its own", "timm"])
def test_the_scripts_of_the_manual_run(recommended, tmp_path, monkeypatch, capsys, genaug, network):
    monkeypatch.chdir(tmp_path)
    recommended(Arm(classical=True, balanced=True), steps=60 if network == "its own" else 20)
    assert genaug("run", "--from-study", "digits-study", "-o", "digits-best", "--workers", 1, "--no-check").code == 0
    text = MANUAL.read_text("utf-8").replace("signs", "digits")
    commands, script, timm = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert script.count("\n") <= 32
    if network == "timm":
        script = script.replace("model = recipe.network(images)\n", timm)
        assert "resnet10t" in script
    capsys.readouterr()
    exec(compile(script, "docs/training.md", "exec"), {})
    accuracy = float(re.fullmatch(r"balanced accuracy (0\.\d+|1\.000)\n", capsys.readouterr().out)[1])
    assert accuracy > (0.85 if network == "its own" else 0.3)
    if network == "its own":
        exec(compile(commands, "docs/training.md", "exec"), {})
        assert capsys.readouterr().out.startswith("0/000.png 0 ")


def test_a_study_on_the_test_split_is_trained_and_calibrated_on_training_images_alone(digits, tmp_path, genaug):
    study, quick = tmp_path / "study", ("--seeds", 1, "--repeats", 2, "--steps", 2, "--workers", 1)
    assert genaug("study", digits, "-g", "oversample", *quick, "--on", "split", "--folds", 2, "-o", study)[0] == 0
    assert genaug("train", study, "-o", tmp_path / "model", "--workers", 1)[0] == 0
    calibration = json.loads((tmp_path / "model/model.json").read_text())["calibration"]
    assert (calibration["folds"], calibration["images"]) == (2, 46)
