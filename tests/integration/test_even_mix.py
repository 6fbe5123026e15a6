"""Real, classical and generated images together: what a run without a target writes, and what recipes do to it."""

import json
from pathlib import Path

import pytest

from tests.commands import QUICK
from tests.folders import COUNTS, contents

EVEN = {
    "cat": {"real": 6, "classical": 0, "generated": 2},
    "dog": {"real": 4, "classical": 2, "generated": 2},
    "owl": {"real": 3, "classical": 3, "generated": 2},
}


def kinds(out: Path) -> dict[str, dict[str, int]]:
    lines = [json.loads(line) for line in (out / "provenance.jsonl").read_text("utf-8").splitlines()]
    counts = {name: dict.fromkeys(("real", "classical", "generated"), 0) for name in COUNTS}
    for line in lines:
        counts[line["label"]][line["kind"]] += line["split"] == "train"
    return counts


def test_without_a_target_every_class_has_equally_many_images_of_each_origin(plain, tmp_path, genaug):
    out = tmp_path / "out"
    code, shown, _ = genaug("run", plain, "-g", "cvae", *QUICK, "-o", out, "--json")
    assert code == 0
    assert json.loads(shown)["counts"] == EVEN == kinds(out) == json.loads((out / "classes.json").read_text())["counts"]
    assert "| owl | 3 | 3 | 2 |" in (out / "README.md").read_text("utf-8")
    planned = json.loads(genaug("plan", plain, "-g", "cvae", *QUICK, "--json").out)
    assert planned["counts"] == EVEN


@pytest.mark.parametrize("top_up", ["classical", "oversample"])
def test_a_top_up_goes_with_a_number_per_class(plain, tmp_path, genaug, top_up):
    out = tmp_path / "out"
    options = ("--per-class", 1, "--top-up", top_up)
    assert genaug("run", plain, "-g", "cvae", *QUICK, *options, "-o", out)[0] == 0
    assert kinds(out)["owl"] == {"real": 3, "classical": 3, "generated": 1}
    assert len(list((out / "train/owl").glob(f"{top_up}-*.png"))) == 3


def test_recipes_leave_alone_what_tops_up_and_count_it_as_real(plain, tmp_path, genaug):
    out = tmp_path / "out"
    options = ("--per-class", 9, "--top-up", "classical", "--recipe", "cap=1,weight=0.5")
    assert genaug("run", plain, "-g", "cvae", *QUICK, *options, "-o", out)[0] == 0
    assert kinds(out)["owl"] == {"real": 3, "classical": 3, "generated": 6}
    lines = [json.loads(line) for line in (out / "provenance.jsonl").read_text("utf-8").splitlines()]
    assert {line["weight"] for line in lines if line["kind"] == "generated"} == {0.5}
    assert {line["weight"] for line in lines if line["kind"] == "classical"} == {1.0}


def test_the_generator_that_tops_up_cannot_be_a_share_too(plain, tmp_path, genaug):
    options = ("--per-class", 1, "--top-up", "classical")
    code, _, told = genaug("run", plain, "-g", "cvae=0.5,classical=0.5", *options, "-o", tmp_path / "out")
    assert code == 2
    assert "classical is among the generators already" in told


def test_a_class_short_of_generated_images_is_filled_up_after_the_top_up(plain, tmp_path, genaug):
    out, listed = tmp_path / "out", tmp_path / "rejected.json"
    assert genaug("run", plain, "-g", "cvae", *QUICK, "-o", out)[0] == 0
    before = contents(out)
    listed.write_text('{"rejected": ["train/owl/classical-000001.png"]}', "utf-8")
    assert genaug("run", plain, "-g", "cvae", *QUICK, "-o", out, "--reject", listed)[0] == 0
    assert kinds(out) == EVEN
    assert not (out / "train/owl/classical-000001.png").exists()
    assert (out / "train/owl/classical-000003.png").exists()
    assert contents(out)["train/owl/classical-000002.png"] == before["train/owl/classical-000002.png"]


@pytest.mark.parametrize("resolution", ["real", "24"])
def test_variants_are_made_again_from_the_original_files(plain, tmp_path, genaug, resolution):
    out = tmp_path / "out"
    options = ("--resolution", resolution, "-o", out)
    assert genaug("run", plain, "-g", "cvae", *QUICK, *options)[0] == 0
    variant, drawn = (out / f"train/owl/{name}-000000.png" for name in ("classical", "cvae"))
    assert genaug("replay", drawn)[0] == 0
    if resolution == "real":
        assert genaug("replay", variant)[0] == 0
    else:
        code, _, told = genaug("replay", variant)
        assert code == 3
        assert "say with --data where it lies" in told
    assert genaug("replay", variant, "--data", plain)[0] == 0
    assert genaug("verify", out)[0] == 0
    assert genaug("run", plain, "-g", "cvae", *QUICK, *options)[0] == 0


def test_a_run_at_one_size_says_how_to_prepare_other_images(plain, tmp_path, genaug):
    code, shown, _ = genaug("run", plain, "-g", "cvae", *QUICK, "--resolution", 24, "-o", tmp_path / "out")
    assert code == 0
    assert "train at 24x24 pixels; stretch validation and test images to that size" in " ".join(shown.split())
