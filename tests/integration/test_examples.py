"""The examples run as they stand."""

import re
import runpy
from pathlib import Path

import pytest

from tests.folders import fill_alike

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def signs(tmp_path):
    """A tiny folder of the classes that the examples name."""
    return fill_alike(tmp_path / "signs", {"stop": 2, "yield": 1, "give way": 1})


def test_the_script_balances_a_folder(signs, monkeypatch, capsys):
    script = EXAMPLES / "balance_folder.py"
    monkeypatch.setattr("sys.argv", [str(script), str(signs), "small"])
    runpy.run_path(str(script), run_name="__main__")
    shown = capsys.readouterr().out
    (kinds,) = re.findall(r"yield: 1 real, (\d) classical, (\d) generated", shown)
    assert sum(map(int, kinds)) == 2, "one to top up, one for the even mix; classical if the judges reject it"
    assert "batch: [8, 3, 32, 32]" in shown


def test_the_config_file_is_a_whole_run(signs, genaug):
    assert genaug("run", signs, "--config", EXAMPLES / "run.yaml", "--no-check")[0] == 0
    made = {folder.name: len(list(folder.iterdir())) for folder in (signs.parent / "signs-genaug/train").iterdir()}
    assert made == {"stop": 4, "yield": 4, "give way": 1}
