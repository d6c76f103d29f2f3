"""Many runs in one view: bars in a terminal, a line a minute elsewhere."""

import io
import time

from rich.console import Console

from cifar100 import progress
from cifar100.experiments import get
from cifar100.progress import EpochProgress, RunsProgress

ROW = {"epoch": 3, "epochs": 15, "images_per_second": 1800.4, "val_top1": 0.2125}


def said_by_a_run():
    """The line that a run writes for an epoch."""
    console = Console(file=io.StringIO(), width=40)
    with EpochProgress(console) as run:
        run(get("lenet5"), 2, ROW | {"seconds": 2.5})
    return console.file.getvalue().strip()


def terminal():
    return Console(file=io.StringIO(), force_terminal=True, width=120)


def test_a_run_that_says_how_far_it_is_gets_a_bar_of_that_length():
    console = terminal()
    with RunsProgress(5, print, console) as view:
        view.show(1, {"lenet5 seed 2": said_by_a_run(), "lenet5 seed 1": ""})
        tasks = {task.description: task for task in view.bars.tasks}
    assert tasks.keys() == {"all", "lenet5 seed 2", "lenet5 seed 1"}
    run, all_runs = tasks["lenet5 seed 2"], tasks["all"]
    assert (run.completed, run.total) == (3, 15)
    assert run.fields["note"] == "val top-1 0.212, 1,800 images/s"
    assert (all_runs.completed, all_runs.total) == (2, 5)
    assert "lenet5 seed 2" in console.file.getvalue()


def test_what_a_log_says_is_shown_as_it_is():
    console = terminal()
    with RunsProgress(1, print, console) as view:
        view.show(0, {"a seed 0": "could not place it on [/device:CPU:0] [bold]"})
    assert "[/device:CPU:0] [bold]" in console.file.getvalue()


def test_the_bar_of_a_run_goes_when_it_is_done():
    with RunsProgress(2, print, terminal()) as view:
        view.show(0, {"a seed 0": "", "a seed 1": said_by_a_run()})
        view.show(0, {"a seed 1": said_by_a_run()})
        assert [task.description for task in view.bars.tasks] == [
            "all",
            "lenet5 seed 2",
        ]
        view.show(0, {})
        (last,) = view.bars.tasks
    assert (last.completed, last.total) == (2, 2)


def test_elsewhere_all_runs_are_one_line_a_minute(monkeypatch):
    said, console = [], Console(file=io.StringIO())
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with RunsProgress(3, said.append, console) as view:
        line = said_by_a_run()
        view.show(1, {"lenet5 seed 2": line, "lenet5 seed 1": ""})
        assert said == []
        now += progress.QUIET
        for _ in range(2):
            view.show(1, {"lenet5 seed 2": line, "lenet5 seed 1": ""})
    assert said == [f"0 of 3 done; {line}; lenet5 seed 1: starting"]
    assert line.startswith("lenet5 seed 2: epoch 3/15, val top-1 0.212")
    assert console.file.getvalue() == ""
