"""The report page: what it shows, from which files, and that no name and no damage in them can break it."""

import base64
import hashlib
import io
import json
import re
import shlex
from shutil import copyfile

import numpy as np
import pytest
import yaml
from genaug.data.split import TrainSplit
from genaug.errors import DataError
from genaug.mixing.candidate import Candidate
from genaug.output.rejection_sheets import rejection_sheets
from genaug.output.rejections import read_rejections, write_rejections
from genaug.report import write_report
from genaug.report.gallery import script_json
from genaug.report.measuring import measure
from genaug.report.plots import curve_plot, interval_plot, interval_strip, linear_axis
from genaug.report.reading import FirstOfEachClass, limit_per_class, read_output
from genaug.report.repeat import repeat
from genaug.spec import ImageSpec
from PIL import Image

from tests.folders import contents, fill
from tests.outputs import (
    CLASSES,
    NOT_UTF8,
    REAL,
    REJECTED,
    SCRIPT,
    SYNTHETIC,
    TAG,
    evaluation,
    study,
    write_run,
    write_study,
)


@pytest.fixture
def out(tmp_path):
    return write_run(tmp_path / "out")


def page(out):
    return write_report(out).read_text("utf-8")


def data(html):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1])


def picture(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


def test_without_a_study_the_page_says_so_and_gives_the_command(out):
    html = page(out)
    assert "Not yet measured: do these images help?" in html
    assert "genaug study DATA -g first,second" in html
    assert 'id="study"' not in html


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("helps", "Synthetic images help"),
        ("no evidence", "No evidence that synthetic images help"),
        ("harms", "Synthetic images harm"),
    ],
)
def test_the_verdict_and_the_recommendation_come_before_everything_else(out, verdict, words):
    html = page(write_study(out, verdict))
    head = html[html.index("<header>") : html.index("</header>")]
    assert words in head
    assert f"The answer is: {verdict}." in head
    assert "Train with the images of first." in head
    assert "Not yet measured" not in html


def test_a_study_alone_is_a_page_of_its_own(tmp_path):
    html = page(write_study(tmp_path / "alone"))
    assert html.count("<h2") == 1
    for words in ("real + classical", "+3.0", "The test split agrees.", "Ten splits were done", "▼", "second"):
        assert words in html


def test_the_first_screen_shows_real_beside_synthetic_images_of_each_class(out):
    html = page(out)
    samples = re.search(r'<section id="samples".*?</section>', html, re.DOTALL)[0]
    assert html.index('id="samples"') < min(html.index('id="classes"'), html.index('id="images"'))
    rows = samples.split("<li>")[1:]
    assert len(rows) == len(CLASSES)
    for row in rows:
        kinds = re.findall(r'alt="(\w+) image"', row)
        assert (kinds.count("real"), kinds.count("synthetic")) == (min(3, REAL), 3)
    shown = re.search(r'src="(data:image/webp;base64,[^"]+)"', rows[0])
    real = np.asarray(Image.open(out / "train" / CLASSES[0] / "0.png"))
    assert np.abs(np.asarray(picture(shown[1])).astype(int) - real).max() == 0, "lossless at this size"


def test_suspected_label_errors_are_shown_with_their_pictures(tmp_path):
    out, values = write_study(tmp_path / "alone"), study()
    html = page(out)
    assert "Suspected label errors" in html
    assert html.count("data:image/png;base64,") == 1
    assert html.count("7 of 8") == 2
    assert "<img src=x" not in html
    values["suspects"][0]["picture"] = '" onerror="alert(1)'
    (out / "study.json").write_text(json.dumps(values), "utf-8")
    with pytest.raises(DataError, match="picture"):
        read_output(out)
    values.pop("suspects")
    (out / "study.json").write_text(json.dumps(values), "utf-8")
    assert "Suspected" not in page(out)


