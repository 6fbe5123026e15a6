"""The functions of the Python interface: options, progress, results in notebooks, and other libraries' data sets."""

import inspect as signatures
import json
import logging
import re
import subprocess
import sys
from html.parser import HTMLParser

import genaug
import numpy as np
import pytest
import torch
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, Value
from genaug import DataError, UsageError, api, augment
from genaug.run.config import RunConfig
from torch.utils.data import DataLoader

from tests.architecture.sources import ROOT
from tests.commands import QUICK
from tests.folders import fill

QUICKLY = {"settings": {"steps": 4, "width": 4, "latent": 4}, "preset": "small", "check": False, "select": ()}
FUNCTIONS = ["augment", "evaluate", "inspect", "plan", "predict", "study", "train", "training_recipe", "verify"]
SCRIPT = "<script>alert(1)</script>"


def test_every_public_name_is_listed_and_none_needs_torch_before_its_use():
    assert set(FUNCTIONS) | {"GenerativeSampler"} <= set(dir(genaug)) == set(genaug.__all__)
    code = "import sys; from genaug import augment, study; print('torch' in sys.modules, 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_every_key_of_a_run_is_an_option_with_a_type_and_a_description():
    listed = set(signatures.signature(augment).parameters)
    assert set(RunConfig.model_fields) | {"settings", "config", "workers", "reject", "progress"} <= listed
    undescribed = {name for name in listed if not re.search(rf"\b{name}(, \w+)*:", " ".join(augment.__doc__.split()))}
    assert undescribed == set()
    assert set(signatures.signature(genaug.plan).parameters) == listed - {"progress"}


def test_mypy_refuses_a_wrong_use_and_takes_a_right_one():
    words = [sys.executable, "-m", "mypy", "--strict", "tests/samples/uses.py"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"balanse": "max"}, r"unknown key of augment\(\) 'balanse' \(did you mean 'balance'\?\)"),
        ({"steps": 3}, "'steps' is a setting of train: write .* or settings={'steps': ...} in Python"),
        ({"settings": {"per_class": 3}}, "'per_class' is no setting of oversample but a key of the run"),
        ({"settings": {"stepz": 3}}, r"unknown key 'stepz' \(did you mean 'steps'\?\)"),
        ({"size": "big"}, "size: expected pixels such as 64 or 64x96"),
        ({"per_class": 1, "sampling_strategy": "auto"}, "expected one of per_class, balance, targets"),
    ],
)
def test_a_wrong_option_is_refused_with_the_right_one(splits, options, words):
    with pytest.raises(UsageError, match=words):
        augment(splits, **{"generator": "oversample", **options})


def test_an_option_that_study_has_not_is_refused(splits):
    with pytest.raises(UsageError, match=r"unknown key of study\(\) 'format'"):
        genaug.study(splits, format="parquet")


def test_a_config_file_gives_the_same_images_as_its_options(splits, tmp_path):
    (tmp_path / "run.yaml").write_text("generator: oversample\nbalance: median\nseed: 3\n", "utf-8")
    one = augment(splits, config=tmp_path / "run.yaml", per_class=2, progress=False)
    two = augment(splits, "oversample", per_class=2, seed=3, progress=False)
    assert one.counts == two.counts
    assert all((a == b).all() for a, b in zip(one.synthetic.images, two.synthetic.images, strict=True))


def test_a_callback_sees_every_stage(splits):
    seen = []
    augment(splits, "vae", per_class=1, progress=seen.append, **QUICKLY)
    assert {work.stage for work in seen} == {"training", "drawing"}
    assert max(work.done for work in seen if work.stage == "training") == 4
    assert {work.total for work in seen if work.stage == "training"} == {4}


def test_without_a_terminal_progress_is_logged_and_can_be_silent(splits, caplog):
    with caplog.at_level(logging.INFO, logger="genaug"):
        augment(splits, "oversample", per_class=1)
        assert "drawing oversample, 48 images" in caplog.messages
        caplog.clear()
        augment(splits, "oversample", per_class=1, progress=False)
    assert not any("images" in text for text in caplog.messages)


def test_a_program_that_listens_to_no_log_sees_progress_on_stderr(splits):
    code = f"import genaug; genaug.augment({str(splits)!r}, 'oversample', per_class=1"
    for more, shown in (("", True), (", progress=False", False)):
        done = subprocess.run([sys.executable, "-c", f"{code}{more})"], capture_output=True, text=True, check=True)
        assert ("drawing oversample, 48 images" in done.stderr) is shown


def test_arrays_and_tensors_hold_the_images_that_save_writes(splits, tmp_path):
    result = augment(splits, "classical", per_class=2, size=16, progress=False)
    images, labels = result.to_numpy()
    assert (images.dtype, images.shape, labels.dtype) == (np.uint8, (19, 16, 16, 3), np.int64)
    assert labels.tolist() == result.dataset.targets
    images, _ = result.to_numpy(size=(20, 20))
    assert all((pixels == one).all() for pixels, one in zip(images, result.dataset.images, strict=True)), (
        "their own size"
    )
    batch, numbers = next(iter(DataLoader(result.to_torch((20, 20)), batch_size=19)))
    assert (batch.dtype, tuple(batch.shape)) == (torch.float32, (19, 3, 20, 20))
    assert torch.equal((batch * 255).round().to(torch.uint8).permute(0, 2, 3, 1), torch.from_numpy(images))
    assert torch.equal(numbers, torch.from_numpy(labels))


def table(names, labels, seed=0, **columns):
    """A Hugging Face data set with columns of these names."""
    pixels = np.random.default_rng(seed).integers(0, 256, (len(labels), 20, 20, 3), dtype=np.uint8)
    image, label = columns.get("image", "image"), columns.get("label", "label")
    kind = Value("int64") if names is None else ClassLabel(names=names)
    return Dataset.from_dict({image: list(pixels), label: labels}, features=Features({image: Image(), label: kind}))


