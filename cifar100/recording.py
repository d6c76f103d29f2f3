"""One run from the command line: claimed, trained, stored."""

import contextlib
import fcntl
import inspect
import json
from collections.abc import Iterator
from typing import Any

from cifar100 import paths
from cifar100.errors import UserError, WorkError
from cifar100.experiments import SETTINGS, Experiment, child, get
from cifar100.progress import EpochProgress
from cifar100.records import Record, path_of, recorded, write
from cifar100.training.profiles import TRAINING_PROFILES, check_profile
from cifar100.training.run import Run


def train_and_store(
    name: str,
    seed: int,
    *,
    profile: str = "full",
    change: str | None = None,
    threads: int | None = None,
    exclusive: bool = False,
) -> dict[str, Any]:
    """Train, store what counts as evidence, and say in a few values how it went.

    `change` is `KEY=VALUE`, one setting or one argument of the network. Raises
    `UserError` for wrong input before anything is loaded or written.
    """
    experiment = get(name)
    check_profile(profile, TRAINING_PROFILES)
    if change is not None:
        experiment = changed(experiment, change)
    stored = profile == "full" and change is None
    if stored and recorded(experiment, seed):
        path = path_of(experiment, seed)
        raise UserError(f"{name}, seed {seed} is recorded already: {path}")
    with claimed(experiment, seed) if stored else contextlib.nullcontext():
        run = _train(experiment, seed, profile, threads)
        record = write(run, exclusive=exclusive) if stored else None
    return _summary(run, record)


def changed(experiment: Experiment, text: str) -> Experiment:
    """`experiment` with the one setting that `KEY=VALUE` names."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"--set takes KEY=VALUE, not '{text}'")
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value  # a word, such as cosine
    if isinstance(parsed, list):
        parsed = tuple(parsed)
    if key == "arguments":
        raise UserError("--set names the argument itself, as in --set filters=[8,16]")
    name = f"{experiment.name}, {text}"
    if key not in SETTINGS and key in _arguments(experiment):
        return child(experiment, name, arguments={key: parsed})
    return child(experiment, name, **{key: parsed})


def _arguments(experiment: Experiment) -> set[str]:
    from cifar100.models import MODELS

    return set(inspect.signature(MODELS[experiment.architecture]).parameters)


def _train(experiment: Experiment, seed: int, profile: str, threads: int | None) -> Run:
    from cifar100.training.loop import train

    with EpochProgress() as progress:
        return train(
            experiment, [seed], profile=profile, on_epoch=progress, threads=threads
        )[0]


def _summary(run: Run, record: Record | None) -> dict[str, Any]:
    return {
        "experiment": run.experiment.name,
        "seed": run.seed,
        "profile": run.profile,
        **{key: round(value, 4) for key, value in run.metrics.items()},
        "train_seconds": run.facts["seconds"]["train"],
        "record": str(record.path) if record else None,
    }


@contextlib.contextmanager
def claimed(experiment: Experiment, seed: int) -> Iterator[None]:
    """Hold a run so that no second process does it too; `WorkError` if one does."""
    path = paths.cache() / "locks" / f"{experiment.id}-seed-{seed}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WorkError(
                f"{experiment.name}, seed {seed}: another process is on this run"
            ) from None
        yield