def test_each_synthetic_image_is_beside_its_nearest_real_image(out):
    found = data(page(out))
    assert len(found["images"]) == SYNTHETIC * len(CLASSES)
    assert len(found["pictures"]) == (SYNTHETIC + REAL) * len(CLASSES) + REJECTED + 1  # one copy has its original
    one = found["images"][SYNTHETIC + 5]
    with Image.open(out / one["file"]) as file, picture(found["pictures"][one["picture"]]) as shown:
        assert np.array_equal(np.asarray(file), np.asarray(shown))
    assert found["images"][REAL]["nearest"]["picture"] == found["images"][0]["nearest"]["picture"]
    assert one["nearest"]["class"] == CLASSES[1]
    assert one["scores"] == {"novelty": 1.0, "realism": 0.35}
    assert one["weight"] == 0.5


def test_rejected_candidates_have_a_picture_a_selector_and_a_reason(out):
    found = data(page(out))
    assert [one["selector"] for one in found["rejected"]] == ["realism"] * 3
    assert found["rejected"][0]["reason"] == f"far {SCRIPT}"
    with picture(found["pictures"][found["rejected"][2]["picture"]]) as shown:
        assert shown.size == (20, 20)


def test_a_rejected_copy_has_the_picture_the_name_and_the_class_of_its_original(out):
    found = data(page(out))
    first, second, _ = found["rejected"]
    assert (first["copied"]["file"], first["copied"]["class"], second["copied"]) == (f"{TAG}/1.png", TAG, None)
    with picture(found["pictures"][first["copied"]["picture"]]) as shown:
        assert shown.size == (20, 20)


def test_hostile_names_are_shown_as_text_and_lists_keep_their_exact_bytes(out):
    html = page(out)
    assert "<img src=x" not in html
    assert "<script>alert" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "\u2028" not in html[html.index('id="data"') :]
    assert set(data(html)["classes"]) == set(CLASSES)
    assert NOT_UTF8 in {one["class"] for one in data(html)["images"]}


def test_json_inside_a_script_cannot_end_it():
    values = {"a": "</script><!-- & \u2028\u2029 \udcff"}
    text = str(script_json(values))
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == values


def test_only_the_scripts_and_styles_that_the_policy_names_are_on_the_page(out):
    html = page(write_study(out))
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', html)[1].replace("&#39;", "'")
    blocks = re.findall(r"<(style|script)>(.*?)</\1>", html, re.DOTALL)
    assert [kind for kind, _ in blocks] == ["style", "script"]
    for kind, text in blocks:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert not re.search(r"<[^>]+\s(style|on\w+)=", html)
    assert not re.search(r"(src|href)=\"(?!data:|#)", html)