def test_hugging_face_in_hugging_face_out():
    data = table(["zebra", "ant"], [0, 0, 0, 1], image="img", label="fine")
    result = augment(data, "oversample", balance="max", progress=False).to_huggingface()
    assert result.features == data.features
    assert sorted(result["fine"]) == [0, 0, 0, 1, 1, 1]
    real = {np.asarray(row["img"]).tobytes(): row["fine"] for row in data}
    assert all(real[np.asarray(row["img"]).tobytes()] == row["fine"] for row in result), "copies of oversample too"


def test_splits_of_a_dataset_dict_come_back_under_their_names(tmp_path):
    data = DatasetDict({"train": table(None, [7, 7, 3]), "validation": table(None, [3], 1)})
    result = augment(data, "oversample", balance="max", progress=False).to_huggingface()
    assert isinstance(result, DatasetDict)
    assert {name: sorted(part["label"]) for name, part in result.items()} == {"train": [3, 3, 7, 7], "validation": [3]}
    assert np.array_equal(result["validation"][0]["image"], data["validation"][0]["image"])


def test_a_folder_becomes_a_hugging_face_data_set(splits):
    result = augment(splits, "oversample", per_class=1, progress=False).to_huggingface()
    assert {name: len(part) for name, part in result.items()} == {"train": 16, "test": 6}
    assert result["train"].features["label"].names == ["cat", "dog", "owl"]


class Tags(HTMLParser):
    """The tags of a page, and what they load."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.sources = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.sources += [value for name, value in attributes if name in ("src", "href")]


def check_html(result, least_images):
    """A result's HTML loads nothing, runs nothing and has pictures; its text says the same."""
    html = result._repr_html_()
    found = Tags(html)
    assert found.tags <= {"div", "p", "b", "table", "tr", "th", "td", "img"}, found.tags
    assert all(source.startswith("data:image/webp;base64,") for source in found.sources)
    assert len(found.sources) >= least_images
    assert SCRIPT not in html
    assert repr(result).splitlines()[0].split(":")[0] in html


def test_results_are_shown_in_a_notebook(tmp_path):
    name = SCRIPT.replace("/", "\N{DIVISION SLASH}")
    data = fill(tmp_path / "data", {name: 4, "dog": 3})
    result = augment(data, "vae", per_class=2, progress=False, **QUICKLY)
    check_html(result, least_images=11)
    assert repr(result).startswith("Augmented: 11 training images of 2 classes (7 real, 0 classical, 4 generated)")
    assert "genaug.study()" in repr(result)
    inspected = genaug.inspect(data)
    check_html(inspected, least_images=7)
    assert (inspected.counts["train"]["dog"], inspected.probe) == (3, None)
    planned = genaug.plan(data, "vae", per_class=2, **QUICKLY)
    check_html(planned, least_images=7)
    assert planned.counts == result.counts
    result.save(tmp_path / "out")
    evaluated = genaug.evaluate(data, tmp_path / "out", metrics="ssim")
    check_html(evaluated, least_images=11)
    assert [row.name for row in evaluated.rows] == ["ssim"]
    verified = genaug.verify(tmp_path / "out")
    check_html(verified, least_images=11)
    assert verified.sound
    (tmp_path / "out/train/dog/0.png").write_bytes(b"")
    assert not genaug.verify(tmp_path / "out").sound
    check_html(genaug.verify(tmp_path / "out"), least_images=10)


def test_functions_answer_as_their_commands_do(splits, tmp_path, genaug):
    import genaug as package

    shown = {name: json.loads(genaug(name, *words, "--json").out) for name, words in (("inspect", [splits]),)}
    found = json.loads(json.dumps(package.inspect(splits).to_json()))
    assert found == shown["inspect"]
    run = ("run", splits, "-g", "vae", "--per-class", 1, *QUICK, "-o", tmp_path / "out")
    assert genaug(*run).code == 0
    scores = json.loads(genaug("evaluate", splits, tmp_path / "out", "--metrics", "ssim,mmd[pixels]", "--json").out)
    assert package.evaluate(splits, tmp_path / "out", metrics=["ssim", "mmd[pixels]"]).to_json() == scores
    verified = json.loads(json.dumps(package.verify(tmp_path / "out").to_json()))
    assert verified == json.loads(genaug("verify", tmp_path / "out", "--json").out)


def test_a_study_is_one_call(tmp_path):
    data = fill(tmp_path / "data", {"cat": 6, "dog": 6})
    seen = []
    options = {"folds": 2, "repeats": 1, "seeds": 1, "steps": 2, "per_class": 2, "select": (), "workers": 1}
    found = genaug.study(data, "oversample", out=tmp_path / "out", progress=seen.append, **options)
    assert found.page == tmp_path / "out/report.html"
    assert found.verdict.partition(":")[0] in found.page.read_text("utf-8")
    check_html(found, least_images=12)
    assert {work.stage for work in seen} >= {"study"}
    again = genaug.study(data, "oversample", progress=False, **options)
    assert again.page is None
    assert {**again.record, "cost": None} == {**found.record, "cost": None}
    with pytest.raises(DataError):
        genaug.study(tmp_path / "nothing", "oversample")


def test_every_function_of_the_api_is_public():
    own = {name for name, value in vars(api).items() if getattr(value, "__module__", "") == "genaug.api"}
    functions = {name for name in own if signatures.isfunction(getattr(api, name)) and not name.startswith("_")}
    assert functions == set(FUNCTIONS)
