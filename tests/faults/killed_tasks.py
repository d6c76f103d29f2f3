"""What is killed: each task writes files below a home, and gives a JSON value.

`prepared` imports and makes what a task needs; what it returns is called in a child.
"""

import contextlib
import functools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cifar100.errors import UserError

Task = Callable[[str], Any]


def record(**settings: int) -> Task:
    """Store the record of a run, with `settings` of an experiment of that name."""
    from cifar100 import records
    from cifar100.experiments import get
    from cifar100.training.run import Run
    from cifar100.training.scores import metrics, per_image
    from tests.run_facts import FACTS, METRICS

    generator = np.random.default_rng(len(settings))
    logits = generator.normal(size=(5000, 100)).astype("float32")
    scored = per_image(logits, generator.integers(0, 100, 5000))
    run = Run(
        experiment=replace(get("simple_cnn"), **settings),
        seed=0,
        profile="full",
        history=[{"epoch": 1, "val_top1": metrics(scored)["top1"]}],
        val=scored,
        test=scored,
        metrics=METRICS | {f"val_{k}": v for k, v in metrics(scored).items()},
        facts=FACTS,
    )
    return lambda home: records.write(run).data["sha256"]


def checkpoints() -> Task:
    """A run that adds up numbers in four epochs, with a checkpoint after each."""
    from cifar100 import paths
    from cifar100.training import checkpoint

    def task(home: str) -> float:
        path = paths.cache() / "checkpoints" / "run.checkpoint"
        arrays, state = checkpoint.load(path) or ({"sum": np.zeros(1000)}, {"epoch": 0})
        total, first = arrays["sum"], state["epoch"] + 1
        for epoch in range(first, 5):
            total = total + np.random.default_rng(epoch).normal(size=1000)
            checkpoint.save(path, {"sum": total}, {"epoch": epoch})
        checkpoint.remove(path)
        return float(total.sum())

    return task


def small_data() -> Task:
    """Prepare the small data set that stands in $CIFAR100_SOURCE."""
    from cifar100 import archive, cache, data, official
    from cifar100.files import sha256_of
    from cifar100.unpickle import read_pickle

    names = Path(os.environ["CIFAR100_SOURCE"]).with_name("names")
    folder = archive.unpack(Path(os.environ["CIFAR100_SOURCE"]), names)
    for name in ("train", "test"):
        content = read_pickle(folder / name)
        pixels = official.as_images(np.asarray(content["data"])).tobytes()
        fine = np.array(content["fine_labels"], np.uint8).tobytes()
        sums = len(fine), sha256_of(pixels), sha256_of(fine)
        official.CHECKSUMS[name] = official.Checksums(*sums)
    cache.draw_split = lambda fine: (np.arange(30), np.arange(30, 40))

    def task(home: str) -> list[int]:
        data.prepare(progress=False)
        splits = [data.load(split) for split in data.SPLITS]
        return [int(split.images.sum()) for split in splits]

    return task


def real_data() -> Task:
    """Prepare the data set itself."""
    from cifar100 import data

    def task(home: str) -> list[int]:
        data.prepare(progress=False)
        return [int(data.load(split).fine.sum()) for split in ("train", "val")]

    return task


def offline(images: int = 300) -> Task:
    """Store augmented copies of training pictures."""
    from cifar100 import data, offline
    from cifar100.files import sha256_of

    data.load("train")

    def task(home: str) -> str:
        made = offline.store(("flip", "affine"), 2, seed=0, images=images)
        return sha256_of(made.copies.tobytes())

    return task


def pack() -> Task:
    """Pack all records of the home."""
    from cifar100 import paths
    from cifar100.packing import Pack

    def task(home: str) -> int:
        packed = Pack(Path(home) / "visit.zip", paths.records())
        packed.update()
        return len(packed.members)

    return task


def training(stored_copies: int | None = 1) -> Task:
    """Train two epochs and record the run; a checkpoint after each epoch."""
    from cifar100.experiments import EXPERIMENTS, Experiment
    from cifar100.recording import train_and_store
    from cifar100.training import loop

    EXPERIMENTS["everything"] = Experiment(
        name="everything",
        architecture="simple_cnn",
        arguments={"filters": (8, 8), "dense_units": 32},
        augmentation=("flip", "affine"),
        stored_copies=stored_copies,
        optimizer="sgd",
        learning_rate=0.02,
        schedule="one_cycle",
        dropout=0.3,
        epochs=2,
        evaluations=("weight_average",),
    )
    loop.train = functools.partial(loop.train, checkpoint_seconds=0)

    def task(home: str) -> None:
        with contextlib.suppress(UserError):  # it was killed after its last step
            train_and_store("everything", [3], rehearsal=True, threads=1)

    return task


def kept_weights() -> Task:
    """Keep the weights of a network."""
    from cifar100 import data, models, weights
    from cifar100.experiments import get

    data.load("val")

    def task(home: str) -> int:
        experiment = get("lenet5")
        arrays = [np.array(w) for w in models.build(experiment, seed=1).weights]
        return weights.save(experiment, arrays, seed=1).stat().st_size

    return task


def report() -> Task:
    """Build the pages of the notebooks in the home."""
    from cifar100.report import pages, site  # noqa: F401  (nbconvert takes a second)
    from cifar100.report.build import Options, build

    def task(home: str) -> list[str]:
        options = Options(notebooks=Path(home) / "notebooks", jobs=2)
        index = build(options, lambda line: None)
        return sorted(path.name for path in index.parent.glob("*.html"))

    return task


TASKS: dict[str, Callable[[], Task]] = {
    "record": record,
    "another record": lambda: record(epochs=3),
    "checkpoints": checkpoints,
    "small data": small_data,
    "real data": real_data,
    "offline": offline,
    "large offline": lambda: offline(images=20_000),
    "pack": pack,
    "training": training,
    "kept weights": kept_weights,
    "report": report,
}


def prepared(name: str) -> Task:
    """The task of that name, ready to be called."""
    return TASKS[name]()
