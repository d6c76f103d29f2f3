"""`cifar100 record`: fill what is missing, cheapest first, a process a run."""

import contextlib
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
from cifar100.errors import UserError
from cifar100.experiments import EXPERIMENTS, Experiment
from cifar100.files import sha256_of, write_json
from cifar100.records import list_records, missing
from cifar100.training import environment

TRAIN_IMAGES = 45_000
PATIENCE = 60.0  # seconds that a worker gets to stop cleanly
UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Job:
    """One run to record; `petaflop` is its cost."""

    experiment: str
    seed: int
    petaflop: float


def petaflop(experiment: Experiment, macs: int) -> float:
    """10^15 floating-point operations of one run: a forward and a backward pass are 6
    for each multiply-add (3 passes' worth, 2 operations each)."""
    return 6 * macs * TRAIN_IMAGES * experiment.epochs / 1e15


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


def jobs(only: list[str] | None = None) -> list[Job]:
    """Runs without a current record, cheapest first.

    What is marked as a matter for a GPU is left out unless `only` names it.
    """
    chosen = [
        e for e in EXPERIMENTS.values() if (e.name in only if only else not e.gpu)
    ]
    macs = macs_by_experiment(chosen)
    found = [
        Job(e.name, seed, petaflop(e, macs[e.name]))
        for e in chosen
        for seed in missing(e)
    ]
    return sorted(found, key=lambda job: (job.petaflop, job.seed))


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
    exclusive: bool = False,
    say: Callable[[str], None] = print,
) -> int:
    """Record what is missing; how many runs failed.

    As many workers as cores by default, one thread each: measured side by side, that is
    faster than one run after the other on all cores (benchmarks/side_by_side.py).
    `exclusive` is one worker on all cores and marks the records as fit for wall-clock
    claims. When the budget is spent, or on Ctrl-C, workers are stopped as by Ctrl-C;
    their checkpoints let the next call go on.
    """
    cores = environment.cores()
    workers = 1 if exclusive else workers or cores
    threads = max(1, cores // workers)
    waiting = jobs(only)
    say(f"{len(waiting)} runs to record, {sum(j.petaflop for j in waiting):.2f} PF")
    end, failed = time.monotonic() + budget, 0
    running: dict[subprocess.Popen, tuple[Job, float]] = {}
    try:
        while (waiting or running) and time.monotonic() < end:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                running[_start(job, threads, exclusive)] = job, time.monotonic()
            time.sleep(0.5)
            for process in [p for p in running if p.poll() is not None]:
                job, began = running.pop(process)
                failed += process.returncode != 0
                say(_outcome(job, process.returncode, time.monotonic() - began))
    finally:
        _stop(running)
        left = len(waiting) + len(running)
        say(f"{left} runs left" if left else "nothing left to record")
    return failed


def log_path(job: Job) -> Path:
    """Where a worker's output goes."""
    return paths.cache() / "logs" / f"{job.experiment}-seed-{job.seed}.log"


def _start(job: Job, threads: int, exclusive: bool) -> subprocess.Popen:
    command = [sys.executable, "-m", "cifar100", "train", job.experiment]
    command += ["--seed", str(job.seed), "--threads", str(threads)]
    command += ["--exclusive"] if exclusive else []
    log_path(job).parent.mkdir(parents=True, exist_ok=True)
    with open(log_path(job), "w") as log:
        return subprocess.Popen(  # noqa: S603 (our own command line)
            command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def _outcome(job: Job, code: int, seconds: float) -> str:
    name = f"{job.experiment} seed {job.seed}"
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
