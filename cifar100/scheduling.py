"""`cifar100 record`: fill what is missing, a process a run or an experiment."""

import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from cifar100 import paths
from cifar100.costs import macs_by_experiment, petaflop
from cifar100.errors import UserError, suggestion
from cifar100.experiments import EXPERIMENTS, FAMILIES
from cifar100.interrupts import held_back
from cifar100.packing import Pack
from cifar100.progress import RunsProgress
from cifar100.recording import check_not_timed
from cifar100.records import REHEARSAL, folder_of, missing, recorded
from cifar100.training import environment

PATIENCE = 60.0  # seconds that a worker gets to stop cleanly
REQUESTS = 3  # in that time
DEATHS = 2  # of its workers that a job survives: it may be what kills them
LAST = 4096  # bytes of a log that hold its last line
UNITS = {"s": 1, "m": 60, "h": 3600}
say_at_once = functools.partial(print, flush=True)  # what was said outlives a kill


@dataclass(frozen=True)
class Job:
    """Runs of one experiment to record in one process; `petaflop` is their cost,
    `deaths` counts the workers that died of them."""

    experiment: str
    seeds: tuple[int, ...]
    petaflop: float
    deaths: int = 0

    def __str__(self) -> str:
        return f"{self.experiment} seed {', '.join(map(str, self.seeds))}"


class Worker(Protocol):
    """What trains a job, here or elsewhere; it has the manners of `subprocess.Popen`.
    A `returncode` below 0 means that it died."""

    returncode: int | None

    def poll(self) -> int | None:
        """The return code; None while it works."""

    def send_signal(self, number: int, /) -> None:
        """Ask it to stop."""

    def wait(self, timeout: float) -> int:
        """The return code, once it is there; else `subprocess.TimeoutExpired`."""

    def kill(self) -> None:
        """Stop it at once."""


Start = Callable[[Job, list[str]], Worker]  # a job, options for `cifar100 train`


SETS = {
    **{
        name: [e for e in family if not e.gpu and not e.timed]
        for name, family in FAMILIES.items()
    },
    "timed": [e for e in EXPERIMENTS.values() if e.timed and not e.gpu],
    "gpu": [e for e in EXPERIMENTS.values() if e.gpu],
}


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
    threads: int | None = None,
    start: Start | None = None,
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
    `start` starts one elsewhere than in a process here. `chosen_set` takes one of
    `SETS`, a worker an experiment. `exclusive` is one worker on all cores and marks the
    records as fit for wall-clock claims. `pack` is kept up with the records of this
    home (`packing.Pack`). What a dead worker had is given to another one. When the
    budget is spent, or on Ctrl-C, workers are stopped as by Ctrl-C; their checkpoints
    let the next call go on.
    """
    if exclusive and workers not in (None, 1):
        raise UserError("--exclusive is one worker; leave out --workers")
    end, failed = time.monotonic() + budget, 0
    cores = environment.cores()
    workers = 1 if exclusive else workers or cores
    options = ["--threads", str(threads or max(1, cores // workers))]
    options += ["--exclusive"] if exclusive else []
    options += ["--rehearsal"] if rehearsal else []
    surroundings = _surroundings(workers)
    start = start or functools.partial(_start, surroundings=surroundings)
    profile = REHEARSAL if rehearsal else "full"
    packed = Pack(pack, folder_of(profile)) if pack else None
    waiting = jobs_of_set(chosen_set, profile) if chosen_set else jobs(only, profile)
    for job in [] if exclusive or rehearsal else waiting:
        check_not_timed(EXPERIMENTS[job.experiment])
    petaflops = sum(job.petaflop for job in waiting)
    say(f"{sum(len(j.seeds) for j in waiting)} runs to record, {petaflops:.2f} PF")
    running: dict[Worker, tuple[Job, float]] = {}
    with held_back() as asked:  # no Ctrl-C leaves a worker that nobody watches
        try:
            with RunsProgress(len(waiting), say) as progress:
                while (waiting or running) and not asked and time.monotonic() < end:
                    while waiting and len(running) < workers and not asked:
                        job = waiting.pop(0)
                        running[start(job, options)] = job, time.monotonic()
                    if packed:
                        packed.update()
                    time.sleep(0.5)
                    for worker in [w for w in running if w.poll() is not None]:
                        job, began = running.pop(worker)
                        say(_outcome(job, worker.returncode, time.monotonic() - began))
                        if again := _again(job, worker.returncode, profile):
                            waiting.insert(0, again)
                        elif worker.returncode:
                            failed += len(_missing(job, profile))
                    now = {str(job): last_line(job) for job, _ in running.values()}
                    progress.show(len(waiting), now)
        finally:
            stop(running)
            if packed:
                packed.update()
            unfinished = waiting + [job for job, _ in running.values()]
            left = failed + sum(len(_missing(job, profile)) for job in unfinished)
            say(f"{left} runs left" if left else "nothing left to record")
    return failed


def log_path(job: Job) -> Path:
    """Where a worker's output goes."""
    seeds = "-".join(map(str, job.seeds))
    return paths.cache() / "logs" / f"{job.experiment}-seed-{seeds}.log"


def last_line(job: Job) -> str:
    """The last that its worker said; empty before that."""
    with open(log_path(job), "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - LAST))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def command(job: Job, options: list[str]) -> list[str]:
    """What a worker runs."""
    seeds = [word for seed in job.seeds for word in ("--seed", str(seed))]
    train = ["-m", "cifar100", "train", job.experiment]
    return [sys.executable, *train, *seeds, *options]


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
    log_path(job).parent.mkdir(parents=True, exist_ok=True)
    with open(log_path(job), "w") as log:
        return subprocess.Popen(  # noqa: S603 (our own command line)
            command(job, options),
            stdout=log,
            stderr=subprocess.STDOUT,
            env=surroundings,
            start_new_session=True,
        )


def _missing(job: Job, profile: str) -> tuple[int, ...]:
    """Seeds of a job that have no record."""
    experiment = EXPERIMENTS[job.experiment]
    return tuple(s for s in job.seeds if not recorded(experiment, s, profile))


def _again(job: Job, code: int, profile: str) -> Job | None:
    """What a worker that died left to do, as a job for another one, if it is not the
    job itself that kills them."""
    lacking = _missing(job, profile)
    if code >= 0 or not lacking or job.deaths == DEATHS:
        return None
    return replace(job, seeds=lacking, deaths=job.deaths + 1)


def _outcome(job: Job, code: int, seconds: float) -> str:
    done = "recorded" if code == 0 else f"failed with {code}"
    if code < 0:
        done = "its worker died"
    return f"{job}: {done} after {seconds:.0f} s: {last_line(job) or 'no output'}"


def stop(running: Iterable[Worker]) -> None:
    """Ask them to end, more than once as a request may get lost; then kill."""
    left = list(running)
    for _ in range(REQUESTS):
        until = time.monotonic() + PATIENCE / REQUESTS
        for worker in left:
            worker.send_signal(signal.SIGTERM)  # as Ctrl-C, which Ray may block
        left = [worker for worker in left if not _ends(worker, until)]
    for worker in left:
        worker.kill()


def _ends(worker: Worker, until: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.wait(max(0.1, until - time.monotonic()))
        return True
    return False
