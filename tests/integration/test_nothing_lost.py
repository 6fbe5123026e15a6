"""Nothing of the user's is lost or mixed up: real images stay apart from synthetic ones, and foreign files stay."""

import shutil
import sys

import pytest
from genaug import augment
from genaug.errors import DataError
from genaug.output import folder as output_folder
from genaug.run import extra_images, pipeline

from tests.commands import QUICK
from tests.folders import contents, fill

REFUSED = "which would count as real ones; give the folder of real images that they were created from"


@pytest.fixture
def out(plain, tmp_path, genaug):
    """An output with synthetic images and the model that drew them."""
    assert genaug("run", plain, "-g", "cvae", *QUICK, "--per-class", 2, "-o", tmp_path / "out").code == 0
    return tmp_path / "out"


def test_sample_never_writes_beside_real_images(out, plain, tmp_path, genaug):
    before = contents(plain)
    found = genaug("sample", out, "-n", 1, "-o", plain)
    assert found.code == 4
    assert "is no image of genaug, and synthetic images must not be mixed with others" in found.err
    assert contents(plain) == before
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/cat").symlink_to(plain / "cat")
    assert genaug("sample", out, "-n", 1, "-o", tmp_path / "linked").code == 4
    assert contents(plain) == before


@pytest.mark.parametrize("inside", ["", "train", "train/cat", "new"])
def test_sample_never_writes_into_an_output(out, genaug, inside):
    before = contents(out)
    found = genaug("sample", out, "-n", 1, "-o", out / inside)
    assert found.code == 4
    assert "which must stay as its run wrote it; give another --out" in found.err
    assert contents(out) == before
    assert not (out / "new").exists()


def test_sample_goes_on_among_its_own_images(out, tmp_path, genaug):
    assert genaug("sample", out, "-n", 1, "-o", tmp_path / "more").code == 0
    assert genaug("sample", out, "-n", 1, "--first", 9, "-o", tmp_path / "more").code == 0
    assert len(list((tmp_path / "more").rglob("*.png"))) == 6


@pytest.mark.parametrize("inside", ["", "train"])
@pytest.mark.parametrize("command", ["run", "plan", "study"])
def test_an_output_is_refused_as_data(out, tmp_path, genaug, command, inside):
    found = genaug(command, out / inside, "-g", "oversample", "-o", tmp_path / "next")
    assert found.code == 3
    assert REFUSED in found.err
    assert not (tmp_path / "next").exists()


def test_a_copy_of_an_output_is_refused_by_the_marks_inside_its_images(out, tmp_path, genaug):
    shutil.copytree(out / "train", tmp_path / "copy")
    found = genaug("run", tmp_path / "copy", "-g", "oversample", "-o", tmp_path / "next")
    assert found.code == 3
    assert "such as cat/cvae-000000.png" in found.err
    with pytest.raises(DataError, match="would count as real ones"):
        augment(tmp_path / "copy", "oversample")


def test_an_output_without_marks_is_refused_by_its_provenance(out, tmp_path, genaug):
    """An image saved again by another program has no mark."""
    for path in out.glob("train/*/cvae-*.png"):
        path.write_bytes((out / "train" / path.parent.name / "0.png").read_bytes())
    found = genaug("run", out / "train", "-g", "oversample", "-o", tmp_path / "next")
    assert found.code == 3
    assert "such as train/cat/cvae-000000.png" in found.err


def test_a_folder_beside_a_foreign_provenance_is_no_output(plain, tmp_path, genaug):
    for text in ("{}", "[1, 2", "null\n3"):
        (tmp_path / "provenance.jsonl").write_text(text, "utf-8")
        assert genaug("plan", plain, "-g", "oversample").code == 0