def test_a_folder_that_is_no_output_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(
        DataError, match=r"no finished output of genaug run or genaug study: expected run\.json or study"
    ):
        write_report(tmp_path)
    with pytest.raises(DataError, match="no finished output"):
        write_report(tmp_path / "nowhere")
    (tmp_path / "run.json").write_text("{}", "utf-8")
    with pytest.raises(DataError, match=r"run\.json is not what genaug wrote: genaug: field required"):
        write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    "name",
    ["study.json", "evaluation.json", "timings.json", "classes.json", "provenance.jsonl", "models/first/all.json"],
)
@pytest.mark.parametrize("text", ["", "{", "[1]", '{"arms": [{"name": null}]}', "\udcff\x00"])
def test_a_damaged_file_becomes_a_sentence_and_the_rest_is_there(out, name, text):
    (out / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    html = page(out)
    fault = html[html.index('class="faults"') : html.index("</header>")] if 'class="faults"' in html else ""
    if name != "models/first/all.json" or not text.startswith("{") or text == "{":
        assert f"{name} is not what genaug wrote" in fault or (name == "provenance.jsonl" and text == "")
    assert 'id="repeat"' in html


@pytest.mark.parametrize("name", ["timings.json", "classes.json", "provenance.jsonl", "rejections.jsonl"])
def test_a_missing_file_becomes_a_sentence(out, name):
    (out / name).unlink()
    assert f"{name} is missing" in page(out)


def test_images_that_are_gone_or_lie_elsewhere_are_not_shown(out, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    text = (out / "provenance.jsonl").read_text("utf-8")
    first = data(page(out))["images"][0]["file"]
    (out / first).unlink()
    (out / "provenance.jsonl").write_text(text.replace("second-000001.png", "../../../secret.png"), "utf-8")
    found = data(page(out))
    assert found["images"][0]["picture"] is None
    assert all(one["picture"] is None for one in found["images"] if "secret" in one["file"])


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_images_in_shards_are_shown_as_records_only(out, form):
    change(out / "run.json", format=form)
    lines = [json.loads(line) for line in (out / "provenance.jsonl").read_text("utf-8").splitlines()]
    text = "".join(json.dumps(line | {"shard": "data/train-0.tar"}) + "\n" for line in lines)
    (out / "provenance.jsonl").write_text(text, "utf-8")
    html = page(out)
    assert f"stored in shards ({form})" in html
    assert {one["picture"] for one in data(html)["images"]} == {None}


def test_an_output_of_synthetic_images_alone_shows_no_real_image(out):
    change(out / "run.json", only_synthetic=True)
    html = page(out)
    assert "contains no real images" in html
    assert {one["nearest"]["picture"] for one in data(html)["images"]} == {None}
    assert "small copies of training images" not in html


def test_of_a_large_output_the_images_with_the_lowest_scores_are_shown():
    assert (limit_per_class(3), limit_per_class(40), limit_per_class(10_000)) == (200, 50, 2)
    items = [type("Item", (), {"label": label, "score": score}) for label in "ab" for score in (0.3, 0.1, 0.2)]
    kept = FirstOfEachClass(2, lambda item: item.score)
    for item in items:
        kept.add(item)
    assert [item.score for item in kept.items()] == [0.1, 0.2] * 2


def test_metrics_are_shown_only_for_the_images_that_were_measured(out):
    assert "genaug report out --evaluate" in page(out)
    seen = hashlib.sha256((out / "provenance.jsonl").read_bytes()).hexdigest()
    (out / "evaluation.json").write_text(json.dumps(evaluation(seen)), "utf-8")
    html = page(out)
    matched = "14.5 for 7 synthetic images, the number that the column real uses"
    for words in ("consistency[classifier]", "0.85 to 0.95", "↓ lower", "few images", ">60<", matched):
        assert words in html
    (out / "evaluation.json").write_text(json.dumps(evaluation("other")), "utf-8")
    html = page(out)
    assert "computed for other images" in html
    assert "0.85 to 0.95" not in html


def test_ticks_are_round_numbers_and_values_lie_between_the_ends():
    axis = linear_axis([0.83, 0.97])
    assert [tick.text for tick in axis.ticks] == ["0.85", "0.90", "0.95"]
    assert axis.position(axis.low) == 0
    assert axis.position(axis.high) == 100
    assert axis.position((axis.low + axis.high) / 2) == pytest.approx(50)
    assert interval_strip((0.9, None, None), axis) == interval_strip((0.9, 0.9, 0.9), axis)


@pytest.mark.parametrize("values", [[], [0.0], [5.0, 5.0], [float("nan")], [-1e9, 1e9], [1e-12, 2e-12]])
def test_an_axis_can_hold_any_values(values):
    axis = linear_axis(values)
    assert axis.low < axis.high
    assert 1 <= len(axis.ticks) <= 8


def test_losses_of_a_wide_range_have_a_logarithmic_axis_and_long_ones_are_thinned():
    plot = curve_plot({"a": [(step, 100.0 / (step + 1)) for step in range(1000)], "b": [(0, float("nan"))]})
    (line,) = plot.lines
    assert plot.y.logarithmic
    assert [tick.text for tick in plot.y.ticks] == ["0.1", "1", "10", "100"]
    assert len(line.path.split()) <= 240
    assert not curve_plot({"a": [(0, -1.0), (1, 100.0)]}).y.logarithmic


def test_the_figure_has_its_ticks_at_the_counts_that_were_studied():
    plot = interval_plot({"a": [(50, (0.9, 0.8, 1.0)), (25, (0.7, None, None))]})
    assert [tick.text for tick in plot.x.ticks] == ["25", "50"]
    first, second = plot.lines[0].points
    assert first.x < second.x
    assert second.high < second.y < second.low < first.y


def test_the_command_on_the_page_creates_the_same_images(tmp_path, genaug, monkeypatch):
    plain, out = fill(tmp_path / "data", {"cat": 4, "dog": 2}), tmp_path / "out"
    options = ("-g", "classical=0.6,oversample=0.4", "--per-class", 5, "--seed", 3, "--recipe", "cap=2,weight=0.5")
    assert genaug("run", plain, *options, "-o", out).code == 0
    again = repeat(read_output(out).run.values, [], "out")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text(again.config, "utf-8")
    words = ["data" if word == "DATA" else word for word in shlex.split(again.command)[1:]]
    assert genaug(*words).code == 0
    first, second = contents(out), contents(tmp_path / "out-again")
    assert first.keys() == second.keys()
    assert [
        name for name in first if first[name] != second[name] and not name.endswith((".md", ".json", ".jsonl"))
    ] == []
    assert yaml.safe_load(again.config)["generator"].startswith("classical=")


def test_earlier_manual_rejections_are_in_the_next_list_and_in_the_command(out):
    change(out / "run.json", rejected_by_hand=["stop/first-000099.png"])
    html = page(out)
    assert data(html)["rejected_before"] == ["train/stop/first-000099.png"]
    assert "1 image was rejected manually before this run" in html
    assert "--reject rejected.json -o out-again" in html
    names = ["train/a/b-000001.png", "train/a/b-000002.png"]
    listed = repeat(read_output(out).run.values, names, "x").rejected
    assert json.loads(listed) == {"format": 1, "rejected": names}
    assert [line.strip(' ,"]}') for line in listed.splitlines()][-1] == names[1], "one name a line"


def test_the_command_writes_the_page_and_says_where(out, genaug):
    found = genaug("report", out)
    assert (found.code, found.out.strip()) == (0, str(out / "report.html"))
    assert json.loads(genaug("report", out, "--json").out) == {"report": str((out / "report.html").resolve())}
    assert genaug("report", out / "train").code == 3


def test_measuring_compares_the_synthetic_with_the_real_images_of_the_output(tmp_path, genaug):
    plain, out = fill(tmp_path / "data", {"cat": 5, "dog": 4}), tmp_path / "out"
    assert genaug("run", plain, "-g", "oversample", "--per-class", 6, "-o", out).code == 0
    measure(out, ["novelty[pixels]", "ssim"])
    (copies, *_) = read_output(out).run.evaluation.rows
    assert (copies.name, copies.value) == ("copies[pixels]", 1.0)
    assert set(copies.classes) == {"cat", "dog"}
    assert genaug("verify", out).code == 0
    with pytest.raises(DataError, match="is the output of a study and has no images"):
        measure(write_study(tmp_path / "study"))


def test_test_images_that_are_near_duplicates_of_training_images_are_left_out(tmp_path, genaug):
    plain, out = tmp_path / "data", tmp_path / "out"
    fill(plain / "train", {"cat": 5, "dog": 4})
    fill(plain / "test", {"cat": 2, "dog": 2}, seed=1)
    copyfile(plain / "train/cat/0.png", plain / "test/cat/0.png")
    assert genaug("run", plain, "-g", "oversample", "--per-class", 6, "-o", out).code == 0
    assert "1 of 4 test images are near-duplicates of training images" in measure(out, ["novelty[pixels]"])


def test_the_pages_of_equal_outputs_are_equal(out, tmp_path):
    again = write_run(tmp_path / "again" / "out")
    assert page(out) == page(again)


def test_a_study_may_have_no_test_split_no_figure_and_no_intervals(tmp_path):
    found = study()
    found |= {"test": None, "figure": [], "classes": []}
    for arm in found["arms"]:
        arm["balanced_accuracy"] |= {"low": None, "high": None}
    out = write_study(tmp_path / "alone")
    (out / "study.json").write_text(json.dumps(found), "utf-8")
    html = page(out)
    assert "The test split agrees" not in html
    assert TAG not in html


def rejected(index, label, selector, pixels, copied=None):
    candidate = Candidate({index: pixels}, label, "one", index, "", parents=(), source=0, nearest=0, distance=1.0)
    return candidate.rejected(selector, "why", copied)


def originals(classes):
    """Training images of 16x16 pixels, 12 of each class."""
    names = [f"{label}/{number:02d}.png" for label in range(classes) for number in range(12)]
    images = np.random.default_rng(0).integers(0, 256, (len(names), 16, 16, 1), dtype=np.uint8)
    spec = ImageSpec(1, 16, 16, tuple("ab"[:classes]), (12,) * classes)
    return TrainSplit.ordered(spec, images, np.repeat(np.arange(classes), 12), names, names)


def test_each_selector_has_its_first_candidates_on_the_sheet_of_the_class():
    pixels = [np.full((12, 8, 1), number, np.uint8) for number in range(80)]
    candidates = [rejected(number, 1, "far" if number % 2 else "near", image) for number, image in enumerate(pixels)]
    sheets, places = rejection_sheets(candidates, originals(2), "sheets")
    assert list(sheets) == ["sheets/rejected-001.png"]
    assert sorted(places) == list(range(64))
    with Image.open(io.BytesIO(sheets["sheets/rejected-001.png"])) as sheet:
        assert sheet.size == (16 * 8, 4 * 12)
        for row, place in places.items():
            assert set(np.asarray(sheet.crop(place["candidate"]["box"])).ravel()) == {row}


def test_a_copy_stands_beside_the_training_image_that_it_copies():
    train = originals(1)
    others = [rejected(number, 0, "far", np.full((16, 16, 1), 250, np.uint8)) for number in range(21)]
    copies = [rejected(number, 0, "near", np.full((16, 16, 1), number, np.uint8), copied=number) for number in range(9)]
    sheets, places = rejection_sheets([*others, *copies], train, "sheets")
    with Image.open(io.BytesIO(sheets["sheets/rejected-000.png"])) as sheet:
        for number in range(9):
            candidate, copied = (places[len(others) + number][kind]["box"] for kind in ("candidate", "copied"))
            assert (copied[0], copied[1]) == (candidate[2], candidate[1])
            assert set(np.asarray(sheet.crop(candidate)).ravel()) == {number}
            assert np.array_equal(np.asarray(sheet.crop(copied))[:, :, :1], train.images[number])
    assert all(set(places[row]) == {"candidate"} for row in range(len(others)))


@pytest.mark.parametrize("pictures", [True, False])
def test_the_record_of_a_copy_names_the_training_image_and_its_class(tmp_path, pictures):
    train = originals(2)
    (tmp_path / "contact-sheets").mkdir()
    copy = rejected(3, 0, "near", np.zeros((16, 16, 1), np.uint8), copied=len(train) - 1)
    write_rejections(tmp_path, [copy, rejected(4, 0, "far", copy.pixels)], train, pictures=pictures)
    first, second = read_rejections(tmp_path)
    assert (first["copied"]["name"], first["copied"]["class"]) == (train.names[-1], train.spec.classes[1])
    assert ("picture" in first["copied"], "picture" in first, "copied" in second) == (pictures, pictures, False)


def test_large_candidates_are_scaled_down_on_the_sheet():
    candidate = rejected(0, 0, "far", np.zeros((256, 128, 3), np.uint8))
    assert rejection_sheets([candidate], originals(1), "sheets")[1][0]["candidate"]["box"] == [0, 0, 48, 96]
