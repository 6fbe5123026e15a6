"""A real browser without a network, which fails the test that makes it complain."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium of this machine."""
    if CHROMIUM is None:
        pytest.skip("chromium is not here")
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a file: every error, refused resource, dialog and request beyond the file itself fails the test.

    With `complaining`, what the console says is expected and everything else still fails.
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

    def look(request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")) and request.url.partition("#")[0] != path.as_uri():
            complaints.append(f"asked for {request.url}")

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", dismiss)
    page.on("request", look)