@pytest.mark.parametrize(
    "place", ["train/cat/mine.png", "contact-sheets/mine.png", "contact-sheets/999.png", "contact-sheets/notes/a.txt"]
)
def test_a_run_stops_at_files_that_a_person_put_into_its_folders(plain, tmp_path, genaug, place):
    run = ("run", plain, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out")
    assert genaug(*run).code == 0
    mine = tmp_path / "out" / place
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine", "utf-8")
    found = genaug(*run)
    assert found.code == 4
    assert f"{place} was not written by genaug" in " ".join(found.err.split())
    assert mine.read_text("utf-8") == "mine"


def test_a_run_stops_at_a_folder_in_place_of_one_of_its_files(plain, tmp_path, genaug):
    run = ("run", plain, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out")
    assert genaug(*run).code == 0
    mine = tmp_path / "out/timings.json/mine.txt"
    mine.parent.unlink()
    mine.parent.mkdir()
    mine.write_text("mine", "utf-8")
    found = genaug(*run)
    assert (found.code, "mine.txt was not written by genaug" in " ".join(found.err.split())) == (4, True), found.err
    assert mine.read_text("utf-8") == "mine"


def test_a_run_stops_at_a_card_that_a_person_edited(plain, tmp_path, genaug):
    run = ("run", plain, "-g", "oversample", "-o", tmp_path / "out", "--per-class")
    assert genaug(*run, 1).code == 0
    assert genaug(*run, 2).code == 0
    card = tmp_path / "out/README.md"
    card.write_text(card.read_text("utf-8") + "\nTaken in my garden.\n", "utf-8")
    found = genaug(*run, 1)
    assert found.code == 4
    assert "README.md was edited, and a new run would replace it; move it away" in " ".join(found.err.split())
    assert card.read_text("utf-8").endswith("Taken in my garden.\n")
    card.unlink()
    assert genaug(*run, 1).code == 0


def test_a_run_stops_at_what_a_person_did_while_it_was_at_work(plain, tmp_path, genaug, monkeypatch):
    run = ("run", plain, "-g", "oversample", "-o", tmp_path / "out", "--per-class")
    assert genaug(*run, 1).code == 0
    for name in ("README.md", "train/cat/mine.png"):
        mine = tmp_path / "out" / name
        written = pipeline.write

        def write(mixed, output, timings, mine=mine, written=written):
            mine.write_text("mine", "utf-8")
            written(mixed, output, timings)

        with monkeypatch.context() as patched:
            patched.setattr(pipeline, "write", write)
            assert genaug(*run, 2).code == 4
        assert mine.read_text("utf-8") == "mine"
        mine.unlink()
    assert genaug(*run, 2).code == 0


def test_a_card_of_an_earlier_run_is_not_the_one_that_genaug_wrote_last(plain, tmp_path, genaug):
    run = ("run", plain, "-g", "oversample", "-o", tmp_path / "out", "--per-class")
    card = tmp_path / "out/README.md"
    assert genaug(*run, 1).code == 0
    earlier = card.read_bytes()
    assert genaug(*run, 2).code == 0
    card.write_bytes(earlier)
    found = genaug(*run, 2)
    assert found.code == 4
    assert "README.md was edited" in " ".join(found.err.split())


def test_a_run_stops_at_images_of_which_no_provenance_tells_that_genaug_wrote_them(plain, tmp_path, genaug):
    run = ("run", plain, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out")
    assert genaug(*run).code == 0
    (tmp_path / "out/provenance.jsonl").unlink()
    before = contents(tmp_path / "out")
    found = genaug(*run)
    assert found.code == 4
    assert "was not written by genaug" in " ".join(found.err.split())
    assert contents(tmp_path / "out") == before


class KilledError(BaseException):
    """Stands for a kill: nothing catches it and nothing is tidied up."""


def killed_at(monkeypatch, name, number, module=output_folder):
    """Let the number-th call of a function of a module end the process before it does anything."""
    real, calls = getattr(module, name), []

    def call(*arguments):
        calls.append(arguments)
        if len(calls) == number:
            raise KilledError
        return real(*arguments)

    monkeypatch.setattr(module, name, call)


@pytest.mark.parametrize(("before", "after", "step"), [(5, 2, 1), (2, 5, 4)])
def test_a_run_that_is_killed_while_it_publishes_always_goes_on(tmp_path, genaug, monkeypatch, before, after, step):
    data = fill(tmp_path / "data", {"cat": 3, "dog": 2})
    run = ("run", data, "-g", "oversample", "--select", "none", "--no-check", "--per-class")
    assert genaug(*run, after, "-o", tmp_path / "fresh").code == 0
    assert genaug(*run, before, "-o", tmp_path / "first").code == 0
    wanted, kills = contents(tmp_path / "fresh"), 0
    for name, most in (("move", 25), ("remove", 15)):
        for number in range(1, most, step):
            out = tmp_path / f"{name}-{number}"
            shutil.copytree(tmp_path / "first", out)
            for again in (number, max(1, number - 2)):  # killed twice, at different places
                with monkeypatch.context() as patched:
                    killed_at(patched, name, again)
                    try:
                        genaug(*run, after, "-o", out)
                    except KilledError:
                        kills += 1
            found = genaug(*run, after, "-o", out)
            assert found.code == 0, (name, number, found.err)
            assert contents(out) == wanted
            assert not list(out.rglob("*.part"))
            shutil.rmtree(out)
    assert kills > 40 / step


@pytest.mark.parametrize("place", ["old/mine.txt", "old/train/cat/mine.png"])
def test_a_run_stops_at_a_file_that_a_person_put_where_a_killed_run_kept_its_older_output(
    plain, tmp_path, genaug, monkeypatch, place
):
    run = ("run", plain, "-g", "oversample", "--no-check", "-o", tmp_path / "out", "--per-class")
    assert genaug(*run, 1).code == 0
    with monkeypatch.context() as patched:
        killed_at(patched, "remove", 8)
        with pytest.raises(KilledError):
            genaug(*run, 2)
    mine = tmp_path / "out/.genaug" / place
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine", "utf-8")
    found = genaug(*run, 2)
    assert found.code == 4
    assert f"{place} was not written by genaug" in " ".join(found.err.split())
    mine.unlink()
    assert genaug(*run, 2).code == 0


PART = ".0123456789ab.part"
FOREIGN = (
    "0123456789ab.part",
    ".0123456789abc.part",
    ".0123456789aG.part",
    ".mine.part",
    ".0123456789cd.part/mine.txt",
)


@pytest.mark.parametrize("command", ["run", "study"])
def test_files_that_a_kill_left_half_written_are_removed_and_nothing_else(plain, tmp_path, genaug, command):
    options = {"run": ("--per-class", 1), "study": ("--folds", 2, "--repeats", 1, "--seeds", 1, "--steps", 1)}[command]
    out = tmp_path / "out"
    again = (command, plain, "-g", "oversample", *options, "--workers", 1, "-o", out)
    assert genaug(*again).code == 0
    for folder in (out, out / ".genaug", out / "models/oversample", out / "notes"):
        for name in (PART, *FOREIGN):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("mine", "utf-8")
    assert genaug(*again).code == 0
    assert not list(out.rglob(PART))
    assert len([path for name in FOREIGN for path in out.rglob(name)]) == 4 * len(FOREIGN)


def test_sample_goes_on_where_it_was_killed(out, tmp_path, genaug, monkeypatch):
    more = ("sample", out, "-n", 3, "-o")
    assert genaug(*more, tmp_path / "fresh").code == 0
    with monkeypatch.context() as patched:
        killed_at(patched, "write_bytes", 5, extra_images)
        with pytest.raises(KilledError):
            genaug(*more, tmp_path / "more")
    (tmp_path / "more/cat" / PART).write_bytes(b"half of an ima")
    assert genaug(*more, tmp_path / "more").code == 0
    assert contents(tmp_path / "more") == contents(tmp_path / "fresh")


def test_sample_never_replaces_another_image(out, tmp_path, genaug):
    assert genaug("sample", out, "-n", 1, "-o", tmp_path / "more").code == 0
    before = contents(tmp_path / "more")
    found = genaug("sample", out, "-n", 1, "--seed", 5, "-o", tmp_path / "more")
    assert found.code == 4
    assert "is there already and is another image; give another --out or a higher --first" in found.err
    assert contents(tmp_path / "more") == before


def test_sample_removes_nothing_where_it_must_not_write(out, plain, genaug):
    (plain / PART).write_text("mine", "utf-8")
    assert genaug("sample", out, "-n", 1, "-o", plain).code == 4
    assert (plain / PART).read_text("utf-8") == "mine"


def interrupted(path):
    raise KeyboardInterrupt


def test_a_checkpoint_of_a_finished_model_does_not_stay_after_a_kill(plain, tmp_path, genaug, monkeypatch):
    run = ("run", plain, "-g", "cvae", *QUICK, "--per-class", 1, "--top-up", "none", "-o", tmp_path / "out")
    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["genaug.fitting.fit"], "remove", interrupted)
        assert genaug(*run).code == 130
    assert list(tmp_path.glob("out/.genaug/checkpoints/*"))
    assert genaug(*run).code == 0
    assert not list(tmp_path.glob("out/.genaug/checkpoints/*"))


def test_unfinished_work_of_a_finished_split_does_not_stay_after_a_kill(plain, tmp_path, genaug):
    quick = ("--folds", 2, "--repeats", 1, "--seeds", 1, "--steps", 1, "--workers", 1)
    study = ("study", plain, "-g", "oversample", *quick, "-o", tmp_path / "out")
    assert genaug(*study).code == 0
    left = tmp_path / "out/.genaug/splits/1.1/work"  # what remains where the process is killed while it removes this
    (left / "models").mkdir(parents=True)
    assert genaug(*study).code == 0
    assert not left.exists()


@pytest.mark.parametrize("name", [".genaug", ".genaug/draws", ".genaug/old", "models"])
def test_a_run_never_writes_through_a_link_inside_its_output(plain, tmp_path, genaug, name):
    run = ("run", plain, "-g", "oversample", "--per-class", 1, "--no-check", "-o", tmp_path / "out")
    assert genaug(*run).code == 0
    shutil.rmtree(tmp_path / "out" / name, ignore_errors=True)
    (tmp_path / "out" / name).symlink_to(plain)
    before = contents(plain)
    found = genaug(*run)
    assert found.code == 4
    assert "is a link" in found.err
    assert contents(plain) == before
