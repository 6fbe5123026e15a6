"""Tasks run in this process or in local processes: results in order, errors per task, no process left behind."""

import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest
from genaug.errors import PluginError, UsageError
from genaug.executors import Processes, make_executor

TASKS = """
import os, time
from genaug.errors import UsageError

def square(task, report):
    report(("seen", task))
    if task == 3:
        raise UsageError("three is refused")
    if task == 4:
        raise KeyError("four is broken")
    if task == 6:
        raise BaseException("six is bare")
    if task == 5:
        os._exit(9)
    return task * task

SEEN = []

def seen(task, report):
    SEEN.append(task)
    return os.getpid(), SEEN

def endless(task, report):
    open(task, "w").write(str(os.getpid()))
    time.sleep(600)
"""


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """A module that workers can import by name."""
    (tmp_path / "worker_tasks.py").write_text(TASKS, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delitem(sys.modules, "worker_tasks", raising=False)
    return __import__("worker_tasks")


def test_kept_processes_serve_every_call_and_end_with_the_last_one(tasks):
    reported = []
    with Processes(1).kept(tasks.__name__) as processes:
        first, second = (processes.map(tasks.seen, [task], reported.append)[0].result for task in (1, 2))
        assert first[0] == second[0]
        assert second[1] == [1, 2]
        found = processes.map(tasks.square, [2], reported.append)
    assert found[0].result == 4
    assert reported == [("seen", 2)]
    with pytest.raises(ProcessLookupError):
        os.kill(first[0], 0)
    (other,) = processes.map(tasks.seen, [3], reported.append)
    assert other.result[1] == [3]


@pytest.mark.parametrize("workers", [1, 2])
def test_outcomes_are_in_order_and_an_error_stops_one_task_only(tasks, workers):
    seen = []
    outcomes = make_executor(workers).map(tasks.square, [4, 1, 2, 3], seen.append)
    assert [outcome.result for outcome in outcomes] == [None, 1, 4, None]
    assert isinstance(outcomes[0].error, PluginError)
    assert "four is broken" in str(outcomes[0].error)
    assert isinstance(outcomes[3].error, UsageError)
    assert sorted(seen) == [("seen", task) for task in (1, 2, 3, 4)]


@pytest.mark.parametrize("workers", [1, 2])
def test_anything_that_a_task_raises_is_its_own_error_with_a_traceback(tasks, workers):
    outcomes = make_executor(workers).map(tasks.square, [4, 6], print)
    assert ["KeyError" in str(outcomes[0].error), "six is bare" in str(outcomes[1].error)] == [True, True]
    assert all(isinstance(outcome.error, PluginError) for outcome in outcomes)
    for outcome, line in zip(outcomes, ("four is broken", "six is bare"), strict=True):
        shown = "".join(traceback.format_exception(outcome.error))
        assert f'raise {"KeyError" if line[0] == "f" else "BaseException"}("{line}")' in shown


def test_tasks_with_processes_of_their_own_see_nothing_of_each_other_or_of_this_process(tasks):
    tasks.SEEN.append("here")
    found = [outcome.result for outcome in Processes(2, fresh=True).map(tasks.seen, [1, 2, 3, 4], print)]
    assert [seen for _, seen in found] == [[1], [2], [3], [4]]
    assert len({process for process, _ in found} | {os.getpid()}) == 5


def test_a_killed_worker_process_is_reported(tasks):
    (outcome,) = make_executor(2).map(tasks.square, [5], lambda message: None)
    assert "worker process was killed" in str(outcome.error)


@pytest.mark.parametrize("started", [["main.py"], ["-m", "main"]])
def test_a_script_without_a_main_guard_is_not_run_again(tasks, tmp_path, started):
    code = (
        "from genaug.executors import make_executor, silent\nfrom worker_tasks import square\nprint('once')\n"
        "print([one.result for one in make_executor(2).map(square, [1, 2], silent)], bool(__file__), bool(__spec__))\n"
    )
    (tmp_path / "main.py").write_text(code, "utf-8")
    done = subprocess.run([sys.executable, *started], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"once\n[1, 4] True {'-m' in started}\n"), done.stderr


def test_worker_processes_end_when_their_run_is_killed(tasks, tmp_path):
    code = (
        "from genaug.executors import Processes, make_executor\nfrom worker_tasks import endless\n"
        f"if __name__ == '__main__':\n    make_executor(2).map(endless, {[str(tmp_path / n) for n in 'ab']}, print)\n"
    )
    (tmp_path / "main.py").write_text(code, "utf-8")
    process = subprocess.Popen([sys.executable, str(tmp_path / "main.py")])
    pids = [wait_for(lambda path=tmp_path / name: path.exists() and path.read_text()) for name in "ab"]
    process.kill()
    process.wait()
    for pid in pids:
        assert wait_for(lambda pid=pid: not Path(f"/proc/{pid}").exists())


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value
