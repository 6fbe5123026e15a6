"""A class folder in, a balanced, marked, loadable data set out; restarts and workers change no byte."""

import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from datasets import load_dataset
from PIL import Image
from torchvision.datasets import ImageFolder

from tests.commands import QUICK
from tests.folders import COUNTS, contents, fill


def numbers(out: Path, split: str = "train") -> dict[str, int]:
    return {folder.name: len(list(folder.iterdir())) for folder in sorted((out / split).iterdir())}


def synthetic(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.glob("train/*/*-??????.png")}


def test_per_class_adds_exactly_so_many_to_each_class(plain, tmp_path, genaug):
    out = tmp_path / "out"
    code, shown, _ = genaug("run", plain, "-g", "cdcgan", *QUICK, "--per-class", 5, "-o", out)
    assert code == 0
    assert numbers(out) == {name: count + 5 for name, count in COUNTS.items()}
    assert len(synthetic(out)) == 15
    assert "report.html" in shown
    assert (out / "contact-sheets" / "000.png").exists()
    assert (out / "report.html").exists()


def test_a_run_says_that_help_is_not_shown_and_how_to_ask(plain, tmp_path, genaug):
    shown = genaug("run", plain, "-g", "oversample", "-o", tmp_path / "out").out
    assert "there was no evidence that such images help a classifier" in shown
    assert f"genaug study {plain} -g oversample" in shown.replace("\n", "")


@pytest.mark.parametrize("generator", ["dcgan", "cdcgan"])
def test_balance_fills_every_class_up_to_the_largest(plain, tmp_path, genaug, generator):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", generator, *QUICK, "--balance", "max", "-o", out, "--workers", 1)[0] == 0
    assert numbers(out) == dict.fromkeys(COUNTS, 6)


def test_without_a_target_the_classes_are_balanced_in_the_sibling_folder(plain, genaug, monkeypatch):
    monkeypatch.chdir(plain)
    assert genaug("run", "-g", "oversample")[0] == 0
    assert numbers(plain.parent / "data-genaug") == dict.fromkeys(COUNTS, 6)


def test_a_plan_of_no_images_copies_the_data_and_trains_nothing(plain, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "cdcgan", "--per-class", 0, "-o", out)[0] == 0
    assert numbers(out) == COUNTS
    assert not list(out.glob("models/**/*.safetensors"))


def test_a_config_file_gives_a_table_per_class_and_options_come_over_it(plain, tmp_path, genaug):
    config = tmp_path / "run.yaml"
    config.write_text("generator: oversample\ntargets: {dog: 2, owl: 1}\nseed: 5\n", "utf-8")
    assert genaug("run", plain, "--config", config, "-o", tmp_path / "a")[0] == 0
    assert numbers(tmp_path / "a") == {"cat": 6, "dog": 6, "owl": 4}
    assert genaug("run", plain, "--config", config, "--per-class", 1, "--seed", 6, "-o", tmp_path / "b")[0] == 0
    assert numbers(tmp_path / "b") == {"cat": 7, "dog": 5, "owl": 4}
    assert json.loads((tmp_path / "b/run.json").read_text("utf-8"))["seed"] == 6


