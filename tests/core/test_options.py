"""The command line and a config file have the same keys and spellings; help names defaults and choices."""

import subprocess
import sys

import pytest
from genaug.cli import options as given
from genaug.cli.app import _COMMANDS, app
from genaug.errors import UsageError
from genaug.registry import load_registry
from genaug.run.config import RunConfig, read_settings
from genaug.run.settings import run_config
from typer.main import get_command

from tests.commands import QUICK

SPELLINGS = {
    "generator": "vae=0.5,cdcgan=0.5",
    "per_class": "3",
    "balance": "0.5",
    "targets": "cat=2,owl=1",
    "top_up": "none",
    "preset": "small",
    "resolution": "32",
    "train_size": "24",
    "size": "32x48",
    "resize": "crop",
    "classes": "cat,owl",
    "groups": "(p[0-9]+)",
    "seed": "4",
    "device": "cpu",
    "select": "novelty,realism",
    "overdraw": "1.5",
    "on_shortfall": "leave",
    "judge_steps": "7",
    "recipe": "cap=0.5",
    "probe": "true",
    "gate": "true",
    "check": "false",
    "budget": "1h30m",
    "format": "parquet",
    "only_synthetic": "true",
}
SECTIONS = {"model", "train", "augmentation", "generators", "selectors"}  # what --set changes


def command(name):
    return get_command(app).get_command(None, name)


def test_every_key_of_a_config_file_is_an_option_of_run():
    options = {one.name for one in command("run").params}
    assert set(RunConfig.model_fields) - SECTIONS <= options
    assert set(SPELLINGS) == set(RunConfig.model_fields) - SECTIONS


@pytest.mark.parametrize("key", SPELLINGS)
def test_a_file_takes_the_spelling_of_the_command_line(tmp_path, key):
    registry, text = load_registry(), SPELLINGS[key]
    word = {"true": True, "false": False}.get(text, text)
    given_as_option = given.RunOptions({key: word}).run_config(registry)
    assert getattr(given_as_option, key) != RunConfig.model_fields[key].default
    for spelt in (key, key.replace("_", "-")):
        (tmp_path / "run.yaml").write_text(f"{spelt}: {text}\n", "utf-8")
        assert given.RunOptions({}, config=tmp_path / "run.yaml").run_config(registry) == given_as_option


@pytest.mark.parametrize(("text", "size"), [("32", (32, 32)), ("[32, 48]", (32, 48)), ("64x96", (64, 96))])
def test_a_size_is_one_number_or_two(tmp_path, text, size):
    (tmp_path / "run.yaml").write_text(f"size: {text}\n", "utf-8")
    assert given.RunOptions({}, config=tmp_path / "run.yaml").run_config(load_registry()).size == size


def test_a_key_in_two_spellings_is_refused(tmp_path):
    (tmp_path / "run.yaml").write_text("per-class: 1\nper_class: 2\n", "utf-8")
    with pytest.raises(UsageError, match="gives per_class twice"):
        read_settings(tmp_path / "run.yaml")


def test_a_target_of_the_command_line_replaces_that_of_the_file(tmp_path):
    (tmp_path / "run.yaml").write_text("targets: {cat: 2}\n", "utf-8")
    config = given.RunOptions({"balance": "max"}, config=tmp_path / "run.yaml").run_config(load_registry())
    assert (config.balance, config.targets) == ("max", None)


def test_a_selector_has_its_settings_by_name():
    config = run_config({}, {"consistency:level": 0.5, "cdcgan:steps": 3}, load_registry(), "the settings")
    assert config.selectors == {"consistency": {"level": 0.5}}
    assert config.generators == {"cdcgan": {"train": {"steps": 3}}}


@pytest.mark.parametrize(
    ("values", "settings", "words"),
    [
        ({"steps": 3}, {}, "'steps' is a setting of train: write train: {steps: ...} in a file, -s steps=..."),
        ({"latent": 3, "generator": "vae"}, {}, "'latent' is a setting of model"),
        ({"balanse": "max"}, {}, "unknown key of the settings 'balanse' (did you mean 'balance'?)"),
        ({}, {"per_class": 3}, "'per_class' is no setting of cdcgan but a key of the run"),
        ({}, {"nobody:steps": 3}, "unknown generator or selector in settings 'nobody'"),
        ({"targets": "cat=x"}, {}, "targets: expected one number of images for each class, such as stop=40,yield=10"),
        ({"targets": "cat=1,cat=2"}, {}, "targets: expected one number of images for each class"),
        ({"size": "6x4x4"}, {}, "size: expected pixels such as 64 or 64x96, got '6x4x4'"),
        ({"classes": ","}, {}, "classes: expected names separated by commas"),
        ({"select": ""}, {}, "select: expected names separated by commas"),
    ],
)
def test_a_key_at_the_wrong_place_is_refused_with_the_right_one(values, settings, words):
    with pytest.raises(UsageError) as caught:
        run_config(values, settings, load_registry(), "the settings")
    assert words in str(caught.value)


