"""What one run is: epochs, validation, checkpoints, the final figures."""

import hashlib
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from cifar100 import cache, data
from cifar100.errors import WorkError, one_line
from cifar100.experiments import Experiment
from cifar100.models import cost
from cifar100.training import checkpoint, environment, inputs
from cifar100.training.engine import Engine, create, is_out_of_memory
from cifar100.training.evaluations import average, evaluate, mirrored_logits
from cifar100.training.first_step import fingerprint
from cifar100.training.plan import plan_epoch, steps_per_epoch
from cifar100.training.profiles import Scale, scale
from cifar100.training.run import Run
from cifar100.training.scores import metrics, per_image
from cifar100.training.stopping import Stopping

CHECKPOINT_SECONDS = 30.0
CODE = environment.code()  # as it is loaded, for files may change while a run lasts
SCORED_AT_ONCE = 10_000  # images; scoring one takes more room than the image does
OnEpoch = Callable[[Experiment, int, dict[str, Any]], None]
OnRun = Callable[[Run], None]


def train(
    experiment: Experiment,
    seeds: Iterable[int],
    *,
    profile: str = "full",
    on_epoch: OnEpoch | None = None,
    on_run: OnRun | None = None,
    threads: int | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> list[Run]:
    """Train `experiment` once for each seed; a run that was killed goes on.

    `on_epoch(experiment, seed, row)` is called with each row of the history, to which
    `epochs` and `images_per_second` are added for display, `on_run(run)` with each run
    as soon as it is done: to store it, since its checkpoint goes when that returns.
    `threads` is the number that one operation may use, all cores by default. Raises
    `DataMissing` without the data set, `UserError` for a network that can't be built
    and, when the other seeds are done, `WorkError` for runs that can't go on.
    """
    engine = create(experiment, threads or environment.cores())  # refuses wrong words
    splits = {split: inputs.load(experiment, split) for split in inputs.SPLITS}
    amount = scale(profile, experiment, cost.macs(engine.model))
    runs, failures = [], []
    for seed in seeds:
        try:
            course = _Course(engine, seed, profile, amount, splits, checkpoint_seconds)
            runs.append(course.run(on_epoch, on_run))
        except WorkError as error:
            failures.append(str(error))
        except OSError as error:
            failures.append(
                f"{experiment.name}, seed {seed}: {one_line(error)}; make room, and "
                "the same command goes on from the last checkpoint"
            )
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            failures.append(f"{experiment.name}, seed {seed}: out of memory")
    if failures:
        raise WorkError("; ".join(failures))
    return runs


class _Course:
    """One run on its way. What a resume needs is `progress`, the two sets of weights
    and the engine's state."""

    def __init__(
        self,
        engine: Engine,
        seed: int,
        profile: str,
        amount: Scale,
        splits: dict[str, data.Split],
        checkpoint_seconds: float,
    ):
        self.engine, self.experiment = engine, engine.experiment
        self.seed, self.profile, self.amount = seed, profile, amount
        self.checkpoint_seconds = checkpoint_seconds
        self.all_train = splits["train"]
        self.train = inputs.first(splits["train"], amount.train_images)
        self.val = inputs.first(splits["val"], amount.val_images)
        self.test = inputs.first(splits["test"], amount.test_images)
        self.stored = _stored(self.experiment, seed, len(self.train.fine))
        self.stopping = Stopping(self.experiment, self.val.fine)
        self.progress: dict[str, Any] = {"history": [], "resumed": 0}
        self.averaged: list[np.ndarray] | None = None
        self.best: list[np.ndarray] | None = None

    def run(self, on_epoch: OnEpoch | None, on_run: OnRun | None) -> Run:
        """Train to the end; the checkpoint is kept until `on_run` has the run."""
        try:
            run = self._trained(on_epoch)
        finally:
            if self.stored is not None:
                self.stored.remove()
        if on_run:
            on_run(run)
        checkpoint.remove(self._path)
        return run

    def _trained(self, on_epoch: OnEpoch | None) -> Run:
        began = time.perf_counter()  # compilation stays out of the clock of training
        found = fingerprint(self.engine, self.all_train)
        self.engine.logits(self.val.images[:1])
        compilation = time.perf_counter() - began
        self.engine.start(self.seed, self.all_train.images)
        self._resume()
        history = self.progress["history"]
        saved = time.monotonic()
        while len(history) < self.amount.epochs and not self.stopping.over(history):
            history.append(self._epoch(len(history) + 1))
            if self.stopping.improved(history):
                self.best = self.engine.weights()
            if "weight_average" in self.experiment.evaluations:
                so_far = len(history), self.amount.epochs
                self.averaged = average(self.averaged, self.engine.weights(), *so_far)
            if on_epoch:
                on_epoch(self.experiment, self.seed, self._report(history[-1]))
            if time.monotonic() - saved >= self.checkpoint_seconds:
                self._save()
                saved = time.monotonic()
        return self._finish(found, compilation)

    def _epoch(self, epoch: int) -> dict[str, Any]:
        images, epochs = len(self.train.fine), self.amount.epochs
        plan = plan_epoch(
            self.experiment, self.seed, epoch, images=images, epochs=epochs
        )
        self.engine.seed_dropout(self.seed, epoch)
        began = time.perf_counter()
        pictures = self.train.images
        if self.stored is not None:
            pictures = self.stored.pictures(pictures, epoch)
        losses, correct = self.engine.train_epoch(pictures, self.train.fine, plan)
        trained = time.perf_counter()
        loss = float(losses.mean(dtype=np.float64))
        self._check_finite(loss, f"the loss is {loss} in epoch {epoch}")
        scored = self._score(self.val)
        final = metrics(self.stopping.counted(scored))
        val_loss = final["loss"]
        self._check_finite(val_loss, f"the val loss is {val_loss} after epoch {epoch}")
        row = {
            "epoch": epoch,
            "learning_rate": float(plan.learning_rates[-1]),
            "train_loss": loss,
            "train_top1": float(correct.sum() / plan.order.size),
            "val_loss": val_loss,
            "val_top1": final["top1"],
        }
        if self.stopping.on:
            row["stopping_loss"] = self.stopping.loss(scored)
        row["seconds"] = round(trained - began, 3)
        row["evaluation_seconds"] = round(time.perf_counter() - trained, 3)
        return row

    def _check_finite(self, value: float, text: str) -> None:
        if not math.isfinite(value):
            raise WorkError(
                f"{self.experiment.name}, seed {self.seed}: {text}; a lower learning "
                "rate may help. No record was written."
            )

    def _report(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row of the history with what a progress display wants besides."""
        steps = steps_per_epoch(self.experiment, len(self.train.fine))
        speed = steps * self.experiment.batch_size / max(row["seconds"], 1e-3)
        return row | {"epochs": self.amount.epochs, "images_per_second": speed}

    def _score(self, split: data.Split) -> dict[str, np.ndarray]:
        parts = []
        for first in range(0, len(split.fine), SCORED_AT_ONCE):
            part = slice(first, first + SCORED_AT_ONCE)
            logits = self.engine.logits(split.images[part])
            cache.release(split.images)
            parts.append(per_image(logits, split.fine[part]))
        return {key: np.concatenate([p[key] for p in parts]) for key in parts[0]}

    def _finish(self, found: dict[str, Any], compilation: float) -> Run:
        began = time.perf_counter()
        if self.best is not None:
            self.engine.set_weights(self.best)
        weights = self.engine.weights()
        both = {"val": self.val, "test": self.test}
        logits = {key: self.engine.logits(x.images) for key, x in both.items()}
        val, test = (per_image(logits[key], x.fine) for key, x in both.items())
        on_train = metrics(self._score(self.train))
        final = metrics(self.stopping.counted(val))
        # A run that stopped early may not have reached the epochs that are averaged.
        averaged = self.averaged or weights
        parts = averaged, self.train, self.val, self.stopping.counted
        extra = evaluate(self.engine, self.seed, *parts)
        history = self.progress["history"]
        evaluation = sum(row["evaluation_seconds"] for row in history)
        seconds = {
            "train": sum(row["seconds"] for row in history),
            "evaluation": evaluation + time.perf_counter() - began,
            "compilation": compilation,
        }
        steps = len(history) * steps_per_epoch(self.experiment, len(self.train.fine))
        images = steps * self.experiment.batch_size
        return Run(
            experiment=self.experiment,
            seed=self.seed,
            profile=self.profile,
            history=history,
            val=val,
            test=test,
            metrics={f"val_{key}": value for key, value in final.items()}
            | {"val_second_half_top1": self.stopping.second_half(val)["top1"]}
            | {f"train_{key}": value for key, value in on_train.items()},
            evaluations=extra,
            facts={
                "commit": CODE["commit"],
                "clean": CODE["clean"],
                "fingerprint": found,
                "weights_sha256": _digest(weights),
                "val_scored": "second half" if self.stopping.on else "all",
                "seconds": {key: round(value, 3) for key, value in seconds.items()},
                "images_per_second": round(images / max(seconds["train"], 1e-3), 1),
                "resumed": self.progress["resumed"],
                **self._machine(),
            },
            weights=weights,
            logits=logits if self.experiment.headline else {},
            mirrored=mirrored_logits(self.engine, self.val),
        )

    def _machine(self) -> dict[str, Any]:
        stored = {"stored_set": self.stored.manifest} if self.stored else {}
        return {
            "engine": self.engine.name,
            "device": self.engine.device,
            "threads": self.engine.threads,
            "versions": environment.versions(),
            **stored,
        }

    def _made(self) -> dict[str, Any]:
        return {"code": CODE["digest"], "machine": self._machine()}

    @property
    def _path(self) -> Path:
        return checkpoint.path_of(self.experiment, self.profile, self.seed)

    def _save(self) -> None:
        arrays = self.engine.state()
        for name, weights in (("averaged", self.averaged), ("best", self.best)):
            for i, value in enumerate(weights or []):
                arrays[f"{name}/{i:03}"] = value
        state = {"progress": self.progress, "made": self._made()}
        checkpoint.save(self._path, arrays, state)

    def _resume(self) -> None:
        """Take up the last checkpoint, if this code, machine, engine and thread count
        made it: only then are the numbers those of an undisturbed run, and of the
        commit that its record names."""
        found = checkpoint.load(self._path)
        if found is None or found[1].get("made") != self._made():
            return
        arrays, state = found
        if not self.engine.fits(arrays):
            return  # made by other code of the same network
        self.engine.restore(arrays)
        for name in ("averaged", "best"):
            keys = sorted(key for key in arrays if key.startswith(f"{name}/"))
            setattr(self, name, [arrays[key] for key in keys] or None)
        self.progress = state["progress"]
        self.progress["resumed"] += 1


def _stored(experiment: Experiment, seed: int, images: int):
    """The `offline.StoredSet` of a run with stored copies, else None."""
    if experiment.stored_copies is None:
        return None
    from cifar100 import offline  # here, since other runs need no OpenCV

    return offline.store(
        experiment.augmentation, experiment.stored_copies, seed=seed, images=images
    )


def _digest(weights: list[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for value in weights:
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()
