"""Records as a run would write them, packed on another machine; and two fixtures."""

import numpy as np
import pytest

from cifar100 import checking, paths, records
from cifar100.experiments import get
from cifar100.files import write_json
from cifar100.packing import Pack
from cifar100.training.run import Run
from cifar100.training.scores import metrics, per_image
from tests.run_facts import FACTS, METRICS


def scored(count, labels=None):
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(count, 100)).astype("float32")
    drawn = generator.integers(0, 100, count)
    return per_image(logits, drawn if labels is None else labels)


VAL, SMALL, TEST = scored(5000), scored(200), scored(100)


def store(name, seed=0, *, kind="cpu", profile="full", **changes):
    """Write a record as a run on a device of that kind would; `changes` go into its
    JSON."""
    val = VAL if profile == "full" else SMALL
    run = Run(
        experiment=get(name),
        seed=seed,
        profile=profile,
        history=[{"epoch": 1, "val_top1": metrics(val)["top1"], "train_loss": 4.6}],
        val=val,
        test=TEST,
        metrics=METRICS | {f"val_{k}": v for k, v in metrics(val).items()},
        facts=FACTS | {"device": {"kind": kind, "name": "a device"}},
    )
    record = records.write(run, rehearsal=profile != "full")
    write_json(record.path, record.data | {"commit": "c0ffee", "clean": True} | changes)
    return records.read(record.path)


@pytest.fixture
def at(tmp_path, monkeypatch):
    """Call it to move to the home of that name."""

    def move(name):
        monkeypatch.setenv("CIFAR100_HOME", str(tmp_path / name))

    monkeypatch.delenv("CIFAR100_SOURCE", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    move("home")
    return move


@pytest.fixture
def packed(at, tmp_path):
    """Pack what `fill` stores on the other machine; the path of the first part."""

    def make(fill, name="visit", folder=paths.records):
        at(f"away {name}")
        fill()
        Pack(tmp_path / "out" / f"{name}.zip", folder()).update()
        at("home")
        return tmp_path / "out" / f"{name}-1.zip"

    return make


def standing():
    """Device kinds of all records here, which have to hold."""
    found = records.list_records(current_only=False)
    assert [list(checking.check_record(r)) for r in found] == [[]] * len(found)
    return {(r.experiment, r.seed): r.data["device"]["kind"] for r in found}
