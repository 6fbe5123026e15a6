"""The seconds of each stage of a run."""

import json

from genaug.run.stopwatch import Stopwatch


def test_a_stage_inside_another_counts_for_itself_alone():
    now = [0.0]
    watch = Stopwatch(clock=lambda: now[0])
    with watch.of("selecting"):
        now[0] = 2.0
        with watch.of("training judges"):
            now[0] = 7.0
        now[0] = 8.0
    now[0] = 100.0
    with watch.of("selecting"):
        now[0] = 101.0
        assert watch.seconds() == {"selecting": 4.0, "training judges": 5.0}


def test_the_stages_of_a_run_are_on_record_and_make_up_its_time(plain, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "oversample", "--per-class", 2, "-o", out).code == 0
    timings = json.loads((out / "timings.json").read_text("utf-8"))
    assert list(timings["stages"]) == sorted(["training", "selecting", "drawing", "filling up", "checking", "writing"])
    assert timings["stages"]["writing"] > 0
    assert 0.5 * timings["seconds"] < sum(timings["stages"].values()) <= timings["seconds"] + 0.01
    assert "<dt><bdi>writing</bdi></dt>" in (out / "report.html").read_text("utf-8")
