"""Names and messages that others choose reach the terminal, the card and the page as plain text on one line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from genaug.cli.app import _COMMANDS
from genaug.errors import described, printable

from tests.commands import command
from tests.folders import COUNTS, fill

ESCAPE = "\x1b[31m\x1b]0;title\x07"
CLASS = f"<img src=x onerror=alert(1)>{ESCAPE}\n# heading | [link](mailto:evil) `code` \u202e_*bold*_"
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder whose class and file names hold markup, line breaks and control characters."""
    data = fill(tmp_path / "data", COUNTS)
    named = (data / "cat").rename(data / CLASS)
    (named / f"broken{ESCAPE}\n- item.png").write_bytes(b"no image")
    return data


def test_names_reach_the_terminal_as_text_on_one_line(genaug, odd, tmp_path):
    for words in (("inspect",), ("plan", "-g", "oversample"), ("run", "-g", "oversample", "-o", tmp_path / "out")):
        found = genaug(words[0], odd, *words[1:])
        assert found.code == 0, found.err
        assert not CONTROLS.search(found.out + found.err)
        assert not any(line.startswith(("# heading", "- item")) for line in (found.out + found.err).splitlines())
    assert "\\x1b[31m" in found.err


def test_names_reach_the_card_without_markup_of_their_own(genaug, odd, tmp_path):
    assert genaug("run", odd, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out").code == 0
    card = (tmp_path / "out/README.md").read_text("utf-8")
    assert not CONTROLS.search(card)
    assert "<img" not in card
    assert "[link]" not in card
    assert "heading" in card
    assert not any(line.startswith(("# heading", "- item")) for line in card.splitlines())
    rows = [line for line in card.splitlines() if "heading" in line and line.startswith("|")]
    assert [row.count("|") for row in rows] == [5]


def test_names_reach_the_page_without_markup_of_their_own(genaug, odd, tmp_path):
    assert genaug("run", odd, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out").code == 0
    assert genaug("report", tmp_path / "out").code == 0
    page = (tmp_path / "out/report.html").read_text("utf-8")
    assert not CONTROLS.search(page)
    assert "<img src=x" not in page


def test_messages_of_a_plugin_are_one_line_without_folders_of_this_machine():
    error = OSError("cannot open '/data/someone/secret folder/weights.bin'\nC:\\data\\someone\\w.bin\x1b[2J")
    assert described(error) == "OSError: cannot open 'secret folder/weights.bin' w.bin\\x1b[2J"
    assert (
        described(ValueError("use 1/2 of https://host/a/b, or a/b"))
        == "ValueError: use 1/2 of https://host/a/b, or a/b"
    )
    assert len(described(ValueError("x" * 10_000))) == 300


def test_text_that_is_not_printable_is_shown_as_escapes():
    assert printable("a\nb\x00\u202e\udcff é") == "a\\nb\\x00\\u202e\\xff é"


@pytest.mark.parametrize("words", [("plugins",), ("inspect", "DATA", "--json"), ("plan", "DATA", "-g", "oversample")])
def test_a_full_standard_output_is_told_with_code_4(odd, words):
    arguments = [odd if word == "DATA" else word for word in words]
    with Path("/dev/full").open("wb") as full:
        found = subprocess.run(command(*arguments), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert found.returncode == 4, found.stderr
    assert found.stderr.splitlines()[-1] == (
        "error: the answer could not be written to standard output: No space left on device"
    )


@pytest.mark.parametrize(("given", "policy"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_that_wait_leave_their_core_unless_the_user_wants_otherwise(plain, given, policy):
    code = (
        "import os, sys\n"
        "def tell(event, given):\n"
        "    if event == 'import' and given[0] == 'torch':\n"
        "        print('policy', os.environ.get('OMP_WAIT_POLICY'))\n"
        "sys.addaudithook(tell)\n"
        "from genaug.cli import main\n"
        "main(sys.argv[1:])"
    )
    known = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    words = [sys.executable, "-c", code, "plan", str(plain), "-g", "oversample"]
    done = subprocess.run(words, env=known | given, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"policy {policy}\n")


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_the_list_of_commands_is_whole_and_loads_none_of_them(words):
    code = (
        "import sys\nfrom genaug.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as stop:\n    print(stop.code, 'genaug.config' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[-1] == "0 False"
    assert "  inspect   Show what is in a folder of images, and what may be wrong with it." in lines
    assert not any("..." in line for line in lines[1:])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["runn"], "error: unknown command 'runn' (did you mean 'run'?)"),
        (["verify"], "error: Missing argument 'out'."),
        (["run", "--perclass", "3"], "error: No such option: --perclass (Possible options: --classes, --per-class)"),
    ],
)
def test_a_word_that_is_missing_or_wrong_is_named(genaug, words, said):
    found = genaug(*words)
    assert found.code == 2
    assert found.err.startswith(said)


def test_every_command_is_in_the_list_and_has_help(genaug):
    for name in _COMMANDS:
        found = genaug(name, "-h")
        assert found.code == 0
        assert f"Usage: genaug {name}" in found.out or f" {name} [OPTIONS]" in found.out
