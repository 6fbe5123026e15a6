"""The sizes at which images are written, and their pixels."""

from pathlib import Path

import numpy as np
import pytest
from genaug import augment
from genaug.data.decode import decode
from genaug.errors import UsageError
from genaug.mixing.resolution import canvas
from PIL import Image
from torchvision.datasets import ImageFolder

SIDES = {"cat": range(40, 52), "dog": (90, 100, 110)}
TRAINED = {"preset": "small", "settings": {"steps": 4, "width": 4, "latent": 4}, "select": (), "check": False}


@pytest.fixture
def sized(tmp_path: Path) -> Path:
    """Twelve cats of 40 to 51 pixels and three dogs of 90 to 110, all different."""
    chance = np.random.default_rng(0)
    for name, sides in SIDES.items():
        (tmp_path / "data/train" / name).mkdir(parents=True)
        for side in sides:
            coarse = Image.fromarray(chance.integers(0, 256, (8, 8, 3), dtype=np.uint8))
            coarse.resize((side, side), Image.Resampling.BICUBIC).save(tmp_path / f"data/train/{name}/{side}.png")
    return tmp_path / "data"


def sizes(folder: Path, pattern: str) -> list[tuple[int, int]]:
    return [decode(path).pixels.shape[:2] for path in sorted(folder.glob(pattern))]


def test_generated_images_have_the_sizes_of_real_ones(sized, tmp_path):
    augment(sized, "cvae", per_class=20, **TRAINED).save(tmp_path / "out")
    cats, dogs = (sizes(tmp_path / "out/train", f"{name}/cvae-*.png") for name in SIDES)
    assert {side for size in cats for side in size} <= set(SIDES["cat"])
    assert len(set(cats)) > 5
    assert {side for size in dogs for side in size} <= {*SIDES["cat"], *SIDES["dog"]}  # too few dogs to draw from alone
    assert max(side for size in dogs for side in size) > 80
    for path in (sized / "train").rglob("*.png"):
        assert (tmp_path / "out" / path.relative_to(sized)).read_bytes() == path.read_bytes()


def test_sizes_depend_on_the_image_and_not_on_how_many_are_drawn(sized):
    few, many = (augment(sized, "cvae", per_class=count, **TRAINED) for count in (3, 9))
    by_class = [
        [image for image, label in zip(one.synthetic.images, one.synthetic.targets, strict=True) if label == 0][:3]
        for one in (few, many)
    ]
    assert all((a == b).all() for a, b in zip(*by_class, strict=True))


def test_one_size_for_all_leaves_the_users_files_alone(sized, tmp_path):
    before = {path: path.read_bytes() for path in sized.rglob("*.png")}
    result = augment(sized, "cvae", per_class=2, resolution=32, **TRAINED)
    result.save(tmp_path / "out")
    assert set(sizes(tmp_path / "out/train", "*/*.png")) == {(32, 32)}
    assert {path: path.read_bytes() for path in sized.rglob("*.png")} == before
    assert "train at 32x32 pixels" in (tmp_path / "out/README.md").read_text("utf-8")
    assert '"train_size": [' in (tmp_path / "out/classes.json").read_text("utf-8")


@pytest.mark.parametrize("resolution", ["real", 32])
def test_the_data_set_in_memory_holds_the_pixels_that_are_written(sized, tmp_path, resolution):
    result = augment(sized, "cvae", resolution=resolution, **TRAINED)
    assert result.counts == {
        "cat": {"real": 12, "classical": 0, "generated": 4},
        "dog": {"real": 3, "classical": 9, "generated": 4},
    }
    result.save(tmp_path / "out")
    written = ImageFolder(str(tmp_path / "out/train"))
    ours = sorted((label, np.asarray(image).tobytes()) for image, label in result.dataset)
    assert ours == sorted((label, np.asarray(image).tobytes()) for image, label in written)


def test_copies_and_variants_are_made_from_the_original_files(sized, tmp_path):
    originals = {decode(path).pixels.tobytes() for path in sized.rglob("*.png")}
    copies = augment(sized, "oversample", balance="max").synthetic.images
    assert {image.tobytes() for image in copies} <= originals
    variants = augment(sized, "classical", balance="max").synthetic.images
    assert {image.shape[0] for image in variants} <= set(SIDES["dog"])


@pytest.mark.parametrize(
    ("policy", "size"), [("stretch", (30, 60)), ("crop", (30, 30)), ("fit", (60, 60))], ids=["stretch", "crop", "fit"]
)
def test_the_canvas_is_what_became_the_models_image(policy, size):
    assert canvas((30, 60), (16, 16), policy) == size


@pytest.mark.parametrize("resolution", ["huge", 4, 4097, "-8", 16.5])
def test_a_resolution_that_cannot_be_is_refused(sized, resolution):
    with pytest.raises(UsageError, match="expected real or a number of pixels from 8 to 4096"):
        augment(sized, "oversample", resolution=resolution)