def test_help_names_defaults_and_choices_and_no_types(genaug):
    for name in _COMMANDS:
        shown = genaug(name, "--help").out
        assert "list[" not in shown
        assert "<path>" not in shown.partition("Options:")[0]
        assert "922337" not in shown
    shown = " ".join(genaug("run", "--help").out.split())
    for words in (
        "[default: the first of genaug plugins] Installed: cdcgan, cddpm, classical,",
        "[default: novelty,consistency] Installed: consistency, diversity, novelty, realism.",
        "[default: nearest to your images, at most 64]",
        "[default: 4]",
        "--on-shortfall [classical|oversample|leave|fail]",
    ):
        assert words in shown


@pytest.mark.parametrize("seed", [-1, 2**63])
@pytest.mark.parametrize("words", [("plan", "."), ("sample", "."), ("evaluate", ".", ".")])
def test_an_impossible_seed_is_refused(genaug, words, seed):
    found = genaug(*words, "--seed", seed)
    assert found.code == 2
    assert f"seed: expected a whole number from 0 to 9223372036854775807, got {seed}" in found.err


def test_a_missing_word_leads_to_the_help(genaug):
    assert genaug("verify").err.endswith("See: genaug verify --help\n")


@pytest.mark.parametrize("words", [("-q", "run"), ("run", "-q")])
def test_quiet_leaves_only_the_answer(plain, tmp_path, genaug, words):
    loud = genaug("run", plain, "-g", "oversample", "-o", tmp_path / "loud")
    assert "models work at" in loud.err
    quiet = genaug(*words, plain, "-g", "oversample", "-o", tmp_path / "quiet")
    assert (quiet.code, quiet.err) == (0, "")
    assert quiet.out.replace("/quiet/", "/loud/") == loud.out


def test_verbose_times_each_stage_and_shows_where_an_error_arose(plain, tmp_path, genaug):
    shown = genaug("run", plain, "-v", "-g", "oversample", "-o", tmp_path / "out").err
    assert "drawing: 0." in shown
    assert "writing: " in shown
    failed = genaug("run", tmp_path / "nothing", "-v").err
    assert failed.startswith("error: there is no folder")
    assert "Traceback" in failed
    assert "Traceback" not in genaug("run", tmp_path / "nothing").err
    assert genaug("run", plain, "-v", "-q").code == 2


def test_other_settings_are_refused_before_images_are_read_or_torch_is_loaded(plain, tmp_path, genaug):
    out = tmp_path / "out"
    run = ("run", plain, "-g", "vae", "--per-class", 1, *QUICK, "-o", out)
    assert genaug(*run).code == 0
    for path in plain.rglob("*.png"):
        path.unlink()
    code = (
        "import sys\nfrom genaug.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as stop:\n    print(stop.code, 'torch' in sys.modules)"
    )
    for more, words in (
        (("-s", "steps=7"), "generators[0].train.steps: 6 there, 7 now"),
        (("--seed", "1"), "generators[0].seed: 0 there, 1 now"),
        (("--format", "parquet"), "format: folder there, parquet now"),
        (("--select", "novelty"), "selection.selectors: [] there"),
        (("--size", "24"), "size[0]: 16 there, 24 now"),
    ):
        asked = [sys.executable, "-c", code, *map(str, (*run, *more))]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        assert done.stdout == "4 False\n", done
        assert words in done.stderr
        assert "--overwrite" in done.stderr


def test_without_data_a_folder_that_is_no_data_set_is_not_taken(plain, tmp_path, genaug, monkeypatch):
    project = tmp_path / "project"
    for name in ("docs/a.md", "src/main.py", "src/lib.py", "setup.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("x", "utf-8")
    monkeypatch.chdir(project)
    for name in ("run", "plan", "study"):
        found = genaug(name)
        assert found.code == 2
        assert "its 2 folders would be taken as classes, such as docs (1 files), src (2 files)" in found.err
        assert f"`genaug {name} .` if it is this one" in found.err
    assert [path.name for path in tmp_path.iterdir()] == ["project"] or not list(tmp_path.glob("*-genaug"))
    assert genaug("run", ".", "-g", "oversample").code == 3, "it is read where it is given"
    monkeypatch.chdir(tmp_path / "project/docs")
    assert "the current folder is no data set" in genaug("run").err
    monkeypatch.chdir(plain.parent)
    (plain.parent / "project/setup.py").unlink()
    assert "hardly a data set" in genaug("run").err, "classes in a folder are not images of one class"
    monkeypatch.chdir(plain)
    assert genaug("plan", "-g", "oversample").code == 0
