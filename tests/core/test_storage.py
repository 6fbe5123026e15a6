"""Files are written completely or not at all; one run locks a folder; removing a link leaves its target."""

import os
import subprocess
import sys

import pytest
from genaug.errors import OutputError
from genaug.storage import (
    copy_file,
    locked,
    make_folder,
    read_json,
    read_json_lines,
    remove,
    stage_hash,
    write_bytes,
    write_json,
    write_json_lines,
    write_text,
    write_with,
)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def half(beside):
        beside.write_bytes(b"ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="disk is full"):
        write_with(path, half)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_any_name_survives_json(tmp_path):
    odd = {"name": "a\udcff\n標", "number": 1.5}
    write_json(tmp_path / "x.json", odd)
    assert read_json(tmp_path / "x.json") == odd
    write_json_lines(tmp_path / "x.jsonl", [odd, odd])
    assert list(read_json_lines(tmp_path / "x.jsonl")) == [odd, odd]
    write_text(tmp_path / "x.txt", "a\udcff")


def test_a_missing_or_foreign_file_reads_as_nothing(tmp_path):
    (tmp_path / "x.json").write_bytes(b"{")
    assert read_json(tmp_path / "x.json") is None
    assert read_json(tmp_path / "y.json") is None
    assert list(read_json_lines(tmp_path / "y.jsonl")) == []


def test_a_copy_has_the_same_bytes_and_shares_nothing(tmp_path):
    (tmp_path / "a").write_bytes(os.urandom(3_000_000))
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()
    assert not (tmp_path / "b").samefile(tmp_path / "a")


def test_removing_a_link_leaves_its_target(tmp_path):
    home = make_folder(tmp_path / "home")
    (home / "precious").write_bytes(b"x")
    (tmp_path / "link").symlink_to(home)
    remove(tmp_path / "link")
    assert (home / "precious").exists()
    remove(tmp_path / "nothing")


def test_a_folder_below_a_file_is_refused_with_a_reason(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="part of the path is a file"):
        make_folder(tmp_path / "file/inside")


def test_another_process_cannot_lock_a_locked_folder(tmp_path):
    code = (
        "import sys; from pathlib import Path; from genaug.storage import locked\nwith locked(Path(sys.argv[1])): pass"
    )
    with locked(tmp_path / "own"):
        held = subprocess.run(
            [sys.executable, "-c", code, tmp_path / "own"], capture_output=True, text=True, check=False
        )
    free = subprocess.run([sys.executable, "-c", code, tmp_path / "own"], capture_output=True, text=True, check=False)
    assert "another run writes to" in held.stderr
    assert free.returncode == 0, free.stderr


def test_a_stage_hash_depends_on_the_values_alone():
    assert stage_hash({"a": 1, "b": [2]}) == stage_hash({"b": [2], "a": 1})
    assert stage_hash({"a": 1}) != stage_hash({"a": 2})
