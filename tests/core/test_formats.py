"""Whatever the format, the same images under the same labels; shards that tell nothing but what they hold."""

import io
import json
import shutil
import sys
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from genaug import augment
from genaug.data.duplicates import pixel_hash
from genaug.errors import DataError, OutputError, UsageError
from genaug.output.formats import Entry, check_format, write_images
from genaug.output.mark import png
from genaug.output.run_file import require_class_folders
from PIL import Image

FORMS = ("folder", "webdataset", "parquet")
HOSTILE = ("001", "- a: [b]", 'it\'s "quoted"', "Žluťoučký 标志", "| <b> & `x`")


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (18, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def outs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One data set with hostile class names, of PNG, JPEG and GIF files, written in every format."""
    home = tmp_path_factory.mktemp("formats")
    for split, count in (("train", 3), ("test", 1)):
        for label, name in enumerate(HOSTILE):
            folder = home / "data" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                seed = 100 * label + 10 * number + (split == "test")
                Image.fromarray(picture(seed)).save(folder / f"{number}.{('png', 'jpg', 'gif')[number]}")
    for form in FORMS:
        made = augment(home / "data", "oversample", per_class=2, select=("none",), format=form)
        made.save(home / form)
    return {form: home / form for form in FORMS}


def known(out: Path) -> Counter[tuple[str, str, str]]:
    """(split, class, hash of pixels) of every file of the folder form, read by nothing of ours."""
    found: Counter[tuple[str, str, str]] = Counter()
    for path in (path for split in ("train", "test") for path in (out / split).rglob("*.*")):
        pixels = np.asarray(Image.open(path).convert("RGB"))
        found[path.relative_to(out).parts[0], path.parent.name, pixel_hash(pixels)] += 1
    return found


def loaded(out: Path, form: str, cache: Path, *, whole: bool) -> Counter[tuple[str, str, str]]:
    """The same through Hugging Face: by the card alone, or by the name of the format."""
    where = {"path": str(out)} if whole else {"path": form, "data_dir": str(out)}
    splits = load_dataset(**where, cache_dir=str(cache))
    image, label = ("png", "cls") if form == "webdataset" else ("image", "label")
    classes = sorted(HOSTILE)
    return Counter(
        (split, classes[row[label]], pixel_hash(np.asarray(row[image].convert("RGB"))))
        for split, rows in splits.items()
        for row in rows
    )


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_every_format_holds_the_same_images_and_labels(outs, form, whole, tmp_path):
    expected = known(outs["folder"])
    assert sum(expected.values()) == 5 * (3 + 2 + 1)
    assert loaded(outs[form], "imagefolder" if form == "folder" else form, tmp_path, whole=whole) == expected


def test_parquet_names_its_classes_and_carries_the_provenance(outs, tmp_path):
    rows = load_dataset("parquet", data_dir=str(outs["parquet"]), cache_dir=str(tmp_path))["train"]
    lines = {line["file_name"]: line for line in provenance(outs["parquet"])}
    assert rows.features["label"].names == sorted(HOSTILE)
    for row in rows:
        line = lines[row["file_name"]]
        assert (row["sha256"], row["synthetic"], row["index"]) == (line["sha256"], line["synthetic"], line.get("index"))
        assert json.loads(row["parents"] or "[]") == line.get("parents", [])


def provenance(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "provenance.jsonl").read_text("utf-8").splitlines()]


def test_tar_shards_hold_image_label_and_record_of_each_sample_and_nothing_of_the_machine(outs):
    lines = {line["member"]: line for line in provenance(outs["webdataset"]) if line["split"] == "train"}
    with tarfile.open(outs["webdataset"] / "data/train-000000.tar") as tar:
        headers = list(tar)
        assert {(header.mtime, header.uid, header.gid, header.uname) for header in headers} == {(0, 0, 0, "")}
        parts = {header.name: tar.extractfile(header).read() for header in headers}
    assert len(parts) == 3 * len(lines)
    for name, line in lines.items():
        stem = name.removesuffix(".png")
        record = json.loads(parts[f"{stem}.json"])
        assert record["file_name"] == line["file_name"]
        assert record["distance"] == line.get("nearest", {"distance": -1})["distance"], "-1: at no distance, not at 0"
        assert sorted(HOSTILE)[int(parts[f"{stem}.cls"])] == line["label"]
        assert Image.open(io.BytesIO(parts[name])).size in {(16, 18), (16, 16)}


def entries(count: int) -> list[Entry]:
    def entry(number: int) -> Entry:
        pixels = picture(number)
        line = {
            "file_name": f"train/a/{number}-\udcff.png",
            "pixels": pixel_hash(pixels),
            "split": "train",
            "label": "a",
            "synthetic": False,
            "weight": 1.0,
        }
        return Entry(line["file_name"], lambda: (line, png(pixels)))

    return [entry(number) for number in range(count)]


@pytest.fixture
def small_shards(monkeypatch):
    """Shards of 2,500 bytes."""
    monkeypatch.setattr("genaug.output.formats.shards._SHARD_BYTES", 2_500)


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_shards_are_cut_by_bytes_and_lose_nothing(form, tmp_path, small_shards):
    lines = list(write_images(form, {"train": entries(10)}, tmp_path, ["a"]))
    names = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert len(names) == 4
    assert names[-1] == {"webdataset": "train-000003.tar", "parquet": "train-00003-of-00004.parquet"}[form]
    assert Counter(line["shard"] for line in lines) == {f"data/{name}": 3 if name != names[-1] else 1 for name in names}
    assert len({line["file_name"] for line in lines}) == 10


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_the_same_images_give_the_same_bytes(form, tmp_path, small_shards):
    for name in ("one", "two"):
        assert len(list(write_images(form, {"train": entries(5)}, tmp_path / name, ["a"]))) == 5
    for path in (tmp_path / "one/data").iterdir():
        assert path.read_bytes() == (tmp_path / "two/data" / path.name).read_bytes()


def test_readers_of_parquet_see_the_image_as_hugging_face_stores_it(outs):
    schema = pq.read_schema(next((outs["parquet"] / "data").glob("train-*")))
    assert [field.name for field in schema.field("image").type] == ["bytes", "path"]
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert set(schema.names) == set(features)


def test_a_second_run_replaces_shards_and_a_stranger_among_them_stops_it(outs, tmp_path):
    out = Path(shutil.copytree(outs["webdataset"], tmp_path / "out"))
    more = augment(outs["webdataset"].parent / "data", "oversample", per_class=3, select=("none",), format="webdataset")
    more.save(out)
    assert len(provenance(out)) == 5 * (3 + 3 + 1)
    (out / "data/mine.tar").write_bytes(b"")
    with pytest.raises(OutputError, match=r"mine\.tar was not written by genaug"):
        more.save(out)


def test_parquet_without_its_library_is_refused_before_any_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"\./core\[parquet\]"):
        check_format("parquet")
    check_format("folder")
    check_format("webdataset")


def test_what_needs_class_folders_says_so(outs):
    require_class_folders(outs["folder"])
    require_class_folders(outs["folder"].parent / "data")
    with pytest.raises(DataError, match="--format folder"):
        require_class_folders(outs["parquet"])
