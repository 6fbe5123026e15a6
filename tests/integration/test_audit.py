"""verify finds whatever was done to an output, and replay draws its images again, bit for bit."""

import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from genaug.audit import replay, verify
from genaug.registry import load_registry
from PIL import Image

from tests.commands import QUICK
from tests.folders import fill

HOSTILE = ("cat", "- a: [b]", 'it\'s "quoted"', "Žluťoučký 标志", "| <b> & `x`", "001")
MADE = f"train/{HOSTILE[1]}/cdcgan-000001.png"
REAL = "train/cat/1.png"
TEST = "test/cat/0.png"


def findings(out: Path) -> set[tuple[str, str]]:
    return {(finding.kind, finding.path) for finding in verify(out).findings}


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small run in every format, with class names that break what can be broken, and its data."""
    from genaug.cli import main

    home = tmp_path_factory.mktemp("written")
    fill(home / "data/test", dict.fromkeys(HOSTILE, 2), seed=1, side=24)
    fill(home / "data/train", dict.fromkeys(HOSTILE, 3), side=24)
    for form in ("folder", "webdataset", "parquet"):
        out = ("--per-class", "2", "--format", form, "-o", str(home / form))
        with pytest.raises(SystemExit) as stop:
            main(["run", str(home / "data"), "-g", "cdcgan", *QUICK, *out])
        assert stop.value.code == 0
    return {path.name: path for path in home.iterdir()}


@pytest.fixture
def out(written: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the folder form, to be mangled."""
    return Path(shutil.copytree(written["folder"], tmp_path / "out"))


def resaved(source: Path | io.BytesIO) -> bytes:
    buffer = io.BytesIO()
    Image.open(source).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["folder", "webdataset", "parquet"])
def test_an_output_is_verified_and_real_is_distinguished_from_synthetic(written, genaug, form):
    code, shown, _ = genaug("verify", written[form], "--json")
    told = json.loads(shown)
    assert (code, told["findings"]) == (0, [])
    assert told["counts"]["train"] == {"real": 18, "synthetic": 12, "unknown": 0}
    assert told["counts"]["test"] == {"real": 12, "synthetic": 0, "unknown": 0}
    assert (told["training"], told["held_out"]) == (30, 12)


