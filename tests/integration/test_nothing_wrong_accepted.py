"""Odd files, odd values and data that change are answered in one sentence with the documented exit code, in time."""

import json
import os
import shutil
import signal

import pytest
from genaug.output.formats import folder
from genaug.run import pipeline
from genaug.storage import stage_hash

from tests.commands import QUICK
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
        "per_class: 1\nper_class: 2",
        "settings: {steps: 1, steps: 2}",
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


def contents_everywhere(folder):
    """The bytes of every file in a folder, genaug's own included."""
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def test_a_link_that_leads_out_is_not_even_copied_for_a_moment(plain, tmp_path, genaug, monkeypatch):
    (tmp_path / "secret").write_bytes(b"a secret outside of DATA")
    victim, copied, mix, copy = plain / "cat/0.png", [], pipeline.mix, folder.copy_file

    def mix_later(*arguments):
        mixed = mix(*arguments)
        victim.unlink()
        victim.symlink_to(tmp_path / "secret")
        return mixed

    monkeypatch.setattr(pipeline, "mix", mix_later)
    monkeypatch.setattr(folder, "copy_file", lambda source, path: (copied.append(source), copy(source, path)))
    assert genaug("run", plain, "-g", "oversample", "--per-class", 1, "--no-check", "-o", tmp_path / "out").code == 3
    assert victim not in copied


@pytest.fixture
def impossible(tmp_path):
    """Paths that no command can use: a name of 300 letters, links that lead to each other, a device."""
    (tmp_path / "one").symlink_to(tmp_path / "other")
    (tmp_path / "other").symlink_to(tmp_path / "one")
    return tmp_path / ("x" * 300), tmp_path / "one", "/dev/zero"


def test_paths_that_nothing_can_be_are_told_in_one_sentence(plain, tmp_path, genaug, impossible):
    out, quick = tmp_path / "out", ("-g", "oversample", "--per-class", 1, "--no-check")
    assert genaug("run", plain, *quick, "-o", out).code == 0
    image = out / "train/cat/oversample-000000.png"
    for odd in impossible:
        for words in (
            *((command, odd) for command in ("inspect", "plan", "verify", "report", "replay")),
            ("run", odd, *quick, "-o", tmp_path / "new"),
            ("run", plain, *quick, "-o", odd),
            ("run", plain, *quick, "-o", out, "--reject", odd),
            ("plan", plain, "--config", odd),
            ("sample", odd, "-n", 1, "-o", tmp_path / "more"),
            ("sample", out, "-n", 1, "-o", odd),
            ("evaluate", plain, odd, "--metrics", "ssim"),
            ("evaluate", odd, out, "--metrics", "ssim"),
            ("study", plain, "-g", "oversample", "-o", odd),
            ("replay", image, "--models", odd),
        ):
            found = genaug(*words)
            assert found.code in (2, 3, 4), (words, found)
            assert found.err.splitlines()[-1].startswith("error: ")
            assert "Traceback" not in found.err


OUTSIDE = ["../secret.png", "/etc/hostname", "train/../../secret.png", "train/cat/a\0b.png"]


@pytest.mark.parametrize("key", ["file_name", "shard"])
@pytest.mark.parametrize("name", OUTSIDE)
def test_a_line_of_the_provenance_never_leads_out_of_the_output(plain, tmp_path, genaug, key, name):
    out = tmp_path / "out"
    run = ("run", plain, "-g", "oversample", "--per-class", 1, "--no-check", "-o", out)
    assert genaug(*run).code == 0
    path = out / "provenance.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines[-1][key] = name
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    evaluate, replay = ("evaluate", plain, out, "--metrics", "ssim"), ("replay", out / "train/cat/0.png")
    for words in (("verify", out), evaluate, replay, run):
        found = genaug(*words)
        assert found.code in (3, 4), (words, found.err)
        assert f"line {len(lines)} of" in found.err
    (tmp_path / "secret.png").write_bytes((plain / "cat/0.png").read_bytes())
    assert genaug("report", out).code == 0
    page = (out / "report.html").read_text("utf-8")
    assert ("1 image file could not be read" in page) == (key == "file_name")


@pytest.mark.parametrize("name", OUTSIDE)
def test_the_record_of_a_run_never_leads_out_of_the_output(plain, tmp_path, genaug, name):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "oversample", "--per-class", 1, "--no-check", "-o", out).code == 0
    record = json.loads((out / "run.json").read_text("utf-8"))
    record["fits"][0]["model"] = name
    (out / "run.json").write_text(json.dumps(record), "utf-8")
    assert {genaug(command, out).code for command in ("verify", "report")} == {3}
    assert genaug("replay", out / "train/cat/oversample-000000.png").code == 3


