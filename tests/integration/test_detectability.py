"""A run says how well its generated images can be told from real ones, and warns where that gives the class away."""

import json
from shutil import copytree

import numpy as np
import pytest
from genaug import augment
from genaug.data.folder import load_folder
from genaug.evaluation.origin_rows import without_detectability
from genaug.registry import load_registry
from genaug.report import write_report
from genaug.report.measuring import measure
from genaug.run.config import RunConfig
from genaug.run.detectability import compared
from genaug.run.expected import expected_set
from genaug.run.job import resolve
from genaug.run.pipeline import run
from PIL import Image
from scipy.ndimage import gaussian_filter

from tests.folders import contents, fill

COPIES = """
from genaug.config import AugmentationConfig, GeneratorConfig, Preset, TrainConfig, option
from genaug.generator import Drawn
from genaug.generators.oversample import Remembering
from genaug.hookspecs import GeneratorDescription, hookimpl
from genaug.layers.memory import kept_images
from torchvision.transforms.functional import gaussian_blur


class Config(GeneratorConfig):
    sigma: float = option(0.0, "Spread of the blur.", unit="pixels", ge=0.0)


class Copies(Remembering[Config]):
    def sample(self, labels, noise):
        places = self.parents(labels, noise)
        images = kept_images(self.memory, places)
        sigma = self.config.sigma
        return Drawn(gaussian_blur(images, [9, 9], sigma) if sigma else images, self.memory["rows"][places][:, None])


def auto(spec, device):
    return Preset(model=Config(), train=TrainConfig(steps=1), augmentation=AugmentationConfig())


@hookimpl
def genaug_generators():
    return [
        GeneratorDescription(
            name="copies",
            summary="Copies, perhaps blurred",
            rank=950,
            config=Config,
            presets={"auto": auto},
            factory="planted_copies:Copies",
            conditioning="class",
            api=1,
        )
    ]
"""
FILL_UP = ("-g", "copies", "--balance", "max", "--select", "none")
BLURRED = ("-s", "sigma=1.5")
FEW_STEPS = ("--config", "few.yaml")


@pytest.fixture(autouse=True)
def few_steps(tmp_path, monkeypatch):
    """A run's configuration with few training steps of its classifiers: these blurs need no more."""
    (tmp_path / "few.yaml").write_text("judge_steps: 5", "utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def data(tmp_path, install):
    """Two classes of random blocks at 32 pixels, 24 and 8; and a generator of their copies, blurred or not."""
    install("planted-copies", COPIES)
    chance = np.random.default_rng(0)
    for name, count in {"many": 24, "few": 8}.items():
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(count):
            blocks = chance.integers(0, 256, (8, 8, 3)).astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1)
            Image.fromarray(blocks).save(tmp_path / "data" / name / f"{number}.png")
    return tmp_path / "data"


def told(out):
    return json.loads((out / "run.json").read_text("utf-8"))


def test_a_planted_blur_is_named_in_the_last_lines_on_the_card_and_on_the_page(data, tmp_path, genaug):
    out = tmp_path / "out"
    code, shown, _ = genaug("run", data, *FEW_STEPS, *FILL_UP, *BLURRED, "-o", out)
    assert code == 0
    warning = (
        "class few is 67 % generated, class many has none, and generated images are recognisable by their blur: a "
        "classifier may learn the blur instead of the class"
    )
    (finding,) = told(out)["findings"]
    assert finding.startswith(warning)
    assert "--top-up classical with --per-class N, --resolution N, or a larger --size" in finding
    found = told(out)["detectability"]
    assert found["blur"]["area"] > 0.9
    assert found["train_size"] == 32
    assert 0.05 < found["shortcut_bits"] <= found["origin_bits"]
    lines = " ".join(shown.split())
    for text in (finding, found["sentence"]):
        assert text in lines
    assert warning[1:] in (out / "README.md").read_text("utf-8")
    assert found["sentence"][1:] in (out / "README.md").read_text("utf-8")
    page = (out / "report.html").read_text("utf-8")
    assert warning in page
    assert found["sentence"] in page


