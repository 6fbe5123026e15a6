"""Hypothesis tries odd folders, settings and records: whatever comes, no command ends with exit code 1.

GENAUG_FUZZ_EXAMPLES sets how many examples of each kind are tried; docs/reliability.md has a run of ten minutes each.
"""

import contextlib
import io
import json
import os
import shutil
import string
from pathlib import Path

import pytest
from genaug.cli import main
from genaug.report.measuring import measure
from genaug.run.config import RunConfig
from genaug.storage import stage_hash
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.commands import QUICK, Answer
from tests.folders import COUNTS, fill

EXAMPLES = int(os.environ.get("GENAUG_FUZZ_EXAMPLES", "8"))
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PICTURES = {
    "png": lambda: saved("PNG"),
    "gif": lambda: saved("GIF"),
    "cut": lambda: saved("PNG")[:40],
    "text": lambda: b"no image",
    "empty": lambda: b"",
}
KEYS = st.sampled_from([*RunConfig.model_fields, "odd"])
OPTIONS = st.sampled_from(["-s", "-g", "--size", *(f"--{name.replace('_', '-')}" for name in RunConfig.model_fields)])
KNOWN = ["max", "cvae", "classical", "none", "cvae=0.5,classical=0.5", "cat", "cat=3", "steps=2", "cap=0.5"]
WORDS = st.one_of(
    st.integers().map(str), st.floats().map(str), st.text(string.printable, max_size=12), st.sampled_from(KNOWN)
)


def saved(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(buffer, form)
    return buffer.getvalue()


def answer(*words: object) -> Answer:
    """Exit code, stdout and stderr of a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    return Answer(int(stop.value.code or 0), out.getvalue(), err.getvalue())


def check(*words: object) -> None:
    """The command ends with a documented exit code for a user's mistake, or none, and with a sentence."""
    found = answer(*words)
    assert found.code in (0, 2, 3, 4, 5, 7, 8), (words, found.err)
    assert "Traceback" not in found.err


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("fuzz") / "data", COUNTS)


@pytest.fixture(scope="module")
def out(data):
    """An output with a trained model, a rejected candidate and an evaluation; each test leaves it as it was."""
    folder = data.parent / "out"
    few = data.parent / "few.yaml"
    few.write_text("judge_steps: 4\n", "utf-8")
    drawn = ("--overdraw", 2, "--per-class", 2, "--on-shortfall", "classical")
    options = (*QUICK[:-2], "--config", few, "--select", "novelty", *drawn)
    assert answer("run", data, "-g", "cvae", *options, "-o", folder).code in (0, 7)
    measure(folder, ["ssim"])
    return folder


@contextlib.contextmanager
def instead(path: Path, content: bytes):
    """The file with other content, for a while."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def changed(values, place: int, value):
    """A JSON table or list in which one value, at any depth, is another one."""
    places = list(paths(values))
    if not places:
        return value
    path = places[place % len(places)]
    copy = json.loads(json.dumps(values))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copy


def paths(values, before=()):
    """The way to every value of a JSON table or list."""
    keys = values if isinstance(values, dict) else range(len(values)) if isinstance(values, list) else ()
    for key in keys:
        yield (*before, key)
        yield from paths(values[key], (*before, key))


TREES = st.dictionaries(st.tuples(NAMES, NAMES), st.sampled_from(sorted(PICTURES)), min_size=1, max_size=8)


@fuzzed
@given(tree=TREES, split=st.sampled_from(["", "train", "test", "val"]), link=st.booleans())
def test_any_folder_is_inspected_or_refused(tree, split, link, tmp_path):
    folder = tmp_path / "tree"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for (label, name), kind in tree.items():
        with contextlib.suppress(OSError):  # a name that this file system refuses, or one that is a folder already
            (folder / split / label).mkdir(parents=True, exist_ok=True)
            (folder / split / label / name).write_bytes(PICTURES[kind]())
    if link:
        (folder / "link").symlink_to(folder)
    check("inspect", folder)
    check("inspect", folder, "--json")


@fuzzed
@given(table=st.dictionaries(KEYS, VALUES, max_size=4), text=st.text(max_size=60), plain=st.booleans())
def test_any_config_file_is_used_or_refused(table, text, plain, data, tmp_path):
    (tmp_path / "run.yaml").write_text(text if plain else json.dumps(table), "utf-8")
    check("plan", data, "--config", tmp_path / "run.yaml")


@fuzzed
@given(st.lists(st.tuples(OPTIONS, WORDS), max_size=4))
def test_any_options_are_used_or_refused(data, pairs):
    check("plan", data, *(word for pair in pairs for word in pair))


@fuzzed
@given(line=st.integers(0, 50), place=st.integers(0, 50), value=VALUES, raw=st.none() | st.binary(max_size=30))
def test_any_line_of_the_provenance_is_read_or_refused(out, data, line, place, value, raw):
    path = out / "provenance.jsonl"
    lines = path.read_bytes().splitlines()
    row = line % len(lines)
    lines[row] = json.dumps(changed(json.loads(lines[row]), place, value)).encode() if raw is None else raw
    with instead(path, b"\n".join(lines) + b"\n"):
        for words in (("verify", out), ("report", out), ("evaluate", data, out, "--metrics", "ssim")):
            check(*words)
        check("replay", next(iter(sorted(out.glob("train/*/cvae-*.png")))))


@fuzzed
@given(
    place=st.integers(0, 80),
    value=VALUES,
    signed=st.booleans(),
    weights=st.none() | st.tuples(st.integers(0, 10_000), st.binary(max_size=20)),
)
def test_any_model_is_used_or_refused(out, place, value, signed, weights, tmp_path):
    model = out / "models/cvae/all.safetensors"
    record = json.loads(model.with_suffix(".json").read_text("utf-8"))
    other = changed({key: part for key, part in record.items() if key != "record"}, place, value)
    other["record"] = stage_hash(other) if signed else record["record"]
    data = model.read_bytes()
    if weights is not None:
        start = weights[0] % len(data)
        data = data[:start] + weights[1] + data[start + len(weights[1]) :]
    shutil.rmtree(tmp_path / "more", ignore_errors=True)
    with instead(model, data), instead(model.with_suffix(".json"), json.dumps(other).encode()):
        check("sample", out, "-n", 1, "-o", tmp_path / "more")
        check("replay", next(iter(sorted(out.glob("train/*/cvae-*.png")))))
        check("verify", out)


RECORDS = ["run.json", "classes.json", "timings.json", "rejections.jsonl", "evaluation.json", "models/cvae/all.json"]


@fuzzed
@given(name=st.sampled_from(RECORDS), place=st.integers(0, 300), value=VALUES, raw=st.none() | st.binary(max_size=30))
def test_any_record_is_shown_or_refused(out, name, place, value, raw):
    path = out / name
    first = path.read_text("utf-8").splitlines()[0] if name.endswith("l") else path.read_text("utf-8")
    with instead(path, json.dumps(changed(json.loads(first), place, value)).encode() if raw is None else raw):
        check("report", out)
        check("verify", out)
