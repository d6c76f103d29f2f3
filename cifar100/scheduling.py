"""`cifar100 record`: fill what is missing, a process a run or an experiment."""

import contextlib
import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cifar100 import paths
from cifar100.errors import UserError, suggestion
from cifar100.experiments import EXPERIMENTS, FAMILIES, Experiment
from cifar100.files import sha256_of, write_json
from cifar100.packing import Pack
from cifar100.records import REHEARSAL, folder_of, list_records, missing, recorded
from cifar100.training import environment

TRAIN_IMAGES, CLASSES = 45_000, 100
PATIENCE = 60.0  # seconds that a worker gets to stop cleanly
UNITS = {"s": 1, "m": 60, "h": 3600}
say_at_once = functools.partial(print, flush=True)  # what was said outlives a kill


@dataclass(frozen=True)
class Job:
    """Runs of one experiment to record in one process; `petaflop` is their cost."""

    experiment: str
    seeds: tuple[int, ...]
    petaflop: float


def with_ancestors(chosen: Iterable[Experiment]) -> list[Experiment]:
    """The chosen experiments and all that they descend from, in the given order."""
    names: set[str | None] = set()
    for experiment in chosen:
        while experiment.name not in names:
            names.add(experiment.name)
            if experiment.parent is not None:
                experiment = EXPERIMENTS[experiment.parent]
    return [e for e in EXPERIMENTS.values() if e.name in names]


SETS = {
    **{
        name: [e for e in family if not e.gpu and not e.timed]
        for name, family in FAMILIES.items()
    },
    "timed": [e for e in EXPERIMENTS.values() if e.timed and not e.gpu],
    "gpu": with_ancestors(e for e in EXPERIMENTS.values() if e.gpu),
}


def petaflop(experiment: Experiment, macs: int, *, done: float = 1.0) -> float:
    """10^15 floating-point operations of one run: a forward and a backward pass are 6
    for each multiply-add (3 passes' worth, 2 operations each). `macs` are those of 32
    pixels; a smaller picture is taken to cost as much less as it has fewer pixels.
    `done` is the share of the run's steps that count."""
    share, before = 0.0, 0.0
    for side, until in experiment.image_sizes or ((32, 1.0),):
        steps = min(until, done) - min(before, done)
        share, before = share + steps * (side / 32) ** 2, until
    per_class = experiment.images_per_class
    images = CLASSES * per_class if per_class else TRAIN_IMAGES
    return 6 * macs * share * images * experiment.epochs / 1e15


def macs_by_experiment(chosen: Iterable[Experiment] | None = None) -> dict[str, int]:
    """Multiply-adds an image of the chosen experiments, by default all.

    From a record where there is one, else from what was counted before with the same
    network code, else by building the network, which loads Keras.
    """
    chosen = list(EXPERIMENTS.values() if chosen is None else chosen)
    recorded = {r.experiment: r.data["fingerprint"]["macs"] for r in list_records()}
    code, unrecorded = network_code(), [e for e in chosen if e.name not in recorded]
    counted = _remembered(code)
    if lacking := [e for e in unrecorded if e.id not in counted]:
        counted |= _count(lacking)
        with contextlib.suppress(OSError):  # a cache that can't be written is no harm
            write_json(counts_path(), {"network_code": code, "macs": counted})
    return {e.name: recorded.get(e.name) or counted[e.id] for e in chosen}


def counts_path() -> Path:
    """Where counted multiply-adds are kept."""
    return paths.cache() / "macs.json"


def network_code() -> str:
    """One hash of all sources that build and count networks; loads none of them."""
    folder = paths.package_root() / "cifar100" / "models"
    sources = {path.name: sha256_of(path) for path in sorted(folder.glob("*.py"))}
    return sha256_of(json.dumps(sources).encode())