def test_unblurred_copies_and_a_blur_that_every_class_shares_are_no_shortcut(data, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", data, *FEW_STEPS, *FILL_UP, "-o", out).code == 0
    found = told(out)
    assert found["findings"] == []
    assert found["detectability"]["blur"]["area"] < 0.6
    assert found["detectability"]["origin_bits"] > 0.4
    even = tmp_path / "even"
    assert genaug("run", data, *FEW_STEPS, "-g", "copies", "--select", "none", *BLURRED, "-o", even).code == 0
    found = told(even)
    assert found["findings"] == []
    assert found["detectability"]["origin_bits"] < 0.01
    assert found["detectability"]["blur"]["area"] > 0.9
    assert "0.5 is chance" in found["detectability"]["sentence"]


def test_a_second_run_trains_no_detector_and_writes_the_same_bytes(data, tmp_path, genaug):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    assert genaug("run", data, *FEW_STEPS, *FILL_UP, *BLURRED, "-o", out).code == 0
    before, judges = contents(out), {path: path.stat().st_mtime_ns for path in (out / ".genaug/judges").iterdir()}
    assert len(judges) == 2
    assert genaug("run", data, *FEW_STEPS, *FILL_UP, *BLURRED, "-o", out).code == 0
    assert contents(out) == before
    assert {path: path.stat().st_mtime_ns for path in (out / ".genaug/judges").iterdir()} == judges
    assert genaug("run", data, *FEW_STEPS, *FILL_UP, *BLURRED, "--workers", 2, "-o", elsewhere).code == 0
    assert contents(elsewhere) == before


def test_another_train_size_changes_the_figures_and_no_image(data, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", data, *FEW_STEPS, *FILL_UP, *BLURRED, "-o", out).code == 0
    before = contents(out)
    assert genaug("run", data, *FEW_STEPS, *FILL_UP, *BLURRED, "--train-size", 16, "-o", out).code == 0
    after = contents(out)
    assert {name for name in before if before[name] != after[name]} == {"README.md", "run.json"}
    assert "at 16 pixels" in told(out)["detectability"]["sentence"]
    assert genaug("run", data, *FEW_STEPS, *FILL_UP, "--train-size", 4, "-o", out).code == 2


def test_augment_has_the_findings_of_a_run(data):
    options = {"select": "none", "judge_steps": 8}
    result = augment(data, "copies", balance="max", settings={"sigma": 1.5}, train_size=24, **options)
    (finding,) = result.findings
    assert "recognisable by their blur" in finding


def test_plan_warns_of_a_fill_up_and_not_of_an_even_mix(data, genaug):
    shown = genaug("plan", data, *FILL_UP).out
    assert "class few is 67 % generated, class many has none: if generated images can be recognised" in " ".join(
        shown.split()
    )
    even = json.loads(genaug("plan", data, "-g", "copies", "--json").out)
    assert (even["findings"], round(even["origin_bits"], 6)) == ([], 0)
    assert len(json.loads(genaug("plan", data, *FILL_UP, "--json").out)["findings"]) == 1


def test_plan_names_the_cost_of_telling_origins_apart(data, genaug):
    cost = {
        name: json.loads(genaug("plan", data, *FEW_STEPS, *options, "--json").out)["cost"]["detector_seconds"]
        for name, options in {
            "default": FILL_UP,
            "unchecked": (*FILL_UP, "--no-check"),
            "blur alone": ("-g", "oversample"),
            "nothing": ("-g", "copies", "--per-class", 0),
        }.items()
    }
    assert cost["default"] > 0 < cost["blur alone"]
    assert cost["unchecked"] == cost["nothing"] == 0
    shown = " ".join(genaug("plan", data, *FILL_UP, *FEW_STEPS).out.split())
    assert "minutes to tell generated from real images, " in shown


def test_the_cost_is_estimated_for_the_images_and_the_size_of_the_run(tmp_path, install):
    install("planted-copies", COPIES)
    for number, side in enumerate((24, 28, 48, 64, 80)):
        fill(tmp_path / "data", {f"class {number}": 6 + number}, side=side)
    loaded, registry = load_folder(tmp_path / "data"), load_registry()
    config = RunConfig(generator="copies", select=("none",), judge_steps=4)
    job = resolve(config, loaded, registry)
    planned, mixed = expected_set(job), run(job, tmp_path / "out")
    found = compared(mixed, job)
    assert planned.counts() == mixed.counts() == job.planned()
    assert compared(planned, job).side == found.side == told(tmp_path / "out")["detectability"]["train_size"]
    for name in ("labels", "kinds"):
        assert np.array_equal(getattr(compared(planned, job), name), getattr(found, name))


def test_classical_images_alone_are_judged_by_their_blur(data, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", data, *FEW_STEPS, "-g", "oversample", "-o", out).code == 0
    found = told(out)
    assert found["findings"] == []
    assert found["detectability"]["classical_blur"]["area"] < 0.6
    assert found["detectability"]["classifier"] is None
    assert "classical images are told from real ones within a class by blur alone" in found["detectability"]["sentence"]


def test_a_set_too_small_to_judge_says_so(plain, tmp_path, genaug):
    out = tmp_path / "out"
    code, shown, _ = genaug("run", plain, *FEW_STEPS, "-g", "oversample", "--per-class", 2, "-o", out)
    assert code == 0
    assert "so it was not measured how well they can be told apart" in " ".join(shown.split())


def test_evaluate_has_two_rows_for_it(data, tmp_path, genaug):
    blurred = copytree(data, tmp_path / "blurred")
    for path in blurred.glob("*/*.png"):
        pixels = gaussian_filter(np.asarray(Image.open(path)).astype(float), (1.5, 1.5, 0))
        Image.fromarray(pixels.round().astype(np.uint8)).save(path)
    answer = genaug("evaluate", data, blurred, "--metrics", "detectability,ssim", "--train-size", 24, "--json")
    rows = {row["name"]: row for row in json.loads(answer.out)}
    assert set(rows) == {"ssim", "detectability", "detectability[blur]"}
    row = rows["detectability[blur]"]
    assert (row["real"], row["real_images"], row["images"], row["higher_is_better"]) == (0.5, 32, 32, False)
    assert row["value"] > 0.9
    assert row["low"] < row["value"] <= row["high"]
    assert set(row["classes"]) == {"many", "few"}
    assert "at 24 pixels" in row["note"]


def test_evaluate_uses_the_size_of_the_run_and_says_when_images_are_too_few(data, tmp_path, genaug):
    out = tmp_path / "out"
    options = ("--train-size", 16, "--per-class", 6, "--select", "none")
    assert genaug("run", data, *FEW_STEPS, "-g", "copies", *options, "-o", out).code == 0
    shown = genaug("evaluate", data, out, "--metrics", "detectability")
    assert shown.code == 0
    assert "at 16 pixels" in shown.err
    owls = fill(tmp_path / "owls", {"owl": 3, "cat": 4})
    few = genaug("evaluate", owls, owls, "--metrics", "detectability")
    assert "detectability is left out: no class has five real and five synthetic images" in few.err


def test_the_page_has_the_rows_of_evaluate_and_the_figures_of_the_run_only_without_them(data, tmp_path, genaug):
    out = tmp_path / "out"
    options = ("--per-class", 6, "--select", "none", "--top-up", "oversample")
    assert genaug("run", data, *FEW_STEPS, "-g", "copies", *BLURRED, *options, "-o", out).code == 0
    sentence = told(out)["detectability"]["sentence"]
    assert (out / "report.html").read_text("utf-8").count(sentence) == 1
    answer = genaug("evaluate", data, out, "--metrics", "detectability", "--json")
    measure(out, ["detectability", "ssim"])
    ssim, *rows = json.loads((out / "evaluation.json").read_text("utf-8"))["rows"]
    assert ssim["name"] == "ssim"
    assert rows == json.loads(answer.out)
    assert [row["name"] for row in rows] == ["detectability", "detectability[blur]"]
    page = write_report(out).read_text("utf-8")
    for row in rows:
        assert f">{row['name']}</bdi></th>" in page
        assert f">{row['low']:.3g} to {row['high']:.3g}</td>" in page
        assert row["note"] in page
    assert "how well a classifier tells synthetic from real images of one class" in rows[0]["note"]
    assert "how well blur alone tells synthetic from real images of one class" in rows[1]["note"]
    assert sentence not in page


def test_the_page_says_when_images_are_too_few_and_keeps_what_the_run_says(plain, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", plain, *FEW_STEPS, "-g", "oversample", "--per-class", 2, "-o", out).code == 0
    assert "detectability is left out: no class has five real and five" in measure(out, ["detectability"])
    assert told(out)["detectability"]["sentence"] in write_report(out).read_text("utf-8")


@pytest.mark.parametrize("names", [None, ["detectability", "ssim"], ["ssim"]])
def test_detectability_is_measured_where_it_is_requested_or_no_metric_is_named(names):
    assert without_detectability(names) == (names and ["ssim"], names is None or "detectability" in names)