@pytest.mark.parametrize("layout", ["plain", "splits"])
def test_the_output_loads_with_the_same_class_names_everywhere(layout, tmp_path, genaug, request, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    out = tmp_path / "out"
    assert genaug("run", request.getfixturevalue(layout), "-g", "oversample", "--balance", "max", "-o", out)[0] == 0
    folder = ImageFolder(str(out / "train"))
    assert len(folder) == 18
    loaded = load_dataset("imagefolder", data_dir=str(out), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == ({"train"} if layout == "plain" else {"train", "test"})
    assert loaded["train"].features["label"].names == folder.classes == list(COUNTS)
    assert sorted(loaded["train"]["label"]) == sorted(folder.targets)
    assert layout == "plain" or len(loaded["test"]) == 6


def test_real_files_come_through_byte_for_byte(splits, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", splits, "-g", "oversample", "--per-class", 2, "-o", out)[0] == 0
    for path in splits.rglob("*.png"):
        assert (out / path.relative_to(splits)).read_bytes() == path.read_bytes()


def test_nothing_that_is_done_to_the_output_reaches_the_source_files(plain, tmp_path, genaug):
    out, before = tmp_path / "out", contents(plain)
    assert genaug("run", plain, "-g", "oversample", "--per-class", 1, "-o", out)[0] == 0
    for path in out.rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"overwritten in place")
    shutil.rmtree(out)
    assert contents(plain) == before


def test_provenance_records_every_file(splits, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", splits, "-g", "cdcgan", *QUICK, "--per-class", 2, "-o", out)[0] == 0
    lines = [json.loads(line) for line in (out / "provenance.jsonl").read_text("utf-8").splitlines()]
    on_disk = {path.relative_to(out).as_posix() for split in ("train", "test") for path in (out / split).rglob("*.png")}
    assert {line["file_name"] for line in lines} == on_disk
    made = [line for line in lines if line["synthetic"]]
    assert len(made) == 6
    for line in made:
        assert line["generator"] == "cdcgan"
        assert (out / line["nearest"]["file_name"]).is_file()
        with Image.open(out / line["file_name"]) as image:
            image.load()
            assert "trainedAlgorithmicMedia" in image.info["XML:com.adobe.xmp"]
            assert json.loads(image.info["genaug"])["index"] == line["index"]
    assert not list(out.rglob("metadata.jsonl"))


def test_synthetic_images_have_the_real_ones_colour_mode(tmp_path, genaug):
    data = tmp_path / "grey"
    for name in ("a", "b"):
        (data / name).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(np.full((18, 18), 40 * number + 9, np.uint8)).save(data / name / f"{number}.png")
    assert genaug("run", data, "-g", "cdcgan", *QUICK, "--per-class", 1, "-o", tmp_path / "out")[0] == 0
    made = synthetic(tmp_path / "out").values()
    assert [Image.open(io.BytesIO(data)).mode for data in made] == ["L", "L"]


def test_every_class_has_a_contact_sheet_and_the_model_is_kept(plain, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "cdcgan", *QUICK, "--per-class", 1, "-o", out)[0] == 0
    assert sorted(path.name for path in (out / "contact-sheets").iterdir()) == ["000.png", "001.png", "002.png"]
    assert {path.name for path in (out / "models/cdcgan").iterdir()} == {"all.safetensors", "all.json"}
    names = {path.name for path in out.iterdir()}
    assert names >= {"README.md", "classes.json", "provenance.jsonl", "run.json", "timings.json"}
    assert not re.search(r"seconds|host|workers", (out / "run.json").read_text("utf-8"))


@pytest.mark.parametrize("generator", ["dcgan", "cdcgan"])
def test_one_worker_or_two_give_the_same_bytes(plain, tmp_path, genaug, generator):
    for workers in (1, 2):
        arguments = ("-g", generator, *QUICK, "--per-class", 3, "-o", tmp_path / str(workers), "--workers", workers)
        assert genaug("run", plain, *arguments)[0] == 0
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_asking_for_more_only_draws_more(plain, tmp_path, genaug):
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    assert genaug("run", plain, "-g", "cdcgan", *QUICK, "--per-class", 2, "-o", out)[0] == 0
    few = synthetic(out)
    assert genaug("run", plain, "-g", "cdcgan", *QUICK, "--per-class", 20, "-o", out)[0] == 0
    assert few.items() <= synthetic(out).items()
    assert [fit["reused"] for fit in json.loads((out / "timings.json").read_text("utf-8"))["fits"]] == [True]
    assert genaug("run", plain, "-g", "cdcgan", *QUICK, "--per-class", 20, "-o", fresh)[0] == 0
    assert contents(out) == contents(fresh)


def test_asking_for_less_leaves_less(plain, tmp_path, genaug):
    out = tmp_path / "out"
    for count in (3, 1):
        assert genaug("run", plain, "-g", "oversample", "--per-class", count, "-o", out)[0] == 0
    assert numbers(out) == {name: count + 1 for name, count in COUNTS.items()}


def test_another_configuration_into_the_same_output_is_refused_and_named(plain, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "oversample", "--per-class", 1, "-o", out)[0] == 0
    before = contents(out)
    code, _, told = genaug("run", plain, "-g", "oversample", "--per-class", 1, "--seed", 3, "-o", out)
    assert code == 4
    assert "seed: 0 there, 3 now" in told
    assert contents(out) == before


def test_what_a_refused_run_left_does_not_stand_in_the_way_of_the_next(tmp_path, genaug):
    data, out = fill(tmp_path / "data", {"cat": 3, "dog": 1}), tmp_path / "out"
    code, _, told = genaug("run", data, "-g", "vae", *QUICK, "--per-class", 1, "-o", out)
    assert code == 3
    assert "'dog' has 1" in told
    assert genaug("run", data, "-g", "vae", *QUICK, "--per-class", 1, "--classes", "cat", "-o", out)[0] == 0
    assert numbers(out) == {"cat": 4}


def test_a_network_that_normalises_over_the_batch_says_that_one_image_is_too_few(plain, tmp_path, genaug):
    alone = ("--preset", "paper", "--size", 64, "--set", "steps=2", "--set", "batch_size=1")
    code, _, told = genaug(
        "run", plain, "-g", "cvae", *alone, "--select", "none", "--per-class", 1, "-o", tmp_path / "out"
    )
    assert code == 2
    assert "batch_size of 2 or more" in told


def test_names_and_order_of_files_do_not_matter(plain, tmp_path, genaug):
    other = tmp_path / "other"
    for path in sorted(plain.rglob("*.png")):
        (other / path.parent.name).mkdir(parents=True, exist_ok=True)
        (other / path.parent.name / f"z{9 - int(path.stem)}.png").write_bytes(path.read_bytes())
    for data in (plain, other):
        out = tmp_path / f"{data.name}-out"
        assert genaug("run", data, "-g", "cdcgan", *QUICK, "--per-class", 2, "-o", out)[0] == 0
    one, two = synthetic(tmp_path / "data-out"), synthetic(tmp_path / "other-out")
    assert one == two


def test_odd_class_names_work(tmp_path, genaug):
    odd = ["two words", 'it\'s "quoted"', "two..dots", "Žluťoučký 标志", "n" * 200, "[red]&<b>", "-g"]
    data = fill(tmp_path / "data", dict.fromkeys(odd, 2))
    out = tmp_path / "out"
    assert genaug("run", data, "-g", "cdcgan", *QUICK, "--per-class", 1, "-o", out)[0] == 0
    assert numbers(out) == dict.fromkeys(sorted(odd), 3)


def test_a_hidden_class_folder_is_left_out_and_listed(tmp_path, genaug):
    data = fill(tmp_path / "data", {"cat": 2, "..dots": 2})
    code, _, told = genaug("run", data, "-g", "oversample", "-o", tmp_path / "out")
    assert code == 0
    assert "left out: ..dots" in told


def test_one_class_may_fail_alone_and_the_rest_is_written(plain, tmp_path, genaug, install):
    install("picky", PICKY)
    out = tmp_path / "out"
    options = ("--per-class", 2, "--select", "none", "--no-check", "-o", out)
    code, _, told = genaug("run", plain, "-g", "picky", *options, "--workers", 1)
    assert code == 7
    assert "'dog'" in told
    assert numbers(out) == {"cat": 8, "dog": 4, "owl": 5}
    assert "dog" in json.loads((out / "run.json").read_text("utf-8"))["failures"]


def test_when_all_classes_fail_the_error_is_printed_and_nothing_is_written(plain, tmp_path, genaug, install):
    install("picky", PICKY)
    out = tmp_path / "out"
    options = ("--per-class", 2, "--select", "none", "--no-check", "-o", out)
    code, _, told = genaug("run", plain, "-g", "picky", *options, "--classes", "dog")
    assert code == 6
    assert "not finite" in told or "was nan" in told
    assert not (out / "train").exists()


def test_more_images_from_the_trained_model_go_on_where_the_run_stopped(plain, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "dcgan", *QUICK, "--per-class", 3, "-o", out, "--workers", 1)[0] == 0
    assert genaug("sample", out, "-n", 2, "-o", tmp_path / "more")[0] == 0
    made = sorted(path.relative_to(tmp_path / "more").as_posix() for path in (tmp_path / "more").rglob("*.png"))
    assert made == [f"{name}/dcgan-{number:06d}.png" for name in COUNTS for number in (3, 4)]
    assert genaug("sample", out, "-n", 3, "--first", 0, "-o", tmp_path / "again")[0] == 0
    for path in (tmp_path / "again").rglob("*.png"):
        assert path.read_bytes() == (out / "train" / path.parent.name / path.name).read_bytes()
    assert genaug("sample", out, "-n", 2, "-o", tmp_path / "more")[0] == 0  # the same images stay
    (tmp_path / "more/cat/dcgan-000003.png").write_bytes((tmp_path / "more/cat/dcgan-000004.png").read_bytes())
    assert genaug("sample", out, "-n", 2, "-o", tmp_path / "more")[0] == 4


def test_plan_says_what_would_be_done_and_writes_nothing(plain, tmp_path, genaug):
    code, shown, _ = genaug("plan", plain, "-g", "cdcgan", *QUICK, "--balance", "max", "--json")
    assert code == 0
    told = json.loads(shown)
    assert told["plan"] == {"cat": 0, "dog": 2, "owl": 3}
    assert told["cost"]["steps"] == 6
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_plan_tells_every_setting(plain, genaug):
    code, shown, _ = genaug("plan", plain, "-g", "cdcgan", *QUICK)
    assert code == 0
    assert "cdcgan, model: " in shown
    assert "width=4" in shown
    assert "steps=6" in shown


def test_plan_refuses_what_run_would_refuse(plain, genaug):
    code, _, told = genaug("plan", plain, "-g", "oversample", "--recipe", "anneal")
    assert code == 2
    assert "a folder cannot hold" in told


def test_settings_come_over_those_of_the_file(plain, tmp_path, genaug):
    config = tmp_path / "run.yaml"
    own = "generators: {cdcgan: {train: {epochs: 4}}}"
    config.write_text(f"select: none\nrecipe: {{cap: 0.5}}\ntrain: {{epochs: 3}}\n{own}\n", "utf-8")
    code, shown, _ = genaug("plan", plain, "--config", config, "-g", "cdcgan", *QUICK[:-2], "--json")
    assert code == 0
    told = json.loads(shown)
    train = told["generators"][0]["train"]
    assert (train["steps"], train["epochs"]) == (6, None)
    assert told["selection"]["selectors"] == []
    assert told["recipe"]["cap"] == 0.5


def test_machine_readable_output_is_json_alone(plain, tmp_path, genaug):
    code, shown, _ = genaug("run", plain, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out", "--json")
    assert code == 0
    assert json.loads(shown)["counts"]["dog"] == {"real": 4, "classical": 1, "generated": 0}


STIFF = """
from genaug.generator import Generator
from genaug.generators.plugin import OversampleConfig, _oversample
from genaug.hookspecs import GeneratorDescription, hookimpl


class Stiff(Generator):
    def build(self):
        return {}

    def losses(self, batch):
        yield from ()

    def sample(self, labels, noise):
        raise AssertionError("drew an image")


@hookimpl
def genaug_generators():
    return [
        GeneratorDescription(
            name="stiff",
            summary="says that it varies originals, but cannot",
            rank=999,
            config=OversampleConfig,
            presets={"auto": _oversample},
            factory="stiff:Stiff",
            conditioning="class",
            api=1,
            from_originals=True,
        )
    ]
"""


def test_a_plugin_that_cannot_vary_originals_is_refused_before_any_work(plain, tmp_path, genaug, install):
    install("stiff", STIFF)
    code, _, told = genaug("run", plain, "-g", "stiff", "-o", tmp_path / "out")
    assert code == 5, told
    assert "Stiff must be a VariantGenerator" in " ".join(told.split())
    assert not (tmp_path / "out").exists()


PICKY = """
from collections.abc import Sequence

from genaug.config import GeneratorConfig, Preset, TrainConfig
from genaug.hookspecs import GeneratorDescription, hookimpl


@hookimpl
def genaug_generators():
    def preset(spec, device):
        return Preset(model=GeneratorConfig(), train=TrainConfig(steps=2))
    return [GeneratorDescription(name="picky", summary="Cannot learn dogs", rank=999, config=GeneratorConfig,
                                 presets={"auto": preset}, factory="picky:make", conditioning="none", api=1)]


def make(spec, config):
    import torch
    from genaug.generator import Drawn, Generator

    class Picky(Generator):
        def build(self):
            return {"net": torch.nn.Linear(1, 1)}

        def losses(self, batch):
            loss = self.networks["net"](torch.ones(1, 1)).sum()
            yield "net", loss * float("nan") if "dog" in self.spec.classes else loss

        def sample(self, labels, noise):
            shape = (self.spec.channels, self.spec.height, self.spec.width)
            return Drawn.without_parents(noise.normal(*shape).tanh())

    return Picky(spec, config)
"""
