"""Input types: the same pixels under the same class names give the same images, whatever type holds them."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import ClassLabel, DatasetDict, Features, Value
from datasets import Dataset as Table
from datasets import Image as ImageFeature
from genaug import augment
from genaug.augmented import Augmented
from genaug.data.input_types import load_any
from genaug.errors import DataError, UsageError
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset, IterableDataset, Subset, TensorDataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import Normalize, ToTensor

COUNTS = {"cat": 5, "dog": 3, "owl": 2}
CLASSES = list(COUNTS)
QUICK = {"settings": {"steps": 4, "width": 4, "latent": 4}, "preset": "small", "device": "cpu"}
GENERATORS: dict[str, dict[str, Any]] = {"oversample": {}, "classical": {}, "cdcgan": QUICK}


@dataclass
class Pictures:
    """Images uint8 [H, W] or [H, W, 3] of one size, their classes, and a folder that holds the same as PNG files."""

    folder: Path
    images: list[NDArray[np.uint8]]
    labels: list[str]

    @property
    def numbers(self) -> list[int]:
        return [CLASSES.index(label) for label in self.labels]


class Items(Dataset):
    """A map-style torch data set of these items."""

    def __init__(self, images, labels, **attributes):
        self.items = list(zip(images, labels, strict=True))
        vars(self).update(attributes)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


def pictures(folder: Path, *shape: int, seed: int = 0) -> Pictures:
    chance = np.random.default_rng(seed)
    labels = [name for name, count in COUNTS.items() for _ in range(count)]
    images = [chance.integers(0, 256, shape, dtype=np.uint8) for _ in labels]
    for number, (label, image) in enumerate(zip(labels, images, strict=True)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / label / f"{number}.png")
    return Pictures(folder, images, labels)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory) -> dict[str, Pictures]:
    """Grey and colour pictures, higher than wide."""
    home = tmp_path_factory.mktemp("inputs")
    return {"grey": pictures(home / "grey", 27, 18), "colour": pictures(home / "colour", 27, 18, 3)}


@pytest.fixture(scope="module")
def from_the_folder(kinds) -> Callable[[str, str], NDArray[np.uint8]]:
    """Synthetic images from the folder, drawn once for each kind and generator."""
    drawn: dict[tuple[str, str], NDArray[np.uint8]] = {}

    def images(kind: str, generator: str) -> NDArray[np.uint8]:
        if (kind, generator) not in drawn:
            drawn[kind, generator] = synthetic(kinds[kind].folder, generator)
        return drawn[kind, generator]

    return images


def synthetic(data: Any, generator: str) -> NDArray[np.uint8]:
    return np.stack(added(data, generator, balance="max").synthetic.images[:])


def added(data: Any, generator: str = "oversample", **options: Any) -> Augmented:
    """The result with every image that the generator draws; selection has tests of its own."""
    return augment(data, generator, select=(), check=False, **GENERATORS[generator], **options)


def png(image: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def table(images: list[Any], labels: list[Any], kind: Any = None) -> Table:
    features = Features({"image": ImageFeature(), "label": kind or ClassLabel(names=CLASSES)})
    return Table.from_dict({"image": images, "label": labels}, features=features)


def floats(data: Pictures) -> NDArray[np.float32]:
    """[N, C, H, W] in [0, 1]."""
    return np.stack([ToTensor()(image).numpy() for image in data.images])


def backwards(data: Pictures) -> Subset:
    folder = ImageFolder(str(data.folder), transform=ToTensor())
    return Subset(Subset(folder, range(len(folder))), list(range(len(folder)))[::-1])


def as_splits(data: Pictures) -> DatasetDict:
    train = table([{"bytes": png(image), "path": "a.png"} for image in data.images], data.numbers)
    return DatasetDict(test=table([png(np.zeros_like(data.images[0]))], [0]), train=train)


INPUT_TYPES: dict[str, Callable[[Pictures], Any]] = {
    "ImageFolder": lambda data: ImageFolder(str(data.folder)),
    "Subset of an ImageFolder": backwards,
    "torch data set of PIL images": lambda data: Items(
        map(Image.fromarray, data.images), data.numbers, classes=CLASSES
    ),
    "torch data set of float tensors": lambda data: Items(map(ToTensor(), data.images), data.labels),
    "torch data set of uint8 tensors": lambda data: Items(
        [torch.from_numpy(np.atleast_3d(image)).permute(2, 0, 1) for image in data.images],
        [torch.tensor(number) for number in data.numbers],
        class_to_idx={name: number for number, name in enumerate(CLASSES)},
    ),
    "Subset of a torch data set": lambda data: Subset(
        Items(map(Image.fromarray, data.images), data.numbers, classes=CLASSES), range(len(data.images))
    ),
    "Hugging Face Dataset": lambda data: table([Image.fromarray(image) for image in data.images], data.numbers),
    "Hugging Face Dataset of files": lambda data: table(
        *zip(*((str(path), path.parent.name) for path in sorted(data.folder.glob("*/*"))), strict=True), Value("string")
    ),
    "Hugging Face Dataset without features": lambda data: Table.from_dict(
        {"img": [png(image) for image in data.images], "labels": data.labels}
    ),
    "Hugging Face DatasetDict": as_splits,
    "uint8 arrays, channels last": lambda data: (np.stack(data.images), np.array(data.labels)),
    "float arrays, channels first": lambda data: (floats(data), data.labels),
    "float arrays, channels last": lambda data: (np.stack(data.images) / np.float32(255), data.labels),
    "tensors": lambda data: (torch.from_numpy(floats(data)), data.labels),
    "a list of images": lambda data: ([Image.fromarray(image) for image in data.images], data.labels),
}


@pytest.mark.parametrize("generator", ["classical", "cdcgan"])
@pytest.mark.parametrize("kind", ["grey", "colour"])
@pytest.mark.parametrize("input_type", INPUT_TYPES)
def test_every_input_type_gives_the_same_synthetic_images(kinds, from_the_folder, input_type, kind, generator):
    expected = from_the_folder(kind, generator)
    assert expected.shape == (5, 27, 18, 1 if kind == "grey" else 3)
    assert np.array_equal(synthetic(INPUT_TYPES[input_type](kinds[kind]), generator), expected)


@pytest.fixture
def odd_files(tmp_path) -> Path:
    """Images that are each stored in a different, unusual way."""
    folder = tmp_path / "odd/thing"
    folder.mkdir(parents=True)
    chance = np.random.default_rng(3)
    colour = Image.fromarray(chance.integers(0, 256, (24, 16, 3), dtype=np.uint8))
    turned = Image.Exif()
    turned[274] = 6  # the EXIF orientation: rotate by 90 degrees
    colour.save(folder / "turned.jpg", exif=turned)
    colour.save(folder / "turned.tif", exif=turned)
    colour.quantize(16).save(folder / "palette.png")
    colour.quantize(8).save(folder / "palette.png2", "PNG", transparency=0)
    colour.convert("RGBA").save(folder / "alpha.png")
    colour.convert("CMYK").save(folder / "print.tif")
    colour.convert("LA").save(folder / "grey-alpha.png")
    colour.convert("1").save(folder / "bits.png")
    Image.fromarray(chance.integers(0, 65536, (24, 16), dtype=np.uint16)).save(folder / "deep.png")
    return folder.parent


@pytest.mark.parametrize("content", [Image.open, lambda path: {"bytes": path.read_bytes(), "path": path.name}])
def test_images_in_memory_are_read_like_their_files(odd_files, content):
    paths = sorted(odd_files.glob("*/*"))
    images = [content(path) for path in paths]
    data = (
        table(images, ["thing"] * 9, Value("string")) if isinstance(images[0], dict) else Items(images, ["thing"] * 9)
    )
    loaded, expected = (load_any(source, None, (16, 16), "crop") for source in (data, odd_files))
    assert sorted(loaded.splits["train"].hashes) == sorted(expected.splits["train"].hashes)
    assert loaded.train.fingerprint == expected.train.fingerprint


def test_exif_rotation_is_applied_after_the_conversion_of_torchvisions_loader(odd_files):
    (path,) = odd_files.glob("*/turned.jpg")
    loaded = load_any(Items([Image.open(path).convert("RGB")], ["thing"]), None, None, "auto")
    assert (loaded.splits["train"].facts[0].width, loaded.splits["train"].facts[0].height) == (24, 16)


def test_splits_of_hugging_face_are_those_of_a_folder(kinds, tmp_path):
    images = kinds["colour"].images
    splits = DatasetDict(
        test=table(images[:3], [0, 1, 1]),
        train=table(images[3:5], [0, 2]),
        validation=table(images[5:6], [2]),
        extra=table(images[6:7], [2]),
    )
    result = added(splits, per_class=1)
    assert result.dataset.classes == ["cat", "owl"]
    assert "not a split" in result.skipped["extra"]
    assert "train has no image of this class" in result.skipped["test/dog"]
    result.save(tmp_path / "out")
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").glob("[tv]*/*/*"))
    assert files == [
        "test/cat/000000.png",
        "train/cat/000000.png",
        "train/cat/oversample-000000.png",
        "train/owl/000001.png",
        "train/owl/oversample-000000.png",
        "validation/owl/000000.png",
    ]


@pytest.mark.parametrize("input_type", ["uint8 arrays, channels last", "Hugging Face Dataset"])
def test_images_from_memory_are_saved_unchanged(kinds, tmp_path, input_type):
    data = kinds["colour"]
    added(INPUT_TYPES[input_type](data), balance="max").save(tmp_path / "out")
    loaded = ImageFolder(str(tmp_path / "out/train"))
    assert loaded.classes == CLASSES
    assert [loaded.targets.count(label) for label in range(3)] == [5, 5, 5]
    for number, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        assert np.array_equal(np.asarray(Image.open(tmp_path / f"out/train/{label}/{number:06d}.png")), image)


@pytest.mark.parametrize("path", [None, "a.jpg", "a.jpg?size=1"])
def test_files_of_hugging_face_keep_their_bytes_and_format(kinds, tmp_path, path):
    buffer = io.BytesIO()
    Image.fromarray(kinds["colour"].images[0]).save(buffer, "JPEG")
    data = table([{"bytes": buffer.getvalue(), "path": path}, {"bytes": b"broken", "path": "x.png"}], [0, 0])
    result = added(data, per_class=0)
    assert "not an image" in result.skipped["train/cat/000001.png"]
    result.save(tmp_path / "out")
    assert (tmp_path / "out/train/cat/000000.jpg").read_bytes() == buffer.getvalue()


def test_the_scratch_folder_exists_as_long_as_the_loaded_folder(kinds):
    loaded = load_any(INPUT_TYPES["tensors"](kinds["grey"]), None, None, "auto")
    root = loaded.scan.root
    assert len(list(root.glob("train/*/*.png"))) == 10
    del loaded
    assert not root.exists()


def test_a_class_may_have_the_name_of_a_split(kinds):
    images = np.stack(kinds["grey"].images[:3])
    assert added((images, ["test", "train", "val"]), per_class=0).dataset.classes == [
        "test",
        "train",
        "val",
    ]


def test_only_chosen_classes_are_used(kinds):
    data = INPUT_TYPES["torch data set of PIL images"](kinds["grey"])
    result = added(data, classes=["owl", "dog"], per_class=1)
    assert result.counts == {
        "dog": {"real": 3, "classical": 1, "generated": 0},
        "owl": {"real": 2, "classical": 1, "generated": 0},
    }
    assert result.skipped == {"train/cat": "not among the chosen classes"}
    assert len(list(load_any(data, ["owl"], None, "auto").scan.root.glob("*/*/*"))) == 2
    with pytest.raises(UsageError, match="unknown class 'dgo' \\(did you mean 'dog'"):
        added(data, classes=["dgo"])


def test_sizes_may_differ_in_a_list_of_images(kinds):
    images = [kinds["grey"].images[0], kinds["colour"].images[0][:15]]
    assert load_any((images, [0, 0]), None, None, "auto").spec.counts == (2,)


@pytest.mark.parametrize("label", [7, 7.0, np.int64(7), np.array([7]), torch.tensor(7), "7", np.str_("7")])
def test_the_class_name_is_the_number_or_text_of_the_label(kinds, label):
    assert load_any(Items(kinds["grey"].images[:1], [label]), None, None, "auto").spec.classes == ("7",)


def test_class_names_are_found_inside_wrappers(kinds):
    inner = Subset(Items(kinds["grey"].images[:2], [1, 0], classes=("a", "b")), [0])
    wrapped = Items([inner[0][0]], [inner[0][1]], dataset=inner)
    assert load_any(wrapped, None, None, "auto").spec.classes == ("b",)


def test_a_float_image_that_cannot_become_8_bits_is_left_out_and_listed(kinds):
    images = [Image.fromarray(kinds["grey"].images[0]), Image.new("F", (16, 16))]
    result = added(Items(images, [0, 0]), per_class=0)
    assert "floating-point" in result.skipped["train/0/000001.png"]
    with pytest.raises(DataError, match=r"no image to train on \(train/0/000000.png: 32-bit floating-point"):
        added(Items(images[1:], [0]))


GREY = np.zeros((2, 16, 16), np.uint8)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((GREY / 1.0 + 2.0, [0, 1]), "X[0]: expected float in [0, 1], got values from 2 to 2"),
        ((GREY - 0.01, [0, 1]), "X[0]: expected float in [0, 1], got values from -0.01 to -0.01"),
        ((np.full((2, 16, 16), np.nan), [0, 1]), "X[0] holds NaN"),
        ((GREY + np.inf, [0, 1]), "got values from inf to inf"),
        ((GREY.astype(np.int64), [0, 1]), "uint8 in [0, 255] or of float in [0, 1], got int64"),
        ((GREY.reshape(2, 256), [0, 1]), "expected the shape [N, H, W], [N, H, W, C] or [N, C, H, W], got [2, 256]"),
        ((np.zeros((2, 16, 16, 7), np.uint8), [0, 1]), "with C from 1 to 4, got [16, 16, 7]"),
        ((GREY[:, :0], [0, 1]), "got [0, 16]"),
        ((GREY, [0]), "expected one label per image, got 2 images and 1 labels"),
        ((GREY[:0], []), "the data holds no image to train on; expected at least one image"),
        ((GREY, [0, None]), "y[1] has no label"),
        ((GREY, np.array([0.0, np.nan])), "y[1] has no label"),
        ((GREY, [0, 0.5]), "y[1]: expected a whole number or a text as the label, got 0.5"),
        ((GREY, np.eye(2)), "y[0]: expected a whole number or a text as the label, got an array of shape (2,)"),
        ((GREY, ["a", ""]), "the class name '' cannot be a folder"),
        ((GREY, ["a", ".."]), "the class name '..' cannot be a folder"),
        ((GREY, ["a", ".b"]), "the class name '.b' cannot be a folder"),
        ((GREY, ["a", "b/c"]), "the class name 'b/c' cannot be a folder"),
        ((GREY, ["a", "b\0"]), "cannot be a folder"),
        ((["x", "y"], [0, 1]), "X[0]: expected a PIL image, or an array"),
        (Items(GREY, [0, 3], classes=["a", "b"]), "item 1: expected the label of one of the data set's 2 classes"),
        (TensorDataset(torch.zeros(2, 1, 16, 16)), "item 0: expected (image, label), got tuple"),
        (Items(map(Normalize([0.5], [0.1]), torch.ones(1, 1, 16, 16)), [0]), "without normalisation"),
        (DatasetDict(test=table([png(GREY[0])], [0])), "expected a split called train, got test"),
        (table([png(GREY[0])], [None]), "row 0 of train has no label"),
        (
            table([png(GREY[0])], [-1]),
            "row 0 of train: expected a label in [0, 3), got -1; remove rows without a label",
        ),
        (table([{"path": "gone.png", "bytes": None}], [0]), "the path of a file that exists, got 'gone.png'"),
        (table([None], [0]), "row 0 of train: expected the bytes of an image"),
        (
            Table.from_dict({"image": [GREY[0]], "label": [0]}),
            "paths or bytes of image files, in the column image, got List",
        ),
        (Table.from_dict({"pixels": [1], "label": [0]}), "expected one Image column, or one called image or img, got"),
        (table([png(GREY[0])], [0]).rename_column("label", "kind").cast_column("kind", Value("int64")), "ClassLabel"),
    ],
)
def test_data_that_cannot_be_used_is_refused_in_words(data, words):
    with pytest.raises(DataError, match=re.escape(words)):
        added(data)


class Stream(IterableDataset):
    def __len__(self):
        return 1

    def __iter__(self):
        return iter([(GREY[0], 0)])


@pytest.mark.parametrize(
    "data", [[1, 2], None, 3, GREY, {"a": 1}, (GREY, GREY, GREY), torch.zeros(2, 16, 16), Stream()]
)
def test_other_input_is_refused_and_the_input_types_are_named(data):
    words = (
        "a folder, an ImageFolder, a map-style torch data set of (image, label), a Hugging Face Dataset or DatasetDict"
    )
    with pytest.raises(UsageError, match=re.escape(f"expected {words}, or arrays (X, y), got {type(data).__name__}")):
        added(data)


def test_a_file_used_twice_from_an_image_folder_is_refused(kinds):
    folder = ImageFolder(str(kinds["grey"].folder))
    with pytest.raises(DataError, match="uses a file twice"):
        added(Subset(folder, [0, 1, 0]))


def test_balance_and_sampling_strategy_together_are_refused(kinds):
    with pytest.raises(UsageError, match="got balance and sampling_strategy"):
        added(kinds["grey"].folder, balance="max", sampling_strategy="auto")


@pytest.mark.parametrize("strategy", ["minority", {"owl": 5}, lambda y: {"owl": y.count("cat")}])
def test_a_sampling_strategy_decides_the_number_of_images(kinds, strategy):
    result = added(kinds["grey"].folder, sampling_strategy=strategy)
    assert {name: count["classical"] for name, count in result.counts.items()} == {"cat": 0, "dog": 0, "owl": 3}


def test_a_sampling_strategy_may_name_classes_by_number(kinds):
    data = (np.stack(kinds["grey"].images), kinds["grey"].numbers)
    assert added(data, sampling_strategy={2: 4}).counts["2"] == {"real": 2, "classical": 2, "generated": 0}


def test_the_examples_in_docs_python_run(kinds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "signs").symlink_to(kinds["colour"].folder)
    blocks = re.findall(
        r"```python\n(.*?)```", (Path(__file__).parents[2] / "docs/python.md").read_text("utf-8"), re.DOTALL
    )
    assert len(blocks) >= 3
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