def flip(out: Path, name: str) -> None:
    data = bytearray((out / name).read_bytes())
    data[len(data) // 2] ^= 1
    (out / name).write_bytes(data)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def relined(out: Path, **values: object) -> None:
    """The line of the synthetic image with other values."""
    lines = map(json.loads, (out / "provenance.jsonl").read_text("utf-8").splitlines())
    changed = [line | values if line["file_name"] == MADE else line for line in lines]
    (out / "provenance.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in changed), "utf-8")


def put_aside(out: Path) -> None:
    """A test image, one pixel aside and as JPEG, among the training images."""
    pixels = np.asarray(Image.open(out / TEST))
    smooth = Image.fromarray(pixels).resize((8, 8)).resize((96, 96), Image.Resampling.BICUBIC)
    smooth.save(out / TEST)
    Image.fromarray(np.roll(np.asarray(smooth), 1, axis=1)).save(out / "train/cat/near.jpg", quality=70)


FAULTS: dict[str, tuple[Callable[[Path], object], set[tuple[str, str]]]] = {
    "a flipped byte of a real image": (lambda out: flip(out, REAL), {("changed", REAL)}),
    "a flipped byte of a synthetic image": (lambda out: flip(out, MADE), {("changed", MADE)}),
    "a renamed file": (
        lambda out: (out / REAL).rename(out / "train/cat/new.png"),
        {("renamed", "train/cat/new.png")},
    ),
    "a file in another class": (
        lambda out: (out / REAL).rename(out / "train/001/7.png"),
        {("renamed", "train/001/7.png")},
    ),
    "a removed file": (lambda out: (out / REAL).unlink(), {("missing", REAL)}),
    "an added file": (
        lambda out: fill(out / "train/dog", {"deep": 1}, seed=9),
        {("added", "train/dog/deep/0.png")},
    ),
    "an added split": (lambda out: fill(out / "val", {"cat": 1}, seed=9), {("added", "val/cat/0.png")}),
    "a test image copied to train": (
        lambda out: shutil.copy(out / TEST, out / "train/cat/x.png"),
        {("added", "train/cat/x.png"), ("leaked", "train/cat/x.png")},
    ),
    "a test image moved to train": (
        lambda out: (out / TEST).rename(out / "train/cat/x.png"),
        {("renamed", "train/cat/x.png"), ("leaked", "train/cat/x.png")},
    ),
    "a near-duplicate of a test image in train": (
        put_aside,
        {("changed", TEST), ("added", "train/cat/near.jpg"), ("leaked", "train/cat/near.jpg")},
    ),
    "a test image in place of a training image": (
        lambda out: shutil.copy(out / TEST, out / REAL),
        {("changed", REAL), ("leaked", REAL)},
    ),
    "a synthetic image stripped of its mark": (
        lambda out: (out / MADE).write_bytes(resaved(out / MADE)),
        {("unmarked", MADE)},
    ),
    "a real image saved anew": (lambda out: (out / REAL).write_bytes(resaved(out / REAL)), {("changed", REAL)}),
    "a synthetic image stripped and passed off as another": (
        lambda out: (out / "train/cat/photo.png").write_bytes(resaved(out / MADE)),
        {("added", "train/cat/photo.png"), ("unmarked", "train/cat/photo.png")},
    ),
    "another model": (
        lambda out: flip(out, "models/cdcgan/all.safetensors"),
        {("model", "models/cdcgan/all.safetensors")},
    ),
    "no model": (
        lambda out: (out / "models/cdcgan/all.safetensors").unlink(),
        {("missing", "models/cdcgan/all.safetensors")},
    ),
    "no record of a model": (
        lambda out: (out / "models/cdcgan/all.json").unlink(),
        {("missing", "models/cdcgan/all.json")},
    ),
    "a line taken out of the provenance": (
        lambda out: (out / "provenance.jsonl").write_bytes(
            b"".join((out / "provenance.jsonl").read_bytes().splitlines(keepends=True)[1:])
        ),
        {("changed", "provenance.jsonl"), ("added", "test/- a: [b]/0.png")},
    ),
    "a link to a folder elsewhere": (
        lambda out: (out / "train/link").symlink_to(out / "test"),
        {("added", "train/link")},
    ),
    "a pipe in place of an image": (lambda out: pipe(out / REAL), {("changed", REAL)}),
    "an edited record of a model": (
        lambda out: (out / "models/cdcgan/all.json").write_text("{}"),
        {("changed", "models/cdcgan/all.json")},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_verify_finds(fault, out, written, genaug):
    mangle, expected = FAULTS[fault]
    before = snapshot(written["data"])
    mangle(out)
    mangled = snapshot(out)
    assert findings(out) == expected
    assert genaug("verify", out)[0] == 8
    assert snapshot(out) == mangled
    assert snapshot(written["data"]) == before


def test_whatever_is_done_to_the_output_the_source_files_stay_as_they_are(out, written, genaug, tmp_path):
    copy = tmp_path / "data"
    shutil.copytree(written["data"], copy)
    assert (
        genaug("run", copy, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "fresh", "--select", "none")[0] == 0
    )
    before = snapshot(copy)
    for path in [path for path in (tmp_path / "fresh").rglob("*") if path.is_file()]:
        with path.open("r+b") as file:
            file.write(b"overwritten in place")
            file.truncate()
    assert snapshot(copy) == before
    shutil.rmtree(tmp_path / "fresh")
    assert snapshot(copy) == before


def test_near_duplicates_between_the_splits_of_the_data_are_reported(tmp_path, genaug):
    data = fill(tmp_path / "data/train", {"cat": 3, "dog": 3}).parent
    fill(data / "test", {"cat": 1, "dog": 1}, seed=1)
    shutil.copy(data / "test/cat/0.png", data / "train/dog/leak.png")
    out = tmp_path / "out"
    assert genaug("run", data, "-g", "oversample", "--per-class", 1, "--select", "none", "-o", out)[0] == 0
    assert ("leaked", "train/dog/leak.png") in findings(out)


def test_without_a_held_out_split_verify_says_that_no_leak_can_be_seen(plain, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "oversample", "--select", "none", "-o", out)[0] == 0
    code, shown, _ = genaug("verify", out)
    assert code == 0
    assert "it is unknown whether test images" in shown
    made, real = "train/owl/oversample-000001.png", "train/cat/0.png"
    (out / made).write_bytes(resaved(out / made))
    flip(out, real)
    assert findings(out) == {("unmarked", made), ("changed", real)}
    details = {finding.path: finding.detail for finding in verify(out).findings}
    assert details[real] in {"its pixels differ", "it can no longer be read as an image"}


def rewritten_tar(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    with tarfile.open(path) as tar:
        parts = [(header.name, tar.extractfile(header).read()) for header in tar]
    with tarfile.open(path, "w") as tar:
        for name, data in parts:
            header = tarfile.TarInfo(name)
            header.size = len(new := change(name, data))
            tar.addfile(header, io.BytesIO(new))


def stripped(name: str, data: bytes) -> bytes:
    return resaved(io.BytesIO(data)) if b"trainedAlgorithmicMedia" in data else data


def relabelled(name: str, data: bytes) -> bytes:
    return b"5" if name == "train-000000000.cls" else data


def test_verify_reads_tar_shards(written, tmp_path):
    out = Path(shutil.copytree(written["webdataset"], tmp_path / "out"))
    shard, whole = out / "data/train-000000.tar", (written["webdataset"] / "data/train-000000.tar").read_bytes()
    rewritten_tar(shard, stripped)
    assert [kind for kind, _ in findings(out)].count("unmarked") == 12
    shard.write_bytes(whole)
    rewritten_tar(shard, relabelled)
    assert any("label" in finding.detail for finding in verify(out).findings)
    shard.write_bytes(whole)
    shard.rename(out / "data/train-000007.tar")
    assert findings(out) == {("renamed", "data/train-000007.tar")}
    (out / "data/train-000007.tar").unlink()
    assert findings(out) == {("missing", "data/train-000000.tar")}


def test_verify_reads_parquet_shards(written, tmp_path):
    out = Path(shutil.copytree(written["parquet"], tmp_path / "out"))
    shard = out / "data/train-00000-of-00001.parquet"
    table = pq.read_table(shard)
    rows = table.to_pylist()
    rows[3]["label"] = (rows[3]["label"] + 1) % len(HOSTILE)
    pq.write_table(type(table).from_pylist(rows, schema=table.schema), shard)
    assert {("changed", "data/train-00000-of-00001.parquet"), ("changed", rows[3]["file_name"])} == findings(out)
    shard.write_bytes(b"PAR1 but no more")
    assert findings(out) == {("changed", "data/train-00000-of-00001.parquet")}


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
@pytest.mark.parametrize("mangle", [pipe, lambda path: path.write_bytes(path.read_bytes()[:300])])
def test_a_shard_that_cannot_be_read_is_said_in_one_sentence(written, tmp_path, genaug, form, mangle):
    out = shutil.copytree(written[form], tmp_path / "out")
    (shard,) = (out / "data").glob("train-*")
    mangle(shard)
    name = shard.relative_to(out).as_posix()
    assert ("changed", name) in findings(out)
    found = genaug("replay", out / MADE)
    assert found.code == 3
    assert len(found.err.splitlines()) == 1


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_images_in_files_beside_shards_are_found(written, tmp_path, form):
    out = shutil.copytree(written[form], tmp_path / "out")
    fill(out / "train", {"cat": 1}, seed=9)
    assert findings(out) == {("added", "train/cat/0.png")}


def test_a_link_among_the_files_of_a_tar_shard_is_found(written, tmp_path):
    out = shutil.copytree(written["webdataset"], tmp_path / "out")
    (shard,) = (out / "data").glob("train-*")
    link = tarfile.TarInfo("link.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/nowhere"
    with tarfile.open(shard, "a") as tar:
        tar.addfile(link)
    assert findings(out) == {("changed", shard.relative_to(out).as_posix()), ("added", "link")}


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_a_test_shard_among_the_training_shards_is_a_leak(written, tmp_path, form):
    out = Path(shutil.copytree(written[form], tmp_path / "out"))
    (shard,) = (out / "data").glob("test-*")
    shutil.copy(shard, shard.with_name(shard.name.replace("test-", "train-9")))
    assert {kind for kind, _ in findings(out)} >= {"added", "leaked"}


@pytest.mark.parametrize(
    ("mangle", "words"),
    [
        (lambda out: (out / "run.json").unlink(), "no finished output"),
        (lambda out: (out / "run.json").write_text("[1]", "utf-8"), "no finished output"),
        (lambda out: (out / "provenance.jsonl").unlink(), "nothing is known"),
        (lambda out: (out / "provenance.jsonl").write_text('{"file_name": 3}\n', "utf-8"), "line 1 of"),
        (lambda out: (out / "provenance.jsonl").write_bytes(b"\xff{"), "line 1 of"),
        (shutil.rmtree, "no finished output"),
    ],
)
def test_records_that_cannot_be_read_are_said_in_one_sentence(out, genaug, mangle, words):
    mangle(out)
    code, _, told = genaug("verify", out)
    assert (code, words in told, "Traceback" in told) == (3, True, False), told


SMALL = {"steps": 3, "width": 8, "latent": 4, "sampling_steps": 2, "patch": 4}


def shrunk(name: str) -> list[str]:
    """The smallest settings of a generator; those that train nothing have no preset called small."""
    description = load_registry().generators.get(name)
    if "small" not in description.presets:
        return []
    known = {"steps", *description.config.model_fields}
    return ["--preset", "small", *(part for key in SMALL if key in known for part in ("-s", f"{key}={SMALL[key]}"))]


@pytest.mark.parametrize("name", load_registry().generators.names())
def test_twenty_random_images_are_drawn_again_bit_for_bit(name, plain, tmp_path, genaug):
    out = tmp_path / "out"
    options = ("--per-class", 9, "--select", "none", "--no-check", "--workers", 1, "-o", out)
    assert genaug("run", plain, "-g", name, *shrunk(name), *options)[0] == 0
    made = sorted(out.glob(f"train/*/{name}-*.png"))
    chosen = np.random.default_rng(0).choice(len(made), 20, replace=False)
    assert len(made) == 27
    for place in chosen:
        again = replay(made[place])
        assert (again.identical, again.as_written, again.largest) == (True, True, 0.0)


@pytest.mark.parametrize("fallback", ["classical", "oversample"])
def test_images_that_fill_up_a_shortfall_are_drawn_again_too(plain, tmp_path, genaug, fallback):
    config, out = tmp_path / "run.yaml", tmp_path / "out"
    strict = "judge_steps: 5\nselect: [consistency]\noverdraw: 1\nselectors: {consistency: {least: 0.99}}\n"
    config.write_text(strict, "utf-8")
    options = ("--per-class", 17, "--on-shortfall", fallback, "--config", config, "-o", out)
    assert genaug("run", plain, "-g", "cdcgan", *QUICK[:-2], *options)[0] == 0
    filled = list(out.glob(f"train/*/{fallback}-*.png"))
    assert filled
    assert all(replay(path).identical for path in filled[:5])


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_an_image_in_a_shard_is_drawn_again_by_its_name(written, form):
    assert replay(written[form] / MADE).identical


def test_an_image_elsewhere_is_drawn_again_by_its_own_mark(out, tmp_path, genaug):
    shutil.copy(out / MADE, tmp_path / "copy.png")
    code, _, told = genaug("replay", tmp_path / "copy.png")
    assert code == 3
    assert "--models" in told
    assert genaug("replay", tmp_path / "copy.png", "--models", out)[0] == 0
    assert genaug("sample", out, "-n", 1, "-o", tmp_path / "more")[0] == 0
    more = next((tmp_path / "more").rglob("*.png"))
    assert genaug("replay", more, "--models", out)[0] == 0


def test_a_changed_file_is_reported_with_its_distance_and_an_exit_code(out, genaug):
    pixels = np.array(Image.open(out / MADE))
    pixels[0, 0, 0] ^= 8
    Image.fromarray(pixels).save(out / MADE)
    code, shown, _ = genaug("replay", out / MADE, "--json")
    told = json.loads(shown)
    assert code == 8
    assert (told["identical"], told["as_written"], told["largest"]) == (False, True, 8.0)
    assert told["mean"] == pytest.approx(8 / pixels.size, abs=1e-4)
    code, shown, told = genaug("replay", out / MADE)
    assert "by at most 8 grey levels" in shown
    assert "the file was changed since" in told


def test_a_file_saved_anew_has_the_same_pixels_in_other_bytes(out, genaug):
    (out / MADE).write_bytes(resaved(out / MADE))
    code, shown, _ = genaug("replay", out / MADE)
    assert code == 8
    assert "the same pixels in other bytes" in shown


@pytest.mark.parametrize(
    ("mangle", "name", "words"),
    [
        (lambda out: None, REAL, "is a real image"),
        (lambda out: None, "train/cat/nobody.png", "there is no image"),
        (lambda out: fill(out / "train", {"new": 1}), "train/new/0.png", "no record of its draw"),
        (lambda out: flip(out, "models/cdcgan/all.safetensors"), MADE, "gone or changed"),
        (lambda out: (out / "models/cdcgan/all.json").unlink(), MADE, "is no model that this genaug wrote"),
        (lambda out: relined(out, size=[0, 20]), MADE, "says the size [0, 20]"),
        (lambda out: relined(out, size=None), MADE, "says the size None"),
        (lambda out: relined(out, size=[10**9, 10**9]), MADE, "says the size [1000000000, 1000000000]"),
    ],
)
def test_what_cannot_be_drawn_again_is_said_in_one_sentence(out, genaug, mangle, name, words):
    mangle(out)
    code, _, told = genaug("replay", out / name)
    assert (code, words in told, "Traceback" in told) == (3, True, False), told


@pytest.mark.parametrize("parents", [[], ["cat/0.png", "cat/1.png"]])
def test_a_variant_of_several_images_is_refused(plain, tmp_path, genaug, parents):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "oversample", "--per-class", 1, "--no-check", "-o", out).code == 0
    lines = map(json.loads, (out / "provenance.jsonl").read_text("utf-8").splitlines())
    changed = [line | {"parents": parents} if line["synthetic"] else line for line in lines]
    (out / "provenance.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in changed), "utf-8")
    found = genaug("replay", out / "train/cat/oversample-000000.png")
    assert (found.code, f"its record names {len(parents)}" in found.err) == (3, True), found.err


@pytest.mark.parametrize(
    "values",
    [
        {"drawn": None},
        {"drawn": {"cdcgan": {"cat": "x"}}},
        {"sizes": []},
        {"sizes": {"cat": [[20]]}},
        {"sizes": {"cat": [[10**9, 10**9]]}},
        {"generators": None},
        {"generators": [{}]},
    ],
)
def test_sample_refuses_an_edited_record_of_a_run(out, tmp_path, genaug, values):
    run = json.loads((out / "run.json").read_text("utf-8"))
    (out / "run.json").write_text(json.dumps(run | values), "utf-8")
    found = genaug("sample", out, "-n", 1, "-o", tmp_path / "more")
    assert (found.code, "run.json is not what genaug run wrote" in " ".join(found.err.split())) == (3, True), found.err
    assert not (tmp_path / "more").exists()
