"""Fixtures of all tests: small splits and folders, commands, an installed plugin, a browser without a network."""

from __future__ import annotations

import os
import shutil
import sys
from multiprocessing.forkserver import ensure_running, set_forkserver_preload
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from genaug.cli import main
from genaug.config import GeneratorConfig
from genaug.data.split import TrainSplit
from genaug.spec import ImageSpec

from tests.commands import Answer
from tests.folders import COUNTS, fill
from tests.models import TinyGAN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from genaug.generator import Generator
    from playwright.sync_api import Browser, Dialog, Page, Request
    from torch import Tensor

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_sessionstart(session: pytest.Session) -> None:
    """In a run of many tests, start the server of worker processes with all that they will need.

    Otherwise it starts when a test first needs it, with what that test needs.
    """
    if hasattr(session.config, "workerinput"):
        set_forkserver_preload(["genaug.cli", "genaug.report", "genaug.studies.study"])
        ensure_running()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the integration tests, which take longest, first: then no worker ends long after the others."""
    items.sort(key=lambda item: "integration" not in item.path.parts)


@pytest.fixture
def split() -> TrainSplit:
    """Eight random grey 16x16 images of two classes, five and three."""
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 1), dtype=np.uint8)
    labels = np.array([0] * 5 + [1] * 3, dtype=np.int64)
    spec = ImageSpec(1, 16, 16, ("a", "b"), (5, 3))
    return TrainSplit.ordered(spec, images, labels, list("abcdefgh"), list("abcdefgh"))


@pytest.fixture
def tiny(split: TrainSplit) -> Callable[[], TinyGAN]:
    """Fresh tiny GANs for that split."""
    return lambda: TinyGAN(split.spec, GeneratorConfig())


@pytest.fixture
def weights() -> Callable[[Generator], dict[str, Tensor]]:
    """Copies of all weights of a generator by name."""
    return lambda model: {
        f"{name}.{key}": value.clone()
        for name, network in model.networks.items()
        for key, value in network.state_dict().items()
    }


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Three classes of six, four and three images, no splits."""
    return fill(tmp_path / "data", COUNTS)


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    """A training split of six, four and three images, and a test split of two each."""
    fill(tmp_path / "data/test", dict.fromkeys(COUNTS, 2), seed=1)
    fill(tmp_path / "data/train", COUNTS)
    return tmp_path / "data"


@pytest.fixture
def genaug(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run a command in this process: exit code, stdout, stderr."""

    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return Answer(int(stop.value.code or 0), shown.out, shown.err)

    return call


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Install a distribution of one module, as pip would leave it, on the path of this process and of its workers."""

    def put(name: str, source: str) -> None:
        site, module = tmp_path / "site", name.replace("-", "_")
        facts = site / f"{module}-1.0.dist-info"
        facts.mkdir(parents=True)
        (site / f"{module}.py").write_text(source, "utf-8")
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
        (facts / "entry_points.txt").write_text(f"[genaug]\n{name} = {module}\n", "utf-8")
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return put


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium of this machine; tests are skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("chromium is not here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a file: every error, refused resource, dialog and request beyond the file itself fails the test.

    With `complaining`, messages on the console are expected and everything else still fails.
    """
    complaints: list[str] = []
    contexts = []

    def go(
        path: Path, *, width: int = 1440, scheme: str = "light", javascript: bool = True, complaining: bool = False
    ) -> Page:
        size = {"width": width, "height": 900}
        context = browser.new_context(
            viewport=size, color_scheme=scheme, offline=True, accept_downloads=True, java_script_enabled=javascript
        )
        contexts.append(context)
        page = context.new_page()
        _listen(page, path, complaints)
        if not complaining:
            page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.goto(path.as_uri())
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def _listen(page: Page, path: Path, complaints: list[str]) -> None:
    def dismiss(dialog: Dialog) -> None:
        complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def check(request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")) and request.url.partition("#")[0] != path.as_uri():
            complaints.append(f"requested {request.url}")

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", dismiss)
    page.on("request", check)
