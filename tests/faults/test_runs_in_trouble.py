"""Two processes on one run, numbers that are none, no memory, a clock that jumps."""

import ast
import contextlib
import os
import random
import re
import time
from datetime import datetime

import numpy as np
import pytest
from killing import TINY
from small_notebooks import write

from cifar100 import data, paths, records
from cifar100.cli import main
from cifar100.errors import WorkError
from cifar100.experiments import Experiment, get
from cifar100.packing import Pack
from cifar100.recording import claimed
from cifar100.report.build import Options, build
from cifar100.training import engine, loop
from cifar100.training.run import Run
from tests.counted import count_networks
from tests.run_facts import FACTS, METRICS

ONE_STEP = {"architecture": "simple_cnn", "optimizer": "sgd", "batch_size": 256}


def ended(capsys, *arguments):
    """Exit status and both outputs of a command in this process."""
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code, *capsys.readouterr()


# Two at once


def test_a_second_process_on_a_run_says_so(home, capsys):
    with claimed(get("simple_cnn"), 0):
        code, out, err = ended(capsys, "train", "simple_cnn")
    assert (code, out) == (1, "")
    assert err == "error: simple_cnn, seed 0: another process is on this run\n"


def test_a_second_recording_leaves_a_run_to_the_first(home, capsys):
    count_networks()
    with contextlib.ExitStack() as claims:
        for seed in range(3):
            claims.enter_context(claimed(get("lenet5"), seed))
        code, out, err = ended(capsys, "record", "--only", "lenet5", "--workers", "3")
    assert code == 1
    assert len(re.findall("seed .: another process is on this run", out)) == 3
    assert err == "error: 3 runs failed; their logs are in .cache/logs\n"


# No numbers, no memory


@pytest.mark.data
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"learning_rate": 1e12, "batch_size": 64}, "the loss is (nan|inf) in epoch 1"),
        # Its only step starts from weights that are fine, and leaves some that are not.
        ({"learning_rate": 1e30}, "the val loss is (nan|inf) after epoch 1"),
    ],
)
def test_a_run_without_numbers_ends_in_one_line(home_with_data, settings, words):
    wild = Experiment(name="wild", **(ONE_STEP | settings))
    with pytest.raises(WorkError, match=f"wild, seed 0: {words}") as caught:
        loop.train(wild, [0], profile="smoke")
    assert "\n" not in str(caught.value)
    assert "No record was written" in str(caught.value)


def test_figures_that_are_no_numbers_are_not_recorded(home):
    options = {"metrics": {"val_top1": float("nan")}, "facts": FACTS}
    run = Run(get("simple_cnn"), 0, "full", [], {}, {}, **options)
    with pytest.raises(WorkError, match="seed 0: some figures are not finite"):
        records.write(run)
    assert not paths.records().exists()


@pytest.mark.data
@pytest.mark.parametrize("kind", ["TensorFlow", "Python"])
def test_a_run_without_memory_leaves_the_other_seeds_alone(
    home_with_data, monkeypatch, kind
):
    train_epoch = engine.Engine.train_epoch

    def hungry(self, images, labels, plan):
        if plan.order[0, 0] != known:
            return train_epoch(self, images, labels, plan)
        if kind == "Python":
            return np.empty((2**50,), np.uint8)
        import tensorflow

        return tensorflow.zeros([2**24, 2**24])  # a petabyte

    known = None
    monkeypatch.setattr(engine.Engine, "train_epoch", hungry)
    known = loop.plan_epoch(TINY, 1, 1, images=256, epochs=2).order[0, 0]
    done = []
    with pytest.raises(WorkError, match=r"^tiny, seed 1: out of memory$"):
        loop.train(TINY, [0, 1, 2], profile="smoke", on_run=done.append)
    assert [run.seed for run in done] == [0, 2]


# A clock that jumps


@pytest.fixture
def jumping(monkeypatch):
    """A clock on the wall that shows another year whenever somebody looks."""
    generator = random.Random(8)
    monkeypatch.setattr(time, "time", lambda: generator.uniform(0, 4e9))


def test_no_time_is_measured_with_the_clock_on_the_wall():
    """Only with those that cannot jump; the time of day is written down, no more."""
    for path in (paths.package_root() / "cifar100").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("time", "time_ns"):
                assert getattr(node.value, "id", "") != "time", f"{path}:{node.lineno}"


@pytest.mark.data
def test_training_does_not_care_for_the_clock(home_with_data, jumping):
    first, again = loop.train(TINY, [0, 0], profile="smoke")
    assert first.facts["weights_sha256"] == again.facts["weights_sha256"]
    for row in first.history:
        assert 0 <= row["seconds"] < 60


def test_files_from_another_time_count_as_what_they_hold(home, fake_data):
    """The data set's cache, packed records, the report."""
    moment = (datetime(2099, 1, 1).timestamp(),) * 2
    data.prepare(progress=False)
    before = data.load("train").images.sum()
    options = {"metrics": METRICS, "facts": FACTS}
    run = Run(get("simple_cnn"), 0, "full", [], {}, {}, **options)
    record = records.write(run)
    pack = Pack(home / "visit.zip", paths.records())
    pack.update()
    write(home / "notebooks", "00-one", "print(1)")
    build(Options(notebooks=home / "notebooks"), print)
    for path in home.rglob("*"):
        os.utime(path, moment)
    assert data.load("train").images.sum() == before
    lines = []
    build(Options(notebooks=home / "notebooks"), lines.append)
    assert lines == ["nothing has changed"]
    packed = (home / "visit-1.zip").read_bytes()
    records.write(Run(get("simple_cnn"), 0, "full", [{"epoch": 1}], {}, {}, **options))
    os.utime(record.path, moment)
    pack.update()
    assert (home / "visit-1.zip").read_bytes() != packed
