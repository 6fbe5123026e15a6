"""augment(): a path or torchvision's ImageFolder in, torch data sets and a saved folder out."""

import pytest
from genaug import augment
from genaug.errors import OutputError, UsageError
from torchvision.datasets import ImageFolder
from torchvision.transforms import ToTensor


@pytest.mark.parametrize("generator", ["oversample", "classical"])
def test_a_path_becomes_balanced_data_sets(image_folder, generator):
    result = augment(image_folder, generator=generator, balance="max")
    assert result.counts == {
        "cat": {"real": 6, "synthetic": 0},
        "dog": {"real": 4, "synthetic": 2},
        "owl": {"real": 3, "synthetic": 3},
    }
    assert len(result.dataset) == 18
    assert sorted(result.synthetic.targets) == [1, 1, 2, 2, 2]
    assert result.dataset.class_to_idx == {"cat": 0, "dog": 1, "owl": 2}
    result.dataset.transform = ToTensor()
    image, label = result.dataset[17]
    assert (tuple(image.shape), label) == ((3, 16, 16), 2)


def test_two_doors_give_the_same_images(image_folder):
    path = image_folder / "train"
    one = augment(path, generator="oversample", per_class=3)
    two = augment(ImageFolder(str(path)), generator="oversample", per_class=3)
    assert (one.synthetic.images == two.synthetic.images).all()


def test_the_result_is_saved_as_a_run_would_write_it(image_folder, tmp_path):
    result = augment(str(image_folder), generator="oversample", targets={"owl": 2}, seed=3)
    result.save(tmp_path / "out")
    loaded = ImageFolder(str(tmp_path / "out/train"))
    assert len(loaded) == 15
    assert len(ImageFolder(str(tmp_path / "out/test"))) == 6
    (tmp_path / "other").mkdir()
    (tmp_path / "other/x").write_bytes(b"")
    with pytest.raises(OutputError, match="holds something else"):
        result.save(tmp_path / "other")


def test_files_left_out_are_told(image_folder):
    (image_folder / "train/cat/x.png").write_bytes(b"broken")
    assert "not an image" in augment(image_folder, generator="oversample").rejected["train/cat/x.png"]


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"generator": "oversampel"}, "did you mean 'oversample'"),
        ({"settings": {"no": 1}}, "unknown key 'no'"),
        ({"preset": "atuo"}, "did you mean 'auto'"),
        ({"per_class": -1}, "per_class"),
        ({"size": 20}, "multiples of 8"),
    ],
)
def test_bad_wishes_are_refused_in_words(image_folder, wishes, words):
    with pytest.raises(UsageError, match=words):
        augment(image_folder, **{"generator": "oversample", **wishes})


def test_other_data_is_refused_in_words():
    with pytest.raises(UsageError, match="a folder or a torchvision ImageFolder, got list"):
        augment([1, 2, 3], generator="oversample")
