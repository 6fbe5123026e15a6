"""An outside plugin: built as a wheel, installed into a scratch environment, used without a line of ours changed."""

import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.integration.conftest import command, fill

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "examples/third_party/genaug-gmmn"


def call(*arguments: object, cwd: Path = ROOT) -> str:
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a scratch environment: all that is installed here, and the wheel of the outside plugin."""
    home = tmp_path_factory.mktemp("scratch")
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", home / "dist", PACKAGE)
    (wheel,) = (home / "dist").glob("*.whl")
    venv.create(home / "env", with_pip=False)
    interpreter = home / "env/bin/python"
    site = Path(call(interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "ours.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n", "utf-8")
    call(
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        interpreter,
        wheel,
    )
    return interpreter


def genaug(python: Path, *arguments: object) -> str:
    return call(python, *command(*arguments)[1:])


def test_it_is_not_installed_where_we_are():
    assert "gmmn" not in {entry.name for entry in entry_points(group="genaug")}


def test_it_is_listed_beside_the_others(python):
    listed = genaug(python, "plugins")
    assert "gmmn" in listed
    assert "oversample" in listed
    assert "model.latent" in genaug(python, "plugins", "show", "gmmn")


def test_it_trains_draws_and_balances_from_the_command_line(python, tmp_path):
    data = fill(tmp_path / "data", {"cat": 5, "dog": 2})
    genaug(
        python,
        "run",
        data,
        "-g",
        "gmmn",
        "--preset",
        "small",
        "-s",
        "steps=5",
        "-s",
        "width=4",
        "--select",
        "none",
        "-o",
        tmp_path / "o",
    )
    assert sorted(path.name for path in (tmp_path / "o/train/dog").glob("gmmn-*")) == [
        f"gmmn-{number:06d}.png" for number in range(3)
    ]
    assert not list((tmp_path / "o/train/cat").glob("gmmn-*"))


def test_its_own_tests_pass_where_it_is_installed(python):
    shown = call(python, "-m", "pytest", "-q", "-c", ROOT / "pyproject.toml", "--rootdir", ROOT, PACKAGE / "tests")
    assert " passed" in shown