def _remembered(code: str) -> dict[str, int]:
    """Counts by experiment id that this network code gave; a damaged file has none."""
    try:
        content = json.loads(counts_path().read_text(encoding="utf-8"))
        counts = content["macs"] if content["network_code"] == code else {}
        return {id_: int(count) for id_, count in counts.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _count(experiments: list[Experiment]) -> dict[str, int]:
    """Multiply-adds by id. Equal networks are built once: recipes share them."""
    from cifar100 import models
    from cifar100.models import cost

    counts: dict[tuple, int] = {}
    for e in experiments:
        network = e.architecture, e.arguments
        if network not in counts:
            counts[network] = cost.macs(models.build(e))
    return {e.id: counts[e.architecture, e.arguments] for e in experiments}


def jobs(only: list[str] | None = None, profile: str = "full") -> list[Job]:
    """Runs without a current record, one by one, cheapest first.

    What wants a GPU, or a machine of its own, is left out unless `only` names it.
    """
    chosen = [
        e
        for e in EXPERIMENTS.values()
        if (e.name in only if only else not (e.gpu or e.timed))
    ]
    macs = macs_by_experiment(chosen)
    found = [
        Job(e.name, (seed,), petaflop(e, macs[e.name]))
        for e in chosen
        for seed in missing(e, profile)
    ]
    return sorted(found, key=lambda job: (job.petaflop, job.seeds))


def jobs_of_set(name: str, profile: str = "full") -> list[Job]:
    """A job for each experiment of a set with runs to record, most valuable first.

    That is what the confirmatory contrasts need, child and parent, then the rest; of
    equal value, the cheapest first. Raises `UserError` for an unknown set.
    """
    if name not in SETS:
        hint = suggestion(name, SETS) or f"; one of {', '.join(SETS)}"
        raise UserError(f"unknown set '{name}'{hint}")
    macs = macs_by_experiment(SETS[name])
    found = []
    for e in SETS[name]:
        if seeds := tuple(missing(e, profile)):
            found.append(Job(e.name, seeds, len(seeds) * petaflop(e, macs[e.name])))
    asked = [e for e in EXPERIMENTS.values() if e.kind == "confirmatory"]
    needed = {e.name for e in asked} | {e.parent for e in asked}
    return sorted(found, key=lambda job: (job.experiment not in needed, job.petaflop))


def parse_budget(text: str | None) -> float:
    """Seconds in `90s`, `30m`, `2h`, `1h30m`; infinity for `None`. Else `UserError`."""
    if text is None:
        return float("inf")
    parts = re.findall(r"(\d+(?:\.\d+)?)([smh])", text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise UserError(f"'{text}' is no time; write it as 90s, 30m, 2h or 1h30m")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def record(
    *,
    workers: int | None = None,
    budget: float = float("inf"),
    only: list[str] | None = None,
    chosen_set: str | None = None,
    exclusive: bool = False,
    pack: Path | None = None,
    rehearsal: bool = False,
    say: Callable[[str], None] = say_at_once,
) -> int:
    """Record what is missing; how many runs failed.

    As many workers as cores by default, one thread each: measured side by side, that is
    faster than one run after the other on all cores (benchmarks/side_by_side.py).
    `chosen_set` takes one of `SETS`, a process an experiment. `exclusive` is one worker
    on all cores and marks the records as fit for wall-clock claims. `pack` is kept up
    with the records of this home (`packing.Pack`). When the budget is spent, or on
    Ctrl-C, workers are stopped as by Ctrl-C; their checkpoints let the next call go on.
    """
    end, failed = time.monotonic() + budget, 0
    cores = environment.cores()
    workers = 1 if exclusive else workers or cores
    options = ["--threads", str(max(1, cores // workers))]
    options += ["--exclusive"] if exclusive else []
    options += ["--rehearsal"] if rehearsal else []
    surroundings = _surroundings(workers)
    profile = REHEARSAL if rehearsal else "full"
    packed = Pack(pack, folder_of(profile)) if pack else None
    waiting = jobs_of_set(chosen_set, profile) if chosen_set else jobs(only, profile)
    petaflops = sum(job.petaflop for job in waiting)
    say(f"{sum(len(j.seeds) for j in waiting)} runs to record, {petaflops:.2f} PF")
    running: dict[subprocess.Popen, tuple[Job, float]] = {}
    try:
        while (waiting or running) and time.monotonic() < end:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                process = _start(job, options, surroundings)
                running[process] = job, time.monotonic()
            if packed:
                packed.update()
            time.sleep(0.5)
            for process in [p for p in running if p.poll() is not None]:
                job, began = running.pop(process)
                failed += _missing(job, profile) if process.returncode else 0
                say(_outcome(job, process.returncode, time.monotonic() - began))
    finally:
        _stop(running)
        if packed:
            packed.update()
        unfinished = waiting + [job for job, _ in running.values()]
        left = sum(_missing(job, profile) for job in unfinished)
        say(f"{left} runs left" if left else "nothing left to record")
    return failed


def log_path(job: Job) -> Path:
    """Where a worker's output goes."""
    seeds = "-".join(map(str, job.seeds))
    return paths.cache() / "logs" / f"{job.experiment}-seed-{seeds}.log"


def _surroundings(workers: int) -> dict[str, str]:
    """Environment variables of the workers. A JAX process takes most of a GPU's memory
    when it starts: each worker gets its share, and this process, which only counts
    what networks cost, none."""
    variables = dict(os.environ)
    if variables.get("KERAS_BACKEND") == "jax":
        share = f"{0.8 / workers:.3f}"
        variables.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", share)
        os.environ["JAX_PLATFORMS"] = "cpu"
    return variables


def _start(
    job: Job, options: list[str], surroundings: dict[str, str]
) -> subprocess.Popen:
    command = [sys.executable, "-m", "cifar100", "train", job.experiment]
    for seed in job.seeds:
        command += ["--seed", str(seed)]
    log_path(job).parent.mkdir(parents=True, exist_ok=True)
    with open(log_path(job), "w") as log:
        return subprocess.Popen(  # noqa: S603 (our own command line)
            [*command, *options],
            **{"stdout": log, "stderr": subprocess.STDOUT, "env": surroundings},
            start_new_session=True,
        )


def _missing(job: Job, profile: str) -> int:
    """How many runs of a job have no record."""
    experiment = EXPERIMENTS[job.experiment]
    return sum(not recorded(experiment, seed, profile) for seed in job.seeds)


def _outcome(job: Job, code: int, seconds: float) -> str:
    name = f"{job.experiment} seed {', '.join(map(str, job.seeds))}"
    lines = log_path(job).read_text(errors="replace").strip().splitlines()
    last = lines[-1] if lines else "no output"
    done = "recorded" if code == 0 else f"failed with {code}"
    return f"{name}: {done} after {seconds:.0f} s: {last}"


def _stop(running: dict[subprocess.Popen, tuple[Job, float]]) -> None:
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)
    deadline = time.monotonic() + PATIENCE
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
