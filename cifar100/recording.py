"""Runs from the command line: claimed, trained, stored."""

import contextlib
import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cifar100 import data, paths
from cifar100.errors import UserError, WorkError, suggestion
from cifar100.experiments import SETTINGS, Experiment, as_tuples, child, get
from cifar100.files import check_writable, locked
from cifar100.progress import EpochProgress
from cifar100.records import REHEARSAL, Record, path_of, recorded, write
from cifar100.training import checkpoint
from cifar100.training.profiles import TRAINING_PROFILES, check_profile
from cifar100.training.run import Run


def train_and_store(
    name: str,
    seeds: Iterable[int],
    *,
    profile: str = "full",
    change: str | None = None,
    threads: int | None = None,
    exclusive: bool = False,
    rehearsal: bool = False,
) -> list[dict[str, Any]]:
    """Train, store what counts as evidence, and say in a few values how each run went.

    The network is built and compiled once for all seeds, and a run is stored as soon as
    it is done. `change` is `KEY=VALUE`, one setting or one argument of the network. A
    `rehearsal` trains a small profile, and stores that too, apart from the evidence.
    Raises `UserError` for wrong input before anything is loaded or written.
    """
    experiment, seeds = get(name), list(seeds)
    profile = REHEARSAL if rehearsal else check_profile(profile, TRAINING_PROFILES)
    if twice := [seed for seed in seeds if seeds.count(seed) > 1]:
        raise UserError(f"seed {twice[0]} is given twice")
    if change is not None:
        experiment = changed(experiment, change)
    stored = change is None and (rehearsal or profile == "full")
    if stored and not (rehearsal or exclusive):
        check_not_timed(experiment)
    summaries = []

    def keep(run: Run) -> None:
        record = None
        if stored:
            record = write(run, exclusive=exclusive, rehearsal=rehearsal)
        summaries.append(_summary(run, record))

    with contextlib.ExitStack() as claims:
        for seed in seeds:
            claims.enter_context(claimed(experiment, seed, profile))
        for seed in seeds if stored else []:
            path = path_of(experiment, seed, profile)
            check_writable(path)
            if recorded(experiment, seed, profile):
                # Of a call that was killed between the record and the end of this.
                checkpoint.remove(checkpoint.path_of(experiment, profile, seed))
                raise UserError(f"{name}, seed {seed} is recorded already: {path}")
        if stored:
            data.verify_cache()  # a second, against hours on changed pixels
        _train(experiment, seeds, profile, threads, keep)
    return summaries


def check_not_timed(experiment: Experiment) -> None:
    """Raise `UserError` if its seconds count: a record of a run that had company would
    be no evidence for them, and would keep a better one from being made."""
    if experiment.timed and not experiment.gpu:
        raise UserError(
            f"the seconds of '{experiment.name}' count; add --exclusive, and let "
            "nothing else run"
        )


def changed(experiment: Experiment, text: str) -> Experiment:
    """`experiment` with the one setting that `KEY=VALUE` names."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"--set takes KEY=VALUE, not '{text}'")
    try:
        parsed = as_tuples(json.loads(value))
    except (ValueError, RecursionError):
        parsed = value  # a word, such as cosine
    if key == "arguments":
        raise UserError("--set names the argument itself, as in --set filters=[8,16]")
    name = f"{experiment.name}, {text}"
    if key in SETTINGS:
        return child(experiment, name, **{key: parsed})
    if key in (arguments := _arguments(experiment)):
        return child(experiment, name, arguments={key: parsed})
    known = sorted({*SETTINGS, *arguments} - {"arguments"})
    hint = suggestion(key, known) or f"; one of {', '.join(known)}"
    raise UserError(f"no setting '{key}'{hint}")


def _arguments(experiment: Experiment) -> set[str]:
    from cifar100.models import MODELS
    from cifar100.models.arguments import ELSEWHERE

    network = inspect.signature(MODELS[experiment.architecture])
    return {key for key in network.parameters if key not in ELSEWHERE}


def _train(
    experiment: Experiment,
    seeds: list[int],
    profile: str,
    threads: int | None,
    on_run: Callable[[Run], None],
) -> None:
    from cifar100.training.loop import train

    with EpochProgress() as progress:
        train(
            experiment,
            seeds,
            profile=profile,
            on_epoch=progress,
            on_run=on_run,
            threads=threads,
        )


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
def claimed(experiment: Experiment, seed: int, profile: str = "full") -> Iterator[None]:
    """Hold a run, and its checkpoint, so that no second process does it too;
    `WorkError` if one does."""
    path = paths.cache() / "locks" / f"{experiment.id}-{profile}-seed-{seed}"
    run = f"{experiment.name}, seed {seed}"
    with locked(path, busy=WorkError(f"{run}: another process is on this run")):
        yield
