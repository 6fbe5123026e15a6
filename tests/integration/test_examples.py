"""The examples run as they stand."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.folders import fill

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def signs(tmp_path):
    """A small folder of the classes that the examples name."""
    return fill(tmp_path / "signs", {"stop": 4, "yield": 2, "give way": 3})


def test_the_script_balances_a_folder(signs):
    arguments = [sys.executable, EXAMPLES / "balance_folder.py", signs, "small"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "yield: 2 real, 2 synthetic" in done.stdout
    assert "batch: [8, 3, 16, 16]" in done.stdout


def test_the_config_file_is_a_whole_run(signs, genaug):
    assert genaug("run", signs, "--config", EXAMPLES / "run.yaml")[0] == 0
    made = {folder.name: len(list(folder.iterdir())) for folder in (signs.parent / "signs-genaug/train").iterdir()}
    assert made == {"stop": 6, "yield": 5, "give way": 3}
