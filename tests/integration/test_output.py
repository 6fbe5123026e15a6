"""What stands beside the images: marks that exiftool reads, the card, the Croissant description."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from genaug.errors import DataError
from genaug.output.mark import SOURCE_TYPE
from genaug.output.reopen import open_mixed
from PIL import Image
from torchvision.datasets import ImageFolder

from tests.commands import QUICK
from tests.folders import COUNTS, fill

HOSTILE = ("001", "- a: [b]", 'it\'s "quoted"', "Žluťoučký 标志", "---", "| <b> & `x`")
# pandas hands pyarrow a file of Python's, and a thread of pyarrow's that still holds one when the interpreter is torn
# down aborts the process now and then (apache/arrow 34314, 50482): the reader ends without being torn down
READ = """
import json, os, sys
import mlcroissant

data = mlcroissant.Dataset(jsonld=sys.argv[1])
names = [record.uuid for record in data.metadata.record_sets]
plain = lambda value: value.decode() if isinstance(value, bytes) else getattr(value, "size", value)
print(json.dumps({name: [{key: plain(value) for key, value in row.items()} for row in data.records(name)]
                  for name in names}), flush=True)
os._exit(0)
"""


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool (libimage-exiftool-perl) is not here")
def test_exiftool_reads_the_origin_of_every_synthetic_image_and_of_no_real_one(plain, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "cdcgan", *QUICK, "--per-class", 1, "--seed", 5, "-o", out)[0] == 0
    asked = ["exiftool", "-json", "-n", "-r", "-XMP-iptcExt:DigitalSourceType", "-PNG:all", out / "train"]
    found = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    assert len(found) == sum(COUNTS.values()) + 3
    (fit,) = json.loads((out / "run.json").read_text("utf-8"))["fits"]
    for tags in found:
        made = "cdcgan-" in tags["SourceFile"]
        assert tags.get("DigitalSourceType") == (SOURCE_TYPE if made else None)
        if made:
            draw = json.loads(tags["Genaug"])
            assert (draw["generator"], draw["seed"], draw["index"]) == ("cdcgan", 5, 0)
            assert (draw["model"], draw["class"]) == (fit["sha256"], Path(tags["SourceFile"]).parent.name)
            assert draw["genaug"]


def croissant(out: Path, tmp_path: Path) -> dict[str, list[dict]]:
    """Every record, as mlcroissant reads it without a network."""
    start = [sys.executable, "-c", READ, str(out / "croissant.json")]
    cut_off = {
        "HOME": str(tmp_path),
        "PATH": "",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    done = subprocess.run(start, capture_output=True, text=True, check=False, env=cut_off)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("form", ["folder", "webdataset", "parquet"])
def test_croissant_is_valid_and_its_records_are_the_images(tmp_path, genaug, form):
    data = fill(tmp_path / "data/train", dict.fromkeys(HOSTILE, 2)).parent
    fill(data / "test", dict.fromkeys(HOSTILE, 1), seed=1)
    out = tmp_path / "out"
    options = ("--per-class", 1, "--select", "none", "--format", form, "-o", out)
    assert genaug("run", data, "-g", "oversample", *options)[0] == 0
    records = croissant(out, tmp_path)
    classes = {row["classes/label"]: row["classes/name"] for row in records["classes"]}
    assert [classes[label] for label in sorted(classes)] == sorted(HOSTILE)
    for split, count in (("train", 18), ("test", 6)):
        rows = [{key.partition("/")[2]: value for key, value in row.items()} for row in records[split]]
        labels = [classes.get(row["label"], row["label"]) for row in rows]
        assert sorted(labels) == sorted(HOSTILE * (count // 6))
        assert {row["split"] for row in rows} == {split}
        assert sum(row["synthetic"] for row in rows) == (6 if split == "train" else 0)
        assert {row["generator"] for row in rows if row["synthetic"]} <= {"oversample"}
        assert {tuple(row["image"]) for row in rows} <= {(20, 20), (16, 16)}


def test_the_card_opens_with_front_matter_that_no_class_name_breaks(tmp_path, genaug):
    data, out = fill(tmp_path / "data", dict.fromkeys(HOSTILE, 2)), tmp_path / "out"
    assert genaug("run", data, "-g", "oversample", "--per-class", 1, "--select", "none", "-o", out)[0] == 0
    before, front, body = (out / "README.md").read_text("utf-8").split("---\n", 2)
    said = yaml.safe_load(front)
    assert before == ""
    assert (said["license"], said["task_categories"]) == ("unknown", ["image-classification"])
    assert said["size_categories"] == ["n<1K"]
    assert "synthetic" in said["tags"]
    assert said["configs"][0]["data_files"] == [{"split": "train", "path": "train/**"}]
    assert body.count("\n| ") == 1 + len(HOSTILE)


def test_only_synthetic_writes_no_pixel_of_a_real_file(splits, tmp_path, genaug):
    out = tmp_path / "out"
    options = ("--only-synthetic", "--per-class", 2, "-o", out)
    code, shown, _ = genaug("run", splits, "-g", "cdcgan", *QUICK, *options, "--json")
    assert code == 0
    assert json.loads(shown)["counts"] == {name: {"real": 0, "classical": 0, "generated": 2} for name in COUNTS}
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == [
        ".genaug",
        "contact-sheets",
        "models",
        "train",
    ]
    assert len(ImageFolder(str(out / "train"))) == 6
    lines = [json.loads(line) for line in (out / "provenance.jsonl").read_text("utf-8").splitlines()]
    assert all(line["synthetic"] for line in lines)
    assert {line["nearest"]["file_name"] for line in lines} <= {
        path.relative_to(splits / "train").as_posix() for path in (splits / "train").rglob("*.png")
    }
    assert genaug("verify", out)[0] == 0
    assert genaug("run", splits, "-g", "cdcgan", *QUICK, "--per-class", 2, "-o", tmp_path / "both")[0] == 0
    for sheet in (out / "contact-sheets").iterdir():
        assert height(sheet) < height(tmp_path / "both/contact-sheets" / sheet.name)


def height(path: Path) -> int:
    with Image.open(path) as image:
        return image.height


def test_parquet_without_its_library_is_refused_before_training(plain, tmp_path, genaug, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, told = genaug("run", plain, "-g", "oversample", "--format", "parquet", "-o", tmp_path / "out")
    assert code == 2
    assert "./core[parquet]" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_a_run_in_shards_ends_alike_however_often_it_is_run(plain, tmp_path, genaug, form):
    for out in ("one", "two", "two"):
        options = ("--format", form, "--per-class", 2, "--select", "none", "-o", tmp_path / out)
        assert genaug("run", plain, "-g", "oversample", *options)[0] == 0
    for path in (tmp_path / "one/data").iterdir():
        assert path.read_bytes() == (tmp_path / "two/data" / path.name).read_bytes()


@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
def test_what_needs_class_folders_says_so_of_shards(plain, tmp_path, genaug, kind):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "oversample", "--per-class", 1, "--format", kind, "-o", out)[0] == 0
    code, _, told = genaug("evaluate", plain, out)
    assert code == 3
    assert f"lie in shards ({kind}); expected class folders" in told
    with pytest.raises(DataError, match="expected class folders"):
        open_mixed(out)


def test_a_run_says_what_the_probe_allows(plain, tmp_path, genaug):
    config = tmp_path / "judges.yaml"
    config.write_text("judge_steps: 5\n", "utf-8")
    arguments = ("run", plain, "-g", "classical", "--per-class", 1, "--probe", "--config", config)
    code, shown, _ = genaug(*arguments, "-o", tmp_path / "out")
    assert code == 0
    probed = json.loads((tmp_path / "out/run.json").read_text("utf-8"))["probed"]
    for words, names in (("kept every class", probed["allowed"]), ("banned", probed["banned"])):
        assert f"probe: {words}: {', '.join(names) or 'no change'}" in shown