ODD = {
    "no spec": lambda record: record.pop("spec"),
    "a height that is a text": lambda record: record["spec"].update(height="tall"),
    "counts that are a number": lambda record: record["spec"].update(counts=3),
    "no settings": lambda record: record.update(model=None),
    "an unknown setting": lambda record: record["model"].update(odd=1),
    "no generator": lambda record: record.pop("generator"),
    "a label that is a text": lambda record: record.update(label="cat"),
    "a label out of range": lambda record: record.update(label=7),
    "no key": lambda record: record.pop("key"),
    "no threads": lambda record: record.update(threads=0),
}


@pytest.mark.parametrize("change", ODD)
def test_odd_fields_of_a_model_are_told_even_behind_a_right_hash(plain, tmp_path, genaug, change):
    out = tmp_path / "out"
    run = ("run", plain, "-g", "cvae", *QUICK, "--per-class", 1, "-o", out)
    assert genaug(*run).code == 0
    path = out / "models/cvae/all.json"
    record = json.loads(path.read_text("utf-8"))
    record.pop("record")
    ODD[change](record)
    path.write_text(json.dumps(record | {"record": stage_hash(record)}), "utf-8")
    assert genaug("sample", out, "-n", 1, "-o", tmp_path / "more").code == 3
    assert genaug("replay", out / "train/cat/cvae-000000.png").code == 3
    assert genaug(*run).code in (0, 3)  # the model is trained again, or refused where its key still fits


@pytest.mark.parametrize("options", [(), ("--resolution", 16), ("--format", "webdataset")])
@pytest.mark.parametrize("change", ["other pixels", "removed", "pipe", "link", "link that leads out"])
def test_data_that_change_during_a_run_are_named_and_not_written(plain, tmp_path, genaug, monkeypatch, options, change):
    victim, mix, secret = plain / "cat/0.png", pipeline.mix, tmp_path / "secret"
    secret.write_bytes(b"a secret outside of DATA")

    def mix_later(*arguments):
        mixed = mix(*arguments)
        victim.unlink()
        if change == "pipe":
            os.mkfifo(victim)
        elif change == "link":
            victim.symlink_to(plain / "dog/0.png")
        elif change == "link that leads out":
            victim.symlink_to(secret)
        elif change == "other pixels":
            shutil.copy(plain / "dog/0.png", victim)
        return mixed

    monkeypatch.setattr(pipeline, "mix", mix_later)
    found = genaug("run", plain, "-g", "oversample", "--per-class", 1, "--no-check", *options, "-o", tmp_path / "out")
    assert found.code == 3
    assert "cat/0.png was changed or removed while genaug used it" in " ".join(found.err.split())
    assert not (tmp_path / "out/train").exists()
    assert secret.read_bytes() not in contents_everywhere(tmp_path / "out")


def test_a_second_run_keeps_the_first_output_where_data_have_vanished(plain, tmp_path, genaug):
    run = ("run", plain, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out")
    assert genaug(*run).code == 0
    before = contents(tmp_path / "out")
    (plain / "cat/0.png").unlink()
    assert genaug(*run).code == 4
    assert contents(tmp_path / "out") == before
    assert json.loads((tmp_path / "out/run.json").read_text("utf-8"))["written"]


def test_verify_tells_of_a_link_in_place_of_an_image(plain, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "oversample", "--per-class", 1, "--no-check", "-o", out).code == 0
    image = out / "train/cat/0.png"
    image.rename(tmp_path / "elsewhere.png")
    image.symlink_to(tmp_path / "elsewhere.png")
    found = genaug("verify", out)
    assert found.code == 8
    assert "it is a link" in " ".join(found.out.split())


@pytest.mark.parametrize("option", ["--balance", "--size", "--device", "-g", "--select", "--recipe", "--resolution"])
def test_a_message_never_repeats_more_than_200_characters_of_an_option(plain, genaug, option):
    found = genaug("plan", plain, option, "x" * 5000)
    assert found.code == 2
    assert len(found.err) < 1500


@pytest.fixture
def powerless():
    """No right to enter folders of others: tests may run as root, who enters every folder."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


@pytest.mark.parametrize("command", ["inspect", "run", "verify", "replay", "report", "evaluate"])
def test_a_folder_that_may_not_be_entered_is_no_fault_of_ours(tmp_path, genaug, powerless, command):
    closed = tmp_path / "closed"
    if os.geteuid() != 65534:
        closed.mkdir(mode=0)
    found = genaug(command, closed / "file")
    assert found.code in {2, 3, 4}
    assert "Traceback" not in found.err
