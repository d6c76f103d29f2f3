"""How long recording takes on up to 64 workers: a simulation with measured run times.

    python benchmarks/cluster_simulation.py [--repeats 500] [--output FILE]

The runs are those of `records/` that had one thread, as `cifar100 record` gives each;
their seconds are what the records say. Nothing is trained. A worker that is free takes
the first run that waits: `cheapest first` is what `record` does, by the operations that
it knows beforehand; `longest first` is the reverse; `by experiment` is what `--set`
does, one worker for all seeds of an experiment.
"""

import argparse
import heapq
import statistics
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cifar100.costs import petaflop
from cifar100.experiments import EXPERIMENTS
from cifar100.files import write_json
from cifar100.records import Record, list_records
from cifar100.training import environment

RESULT = Path(__file__).parent / "results" / "cluster_simulation.json"
WORKERS = (1, 2, 4, 8, 16, 32, 64)
MOST = WORKERS[-1]
COURSES = (1, 8)  # times the recorded runs
SLOW, SLOWNESS = 1 / 16, 2.0  # assumed: one worker in 16 takes twice as long
HOURS_TO_DEATH = 24.0  # assumed: of a worker, on average


class Task(NamedTuple):
    """What one worker does without a break; `cost` is known beforehand."""

    experiment: str
    cost: float
    seconds: float


def seconds_of(record: Record) -> float:
    """Training, evaluation and compilation; the start of the process is left out."""
    return sum(record.data["seconds"].values())


def measured() -> list[Task]:
    """Every recorded run of one thread, not timed alone on the machine."""
    found = []
    for record in list_records():
        if record.data["threads"]["intra"] == 1 and not record.data["exclusive"]:
            macs = record.data["fingerprint"]["macs"]
            cost = petaflop(EXPERIMENTS[record.experiment], macs)
            found.append(Task(record.experiment, cost, seconds_of(record)))
    return found


def without_stragglers(tasks: Sequence[Task]) -> list[Task]:
    """Each run takes what the median run of its experiment took."""
    usual = {name: statistics.median(s) for name, s in times(tasks).items()}
    return [task._replace(seconds=usual[task.experiment]) for task in tasks]


def courses_of(tasks: Sequence[Task], count: int) -> list[Task]:
    """The tasks so many times over, as experiments of their own."""
    return [
        task._replace(experiment=f"{task.experiment} {number}")
        for number in range(count)
        for task in tasks
    ]


def times(tasks: Iterable[Task]) -> dict[str, list[float]]:
    """Seconds of the runs, by experiment."""
    found = defaultdict(list)
    for task in tasks:
        found[task.experiment].append(task.seconds)
    return found


def by_experiment(tasks: Sequence[Task]) -> list[Task]:
    """All runs of an experiment as one task, the cheapest first."""
    whole = {
        name: (sum(t.cost for t in tasks if t.experiment == name), sum(seconds))
        for name, seconds in times(tasks).items()
    }
    return sorted((Task(n, *v) for n, v in whole.items()), key=lambda t: t.cost)


def cheapest_first(tasks: Sequence[Task]) -> list[Task]:
    """By cost; of equal cost, as they come."""
    return sorted(tasks, key=lambda task: task.cost)


def longest_first(tasks: Sequence[Task]) -> list[Task]:
    """By cost, the largest first."""
    return sorted(tasks, key=lambda task: -task.cost)


ORDERS = {
    "cheapest first": cheapest_first,
    "longest first": longest_first,
    "by experiment": by_experiment,
}


