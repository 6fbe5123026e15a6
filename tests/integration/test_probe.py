"""`genaug inspect --probe` from the command line, on folders of drawn images."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def arrows(tmp_path):
    """Bright edges at the left and at the right over noise: each other's mirror images; sixteen of each."""
    chance = np.random.default_rng(0)
    for name, place in (("left", np.s_[:, :5]), ("right", np.s_[:, -5:])):
        (tmp_path / "arrows" / name).mkdir(parents=True)
        for number in range(16):
            pixels = chance.normal(90, 40, (16, 16))
            pixels[place] += 120
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / "arrows" / name / f"{number}.png")
    return tmp_path / "arrows"


def test_the_probe_shows_which_class_a_flip_turns_into_which(arrows, genaug):
    found = genaug("inspect", arrows, "--probe", "--judge-steps", 40)
    assert found.code == 0
    assert re.search(r"horizontal flip +│ banned ", found.out)
    assert re.search(r"vertical flip +│ safe ", found.out)
    assert "horizontal flip turns left → right (16 of 16), right → left (16 of 16)\n" in found.out
    assert "allowed: vertical flip" in found.out


def test_the_probe_is_part_of_the_json(arrows, genaug):
    found = genaug("inspect", arrows, "--probe", "--judge-steps", 40, "--size", 16, "--json")
    values = json.loads(found.out)
    assert values["counts"] == {"train": {"left": 16, "right": 16}}
    assert values["probe"]["changes"]["horizontal flip"]["verdict"] == "banned"
    assert "vertical flip" in values["probe"]["allowed"]


def test_without_the_probe_nothing_is_trained(arrows):
    code = (
        "import sys; from genaug.cli.app import app; from typer.main import get_command;"
        f"get_command(app).main(['inspect', {str(arrows)!r}], standalone_mode=False);"
        "assert not {'genaug.probe', 'genaug.classifier', 'accelerate', 'albumentations'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "flip" not in done.stdout


def test_a_wrong_size_is_an_error_of_one_sentence(arrows, genaug):
    found = genaug("inspect", arrows, "--probe", "--size", "17")
    assert found.code == 2
    assert "multiples of 8" in found.err
