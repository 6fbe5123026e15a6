"""Odd files, odd values and data that change are answered in one sentence with the documented exit code, in time."""

import json
import os
import shutil
import signal

import pytest
from genaug.run import pipeline

from tests.folders import contents

BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture(autouse=True)
def no_hang():
    """End a test that waits for a pipe for ever."""

    def late(*_):
        raise AssertionError("the command hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "text",
    [
        "per_class: yes",
        "per_class: 2020-01-01",
        "per_class: !!python/name:os.system x",
        "per_class: !odd 3",
        f"per_class: {'9' * 5000}",
        f"generator: {'x' * 9000}",
        f"? {'y' * 9000}\n: 1",
        f"generator: {'[' * 3000}{']' * 3000}",
        f"{BOMB}generator: *i",
        "per_class: .inf",
        "- 1",
        "5: 3",
    ],
)
def test_odd_values_are_refused_in_one_short_sentence(plain, tmp_path, genaug, text):
    (tmp_path / "run.yaml").write_text(text, "utf-8")
    found = genaug("plan", plain, "--config", tmp_path / "run.yaml")
    assert found.code == 2
    (said,) = [line for line in found.err.splitlines() if line.startswith("error: ")]
    assert len(said) < 800
    assert "Traceback" not in found.err


def test_a_pipe_is_no_config_file(plain, tmp_path, genaug):
    os.mkfifo(tmp_path / "run.yaml")
    found = genaug("plan", plain, "--config", tmp_path / "run.yaml")
    assert found.code == 2
    assert "it is no regular file" in found.err


def pipe(path):
    os.mkfifo(path)


def endless(path):
    path.symlink_to(path)


def nested(path):
    path.write_text("[" * 100_000, "utf-8")


NAMES = ["run.json", "provenance.jsonl", "rejections.jsonl", "classes.json", "timings.json", ".genaug/request.json"]


@pytest.mark.parametrize("put", [pipe, endless, os.mkdir, nested])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_file_of_genaug_never_hangs_a_command_and_is_no_fault_of_ours(plain, tmp_path, genaug, name, put):
    out = tmp_path / "out"
    run = ("run", plain, "-g", "oversample", "--per-class", 1, "-o", out)
    assert genaug(*run).code == 0
    (out / name).unlink()
    put(out / name)
    codes = {
        command: genaug(command, *rest).code
        for command, rest in (
            ("verify", [out]),
            ("report", [out]),
            ("evaluate", [plain, out, "--metrics", "ssim"]),
            ("run", run[1:]),
        )
    }
    assert set(codes.values()) <= {0, 3, 4, 8}, codes


@pytest.mark.parametrize("options", [(), ("--resolution", 16), ("--format", "webdataset")])
@pytest.mark.parametrize("change", ["other pixels", "removed", "pipe", "link"])
def test_data_that_change_during_a_run_are_named_and_not_written(plain, tmp_path, genaug, monkeypatch, options, change):
    victim, mix = plain / "cat/0.png", pipeline.mix

    def mix_later(*arguments):
        mixed = mix(*arguments)
        victim.unlink()
        if change == "pipe":
            os.mkfifo(victim)
        elif change == "link":
            victim.symlink_to(plain / "dog/0.png")
        elif change == "other pixels":
            shutil.copy(plain / "dog/0.png", victim)
        return mixed

    monkeypatch.setattr(pipeline, "mix", mix_later)
    found = genaug("run", plain, "-g", "oversample", "--per-class", 1, "--no-check", *options, "-o", tmp_path / "out")
    assert found.code == 3
    assert "cat/0.png was changed or removed while genaug used it" in " ".join(found.err.split())
    assert not (tmp_path / "out/train").exists()


def test_a_second_run_keeps_the_first_output_where_data_have_vanished(plain, tmp_path, genaug):
    run = ("run", plain, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out")
    assert genaug(*run).code == 0
    before = contents(tmp_path / "out")
    (plain / "cat/0.png").unlink()
    assert genaug(*run).code == 4
    assert contents(tmp_path / "out") == before
    assert json.loads((tmp_path / "out/run.json").read_text("utf-8"))["written"]
