"""augment(): a path or torchvision's ImageFolder in, torch data sets and a saved folder out."""

import pytest
from genaug import augment
from genaug.errors import OutputError, UsageError
from torchvision.datasets import ImageFolder
from torchvision.transforms import ToTensor


@pytest.mark.parametrize("generator", ["oversample", "classical"])
def test_a_path_becomes_balanced_data_sets(splits, generator):
    result = augment(splits, generator=generator, balance="max")
    assert result.counts == {
        "cat": {"real": 6, "classical": 0, "generated": 0},
        "dog": {"real": 4, "classical": 2, "generated": 0},
        "owl": {"real": 3, "classical": 3, "generated": 0},
    }
    assert len(result.dataset) == 18
    assert sorted(result.synthetic.targets) == [1, 1, 2, 2, 2]
    assert result.dataset.class_to_idx == {"cat": 0, "dog": 1, "owl": 2}
    result.dataset.transform = ToTensor()
    image, label = result.dataset[17]
    assert (tuple(image.shape), label) == ((3, 20, 20), 2)


def test_input_types_give_the_same_images(splits):
    path = splits / "train"
    one = augment(path, generator="oversample", per_class=3)
    two = augment(ImageFolder(str(path)), generator="oversample", per_class=3)
    assert all((a == b).all() for a, b in zip(one.synthetic.images, two.synthetic.images, strict=True))


def test_the_result_is_saved_as_a_run_would_write_it(splits, tmp_path):
    result = augment(str(splits), generator="oversample", targets={"owl": 2}, seed=3)
    result.save(tmp_path / "out")
    loaded = ImageFolder(str(tmp_path / "out/train"))
    assert len(loaded) == 15
    assert len(ImageFolder(str(tmp_path / "out/test"))) == 6
    assert "genaug run" in (tmp_path / "out/report.html").read_text("utf-8")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/x").write_bytes(b"")
    with pytest.raises(OutputError, match="holds something else"):
        result.save(tmp_path / "other")


def test_files_left_out_are_reported(splits):
    (splits / "train/cat/x.png").write_bytes(b"broken")
    assert "not an image" in augment(splits, generator="oversample").skipped["train/cat/x.png"]


def test_rejected_candidates_are_reported_with_the_reason(splits):
    strict = {"select": ["consistency"], "judge_steps": 5, "overdraw": 1, "on_shortfall": "leave"}
    untested = {"selectors": {"consistency": {"level": 1}}}
    settings = {"steps": 4, "width": 4, "latent": 4}
    result = augment(splits, "cdcgan", per_class=8, preset="small", settings=settings, **strict, **untested)
    wanted = sum(8 - result.shortfall.get(name, 0) for name in result.counts)
    assert len(result.synthetic) == wanted
    assert len(result.rejected) > 0
    assert all(reason.startswith("consistency: looks like") for reason in result.rejected.values())
    assert {name.partition("/")[2].partition("-")[0] for name in result.rejected} == {"cdcgan"}


def test_classes_that_the_judges_cannot_tell_are_reported(splits):
    options = {"judge_steps": 5, "on_shortfall": "oversample", "preset": "small"}
    result = augment(splits, "cdcgan", per_class=1, settings={"steps": 2, "width": 4, "latent": 4}, **options)
    assert (len(result.synthetic), result.shortfall, result.failures) == (3, {}, {})
    assert set(result.refused) == set(result.counts), "all images are noise"
    assert all("not more than chance" in reason for reason in result.refused.values())


def test_no_selector_may_be_spelt_as_an_empty_list(splits):
    settings = {"steps": 2, "width": 4, "latent": 4}
    result = augment(splits, "cdcgan", per_class=1, preset="small", settings=settings, select=(), check=False)
    assert (len(result.synthetic), result.rejected) == (3, {})


def test_a_recipe_that_changes_with_time_is_had_live_and_refused_as_a_folder(splits, tmp_path):
    result = augment(splits, generator="classical", per_class=4, recipe="anneal", judge_steps=5)
    live = result.live()
    assert (len(live), int(live.synthetic.sum())) == (13 + 12, 12)
    assert live.recipe.mode == "anneal"
    with pytest.raises(UsageError, match="a folder cannot hold what happens during training"):
        result.save(tmp_path / "out")
    soft = result.live({"soft_labels": 0.5})
    assert tuple(soft.targets.shape) == (25, 3)
    assert soft.targets.sum(dim=1).tolist() == pytest.approx([1.0] * 25, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"generator": "oversampel"}, "did you mean 'oversample'"),
        ({"settings": {"no": 1}}, "unknown key 'no'"),
        ({"preset": "atuo"}, "did you mean 'auto'"),
        ({"per_class": -1}, "per_class"),
        ({"size": 20}, "multiples of 8"),
    ],
)
def test_bad_options_are_refused_in_words(splits, options, words):
    with pytest.raises(UsageError, match=words):
        augment(splits, **{"generator": "oversample", **options})


def test_other_data_is_refused_in_words():
    with pytest.raises(UsageError, match=r"expected a folder, an ImageFolder, .* got list"):
        augment([1, 2, 3], generator="oversample")
