"""Runs that select: exact counts or a table of what is missing, every rejection written down, shares of generators."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from genaug.classifier import fit_classifier
from genaug.features import crossfit
from PIL import Image

from tests.commands import QUICK
from tests.folders import COUNTS, contents

JUDGED = ("-g", "cdcgan", *QUICK[:-2], "--config")
MODELS = {"steps": 6, "width": 4, "latent": 4}


def numbers(out: Path) -> dict[str, int]:
    return {folder.name: len(list(folder.iterdir())) for folder in sorted((out / "train").iterdir())}


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def quick_judges(tmp_path) -> Path:
    """A config file with judges of a few steps."""
    config = tmp_path / "judges.yaml"
    config.write_text("judge_steps: 5\noverdraw: 2\n", "utf-8")
    return config


@pytest.fixture
def coloured(tmp_path) -> Path:
    """Three classes of one colour each, with noise: classes that judges of a few steps can tell."""
    chance = np.random.default_rng(0)
    for place, name in enumerate(("blue", "green", "red")):
        folder = tmp_path / "colours" / name
        folder.mkdir(parents=True)
        for number in range(6 + 2 * place):
            pixels = chance.integers(0, 90, (20, 20, 3), dtype=np.uint8)
            pixels[:, :, 2 - place] += 150
            Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "colours"


def run(genaug, data, out, config, *more, per_class=4):
    return genaug("run", data, *JUDGED, config, "--per-class", per_class, "-o", out, *more)


def test_rejected_candidates_are_replaced_by_the_fallback_and_reported(coloured, tmp_path, genaug, quick_judges):
    out = tmp_path / "out"
    code, shown, _ = run(genaug, coloured, out, quick_judges, "--select", "consistency")
    assert code == 0
    assert numbers(out) == {"blue": 10, "green": 12, "red": 14}
    assert list(out.glob("train/*/cdcgan-*.png"))
    record = json.loads((out / "run.json").read_text("utf-8"))
    turned_away = lines(out / "rejections.jsonl")
    assert turned_away
    assert all(one["selector"] == "consistency" and one["reason"] and one["scores"] for one in turned_away)
    assert "candidates rejected" in shown
    assert sum(record["filled_up"].values()) == len(list(out.glob("train/*/classical-*.png")))
    for name in ("blue", "green", "red"):
        kept = len(list((out / "train" / name).glob("cdcgan-*.png")))
        mine = [one for one in turned_away if one["class"] == name]
        assert kept + record["filled_up"].get(name, 0) == 4
        assert kept + len(mine) <= record["drawn"]["cdcgan"][name] == 16 or kept == 4


def test_blind_judges_accept_no_generated_image_and_the_run_says_why(
    coloured, tmp_path, genaug, quick_judges, monkeypatch
):
    def fit_on_shuffled_labels(part, **options):
        labels = np.random.default_rng(0).permutation(part.labels)
        return fit_classifier(replace(part, labels=labels), **options)

    out = tmp_path / "out"
    monkeypatch.setattr(crossfit, "fit_classifier", fit_on_shuffled_labels)
    code, shown, told = run(genaug, coloured, out, quick_judges, "--select", "consistency")
    assert code == 0
    assert not list(out.glob("train/*/cdcgan-*.png"))
    assert not list(out.glob("models/cdcgan/*"))
    assert len(list(out.glob("train/*/classical-*.png"))) == 12
    record = json.loads((out / "run.json").read_text("utf-8"))
    assert record["filled_up"] == {"blue": 4, "green": 4, "red": 4}
    assert record["drawn"]["cdcgan"] == {"blue": 0, "green": 0, "red": 0}
    card, page = ((out / name).read_text("utf-8") for name in ("README.md", "report.html"))
    for name, images in {"blue": 6, "green": 8, "red": 10}.items():
        reason = record["refused"][name]
        assert re.fullmatch(
            rf"the judges recognise \d of {images} of its held-out images, not more than chance", reason
        )
        assert f"class '{name}': {reason}; it gets no generated images" in " ".join((shown + told).split())
        assert f"Class {name} got no generated images: {reason}." in card
        assert f"{reason}; it gets no generated images" in page
    assert genaug("verify", out).code == 0
    options = ("--select", "consistency", "--on-shortfall", "fail")
    failed = run(genaug, coloured, tmp_path / "none", quick_judges, *options)
    assert failed.code == 6
    assert "not more than chance" in failed.err


def test_file_numbers_are_candidate_numbers(coloured, tmp_path, genaug, quick_judges):
    out = tmp_path / "out"
    assert run(genaug, coloured, out, quick_judges, "--select", "consistency")[0] == 0
    away = {(one["class"], one["index"]) for one in lines(out / "rejections.jsonl")}
    made = [one for one in lines(out / "provenance.jsonl") if one["synthetic"] and one["generator"] == "cdcgan"]
    assert not away & {(one["class"], one["index"]) for one in made}
    assert all(one["file_name"].endswith(f"cdcgan-{one['index']:06d}.png") for one in made)
    assert all(set(one["scores"]) == {"consistency"} for one in made)


@pytest.mark.parametrize(("shortfall", "code"), [("leave", 0), ("oversample", 0), ("fail", 6)])
def test_a_class_that_cannot_be_filled_is_left_repeated_or_a_failure(
    plain, tmp_path, genaug, quick_judges, shortfall, code
):
    out = tmp_path / "out"
    strict = tmp_path / "strict.yaml"
    strict.write_text(
        "judge_steps: 5\noverdraw: 1\nselectors: {novelty: {lost: 0.5}, consistency: {level: 1}}\n", "utf-8"
    )
    select = ("--select", "novelty,consistency", "--on-shortfall", shortfall)
    given, shown, told = run(genaug, plain, out, strict, *select, per_class=16)
    assert given == code
    if code:
        assert "too few images passed the selectors" in told
        assert not (out / "train").exists()
        return
    record = json.loads((out / "run.json").read_text("utf-8"))
    missing = record["shortfall"] if shortfall == "leave" else record["filled_up"]
    assert missing
    assert "shortfall" in shown
    assert genaug("sample", out, "-n", 1, "-o", tmp_path / "more")[0] == 0
    drawn = sorted(path.name.partition("-")[0] for path in (tmp_path / "more").rglob("*.png"))
    assert drawn == ["cdcgan"] * 3, "what filled up is not what was asked for"
    kept = {name: len(list((out / "train" / name).glob("cdcgan-*"))) for name in COUNTS}
    assert {name: 16 - count for name, count in kept.items() if count < 16} == missing
    assert numbers(out) == {name: n + (kept[name] if shortfall == "leave" else 16) for name, n in COUNTS.items()}


def test_the_same_run_gives_the_same_bytes_and_more_images_only_add(coloured, tmp_path, genaug, quick_judges):
    first, again = tmp_path / "first", tmp_path / "again"
    select = ("--select", "novelty,consistency", "-s", "steps=20")
    assert run(genaug, coloured, first, quick_judges, *select, per_class=3)[0] == 0
    assert run(genaug, coloured, again, quick_judges, *select, per_class=3)[0] == 0
    before = contents(first)
    assert before == contents(again)
    assert run(genaug, coloured, again, quick_judges, *select, per_class=5)[0] == 0
    after = contents(again)
    drawn = [name for name in before if "/cdcgan-" in name]
    assert drawn
    assert all(after[name] == before[name] for name in drawn)


def test_generators_share_the_work_exactly(plain, tmp_path, genaug):
    out = tmp_path / "out"
    shares = "classical=0.25,oversample=0.75"
    assert genaug("run", plain, "-g", shares, "--per-class", 8, "-o", out)[0] == 0
    assert numbers(out) == {name: count + 8 for name, count in COUNTS.items()}
    for name in COUNTS:
        assert len(list((out / "train" / name).glob("classical-*.png"))) == 2
    record = json.loads((out / "run.json").read_text("utf-8"))
    assert [one["generator"] for one in record["generators"]] == ["classical", "oversample"]
    assert "`classical`" in (out / "README.md").read_text("utf-8")


def test_the_fallback_goes_on_where_its_own_share_ends(plain, tmp_path, genaug, quick_judges):
    out = tmp_path / "out"
    strict = tmp_path / "strict.yaml"
    strict.write_text("judge_steps: 5\noverdraw: 1\nselectors: {consistency: {level: 1}}\n", "utf-8")
    settings = [word for key, value in MODELS.items() for word in ("-s", f"cdcgan:{key}={value}")]
    code, _, told = genaug(
        *("run", plain, "-g", "classical,cdcgan", *settings, "--config", strict),
        *("--select", "consistency", "--per-class", 32, "-o", out),
    )
    assert code == 0, told
    assert numbers(out) == {name: count + 32 for name, count in COUNTS.items()}
    for name in COUNTS:
        found = sorted(path.name for path in (out / "train" / name).glob("classical-*.png"))
        assert found == [f"classical-{place:06d}.png" for place in range(len(found))]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-g", "classical=0.3,oversample"), "a share for all or none"),
        (("-g", "classical=0,oversample=1"), "shares above 0"),
        (("-g", "classical=1,classical=1"), "a share for all or none"),
        (("-g", "classical,oversampel"), "did you mean 'oversample'"),
        (("-g", "classical,oversample", "-s", "pipeline=light"), "write classical:pipeline"),
        (("-g", "classical,oversample", "-s", "vea:steps=1"), "unknown generator or selector in settings 'vea'"),
        (("-g", "oversample", "--select", "novlety"), "did you mean 'novelty'"),
        (("-g", "oversample", "--on-shortfall", "ignore"), "on_shortfall"),
        (("-g", "oversample", "--overdraw", "0.5"), "overdraw"),
        (("-g", "oversample", "--recipe", "anneal"), "a folder cannot hold"),
        (("-g", "oversample", "--recipe", "capp=1"), "cap"),
    ],
)
def test_an_impossible_request_is_refused_in_one_sentence(plain, tmp_path, genaug, options, words):
    code, _, told = genaug("run", plain, *options, "-o", tmp_path / "out")
    assert code == 2
    assert words in told
    assert told.count("error:") == 1
    assert not (tmp_path / "out").exists()


def test_a_capped_and_weighted_recipe_is_in_the_folder(plain, tmp_path, genaug):
    out = tmp_path / "out"
    recipe = ("--recipe", "cap=0.5,weight=0.25")
    assert genaug("run", plain, "-g", "classical", "--per-class", 5, *recipe, "-o", out)[0] == 0
    assert numbers(out) == {"cat": 9, "dog": 6, "owl": 4}
    made = [one for one in lines(out / "provenance.jsonl") if one["synthetic"]]
    assert {one["weight"] for one in made} == {0.25}
    assert json.loads((out / "run.json").read_text("utf-8"))["recipe"]["cap"] == 0.5


def test_sampling_continues_after_the_candidates_that_were_judged(coloured, tmp_path, genaug, quick_judges):
    out = tmp_path / "out"
    assert run(genaug, coloured, out, quick_judges, "--select", "consistency")[0] == 0
    drawn = json.loads((out / "run.json").read_text("utf-8"))["drawn"]["cdcgan"]
    more = tmp_path / "more"
    assert genaug("sample", out / "models/cdcgan", "-n", 2, "-o", more)[0] == 0
    for name, count in drawn.items():
        assert sorted(path.name for path in (more / name).iterdir()) == [
            f"cdcgan-{place:06d}.png" for place in (count, count + 1)
        ]


def test_images_that_a_person_rejected_are_replaced_and_all_others_stay(coloured, tmp_path, genaug):
    out, quick = tmp_path / "out", ("-g", "classical", "--per-class", 5, "--select", "none")
    assert genaug("run", coloured, *quick, "-o", out).code == 0
    before = contents(out / "train")
    marked = tmp_path / "rejected.json"
    names = ["train/red/classical-000001.png", "train/red/classical-000005.png", "train/blue/classical-000000.png"]
    marked.write_text(json.dumps({"format": 1, "rejected": names}), "utf-8")
    code, _, err = genaug("run", coloured, *quick, "-o", out, "--reject", marked)
    assert code == 0, err
    after = contents(out / "train")
    assert numbers(out) == {"blue": 11, "green": 13, "red": 15}
    gone = {name.removeprefix("train/") for name in names}
    assert before.keys() - after.keys() == gone - {"red/classical-000005.png"}
    assert after.keys() - before.keys() == {"red/classical-000006.png", "blue/classical-000005.png"}
    assert all(after[name] == data for name, data in before.items() if name in after)
    told = [line for line in lines(out / "rejections.jsonl") if line["selector"] == "by hand"]
    assert {(line["class"], line["index"]) for line in told} == {("red", 1), ("red", 5), ("blue", 0)}
    assert json.loads((out / "run.json").read_text("utf-8"))["rejected_by_hand"] == sorted(gone)
    assert genaug("verify", out).code == 0
    assert genaug("run", coloured, *quick, "-o", out).code == 0
    assert contents(out / "train") == before


def test_a_rejected_image_that_fills_up_is_replaced_too(coloured, tmp_path, genaug, quick_judges):
    out = tmp_path / "out"
    assert run(genaug, coloured, out, quick_judges, "--select", "consistency")[0] == 0
    filler = sorted(out.glob("train/*/classical-*.png"))[0]
    marked = tmp_path / "rejected.json"
    marked.write_text(json.dumps({"rejected": [filler.relative_to(out).as_posix()]}), "utf-8")
    assert run(genaug, coloured, out, quick_judges, "--select", "consistency", "--reject", marked)[0] == 0
    assert numbers(out) == {"blue": 10, "green": 12, "red": 14}
    assert not filler.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "cannot be read; expected a file of the report page"),
        ('{"rejected": [3]}', "cannot be read; expected a file of the report page"),
        ('{"rejected": ["train/red/0.png"]}', "names 'train/red/0.png', which is no synthetic image"),
        ('{"rejected": ["classical-000001.png"]}', "which is no synthetic image"),
        ('{"rejected": ["val/red/classical-000001.png"]}', "which is no synthetic image"),
        ('{"rejected": ["train/red/other-000001.png"]}', "unknown generator in the list of rejected images 'other'"),
        ('{"rejected": ["train/rde/classical-000001.png"]}', "did you mean 'red'"),
        ("[" * 100_000, "cannot be read; expected a file of the report page"),
    ],
)
def test_a_list_that_is_none_is_refused_before_any_work(coloured, tmp_path, genaug, text, words):
    marked = tmp_path / "rejected.json"
    marked.write_text(text, "utf-8")
    found = genaug("run", coloured, "-g", "classical", "-o", tmp_path / "out", "--reject", marked)
    assert found.code == 2
    assert words in found.err
    assert not (tmp_path / "out").exists()
