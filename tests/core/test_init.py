"""genaug init: five questions, or their answers as options, become a config file that run takes."""

import os
import pty
import subprocess

import pytest
import yaml

from tests.commands import command

ANSWERED = ("-g", "oversample", "--per-class", 3, "--train-size", 24, "--budget", "30m")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_answers_given_as_options_ask_nothing(plain, here, genaug):
    found = genaug("init", plain, *ANSWERED)
    assert found.code == 0
    assert found.out.splitlines() == ["config file: run.yaml", f"next: genaug run {plain} --config run.yaml"]
    text = (here / "run.yaml").read_text("utf-8")
    assert yaml.safe_load(text) == {"generator": "oversample", "per_class": 3, "train_size": 24, "budget": "30m"}
    assert "# Time for the whole run" in text
    assert genaug("run", plain, "--config", "run.yaml", "--no-check").code == 0
    assert len(list((here / "data-genaug/train/owl").iterdir())) == 6


def test_yes_takes_the_defaults(plain, here, genaug):
    assert genaug("init", plain, "-y", "-o", "mine.yaml").code == 0
    assert list(yaml.safe_load((here / "mine.yaml").read_text("utf-8"))) == ["generator"]


def test_without_a_terminal_missing_answers_are_named(plain, here):
    done = subprocess.run(command("init", plain), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no terminal to ask in; give DATA, --generator,")
    assert not (here / "run.yaml").exists()


def test_in_a_terminal_five_questions_are_asked_and_a_bad_answer_is_asked_again(plain, here):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command("init"), stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    os.write(ours, f"{here}/nothing\n{plain}\noversampel\noversample\nmax\n\n30x\n30m\n".encode())
    shown = read(ours)
    assert process.wait(60) == 0, shown
    assert shown.count("/5 ") == 8, "five questions, three of them twice"
    for words in ("there is no folder", "did you mean 'oversample'?", "expected a time such as 30m"):
        assert words in " ".join(shown.split())
    values = yaml.safe_load((here / "run.yaml").read_text("utf-8"))
    assert values == {"generator": "oversample", "balance": "max", "budget": "30m"}


def read(terminal: int) -> str:
    """All that is written to a terminal until its other end closes."""
    found = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            break
        if not part:
            break
        found += part
    os.close(terminal)
    return found.decode()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-g", "nobody"), "unknown generator 'nobody'"),
        (("--balance", "x"), "balance: expected max, median"),
        (("--budget", "3x"), "your answer: budget: expected a time"),
        (("--per-class", 1, "--balance", "max"), "expected one of per_class, balance, targets"),
    ],
)
def test_an_impossible_answer_is_refused(plain, here, genaug, words, said):
    found = genaug("init", plain, "-y", *words)
    assert (found.code, said in found.err) == (2, True), found.err
    assert not (here / "run.yaml").exists()


def test_a_file_that_is_there_is_kept(plain, here, genaug):
    (here / "run.yaml").write_text("mine", "utf-8")
    assert genaug("init", plain, "-y").code == 4
    assert (here / "run.yaml").read_text("utf-8") == "mine"