def simulate(
    tasks: Sequence[Task],
    workers: int,
    rng: np.random.Generator | None = None,
    *,
    slow: float = 0.0,
    hours_to_death: float = float("inf"),
) -> dict[str, float]:
    """The tasks on so many workers, in the given order.

    A share `slow` of the workers takes SLOWNESS times as long. A worker that dies is
    replaced at once; its task begins anew, before all that wait. Hours: `makespan`,
    until all is done; `tail`, the part of that in which a worker had nothing to do.
    `efficiency` is the work over what all workers could have done in the makespan.
    """
    rng = rng or np.random.default_rng(0)
    pace = np.where(rng.random(workers) < slow, SLOWNESS, 1.0)
    waiting, idle, now = deque(tasks), list(range(workers)), 0.0
    events: list[tuple[float, int, Task | None]] = []
    first_idle = None
    while True:
        while waiting and idle:
            task, worker = waiting.popleft(), idle.pop()
            takes = task.seconds * pace[worker]
            death = rng.exponential(hours_to_death * 3600)
            lost = task if death < takes else None
            heapq.heappush(events, (now + min(death, takes), worker, lost))
        if idle and first_idle is None:
            first_idle = now
        if not events:
            break
        now, worker, lost = heapq.heappop(events)
        idle.append(worker)
        if lost:
            waiting.appendleft(lost)
    work = sum(task.seconds for task in tasks)
    return {
        "makespan_hours": float(now / 3600),
        "tail_hours": float((now - first_idle) / 3600),
        "efficiency": float(work / (workers * now)),
    }


def bound(tasks: Sequence[Task], workers: int) -> float:
    """Hours that no order can beat: the longest run, or all work spread evenly."""
    seconds = [task.seconds for task in tasks]
    return max(max(seconds), sum(seconds) / workers) / 3600


def mean_and_worst(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of repeats: mean makespan, and the one that one repeat in twenty exceeds."""
    hours = [each["makespan_hours"] for each in found]
    return {
        "mean_makespan_hours": float(np.mean(hours)),
        "makespan_hours_of_20th": float(np.quantile(hours, 0.95)),
    }


def disturbed(tasks: Sequence[Task], repeats: int) -> dict[str, dict[str, float]]:
    """MOST workers of which some are slow, or die, under the orders."""
    troubles = {
        "slow workers": {"slow": SLOW},
        "dying workers": {"hours_to_death": HOURS_TO_DEATH},
    }
    return {
        f"{trouble}, {name}": mean_and_worst(
            [
                simulate(order(tasks), MOST, np.random.default_rng(k), **arguments)
                for k in range(repeats)
            ]
        )
        for trouble, arguments in troubles.items()
        for name, order in ORDERS.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--output", type=Path, default=RESULT)
    given = parser.parse_args()
    began, tasks = time.perf_counter(), measured()
    if not tasks:
        raise SystemExit("there are no records of runs with one thread")
    kinds = {"measured": tasks, "median": without_stragglers(tasks)}
    rows: list[dict[str, Any]] = []
    for kind, base in kinds.items():
        for courses in COURSES:
            all_of_them = courses_of(base, courses)
            for workers in WORKERS:
                for name, order in ORDERS.items():
                    about = {"times": kind, "courses": courses, "workers": workers}
                    least = {"order": name, "bound_hours": bound(all_of_them, workers)}
                    found = simulate(order(all_of_them), workers)
                    rows.append(about | least | found)
                    hours = f"{found['makespan_hours']:7.2f} h"
                    share = f"{found['efficiency']:4.0%}"
                    print(f"{kind:9} {courses} x {workers:3} {name:15} {hours} {share}")
    spread = {n: max(s) / statistics.median(s) for n, s in times(tasks).items()}
    write_json(
        given.output,
        {
            **environment.stamp(),
            "runs": len(tasks),
            "hours_of_runs": sum(task.seconds for task in tasks) / 3600,
            "longest_hours": max(task.seconds for task in tasks) / 3600,
            "slowest_to_median": dict(sorted(spread.items(), key=lambda i: -i[1])),
            "rows": rows,
            "disturbed": {
                str(n): disturbed(courses_of(kinds["median"], n), given.repeats)
                for n in COURSES
            },
            "repeats": given.repeats,
            "seconds": round(time.perf_counter() - began, 1),
        },
    )


if __name__ == "__main__":
    main()
