"""Scratch environments, into which packages are installed as their users would install them, without a network."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def call(*arguments: object, cwd: Path = ROOT, **environment: str) -> str:
    """The standard output of a program that must end well."""
    words, variables = [*map(str, arguments)], os.environ | environment
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd, env=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def new_environment(folder: Path) -> Path:
    """The interpreter of a new environment that has all packages of this one."""
    venv.create(folder, with_pip=False)
    interpreter = folder / "bin/python"
    site = Path(call(interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "ours.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n", "utf-8")
    return interpreter


def install(interpreter: Path, *packages: object, cwd: Path = ROOT) -> None:
    """Install wheels or folders into an environment, without their dependencies."""
    command = (
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--no-build-isolation",
    )
    call(*command, "--python", interpreter, *packages, cwd=cwd)
