"""What the benchmarks share: contenders in turns, medians, results on file."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cifar100.files import write_json
from cifar100.training import environment

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


def in_turns(
    contenders: dict[str, Callable[[], float]], rounds: int
) -> dict[str, list[float]]:
    """Call each contender once a round, so that a slow moment hits all of them."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, measure in contenders.items():
            found[name].append(measure())
            value = found[name][-1]
            print(
                f"round {number + 1}: {name} {value:.4g}", file=sys.stderr, flush=True
            )
    return found


def last_json(command: Sequence[str], **environ: str) -> dict[str, Any]:
    """Run a command and read the last line that it prints as JSON."""
    done = subprocess.run(
        list(map(str, command)),
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def seconds_of(command: Sequence[str], **environ: str) -> float:
    """Wall-clock seconds of a command that has to succeed."""
    began = time.perf_counter()
    subprocess.run(
        list(map(str, command)),
        env=os.environ | environ,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def summary(repeats: dict[str, list[float]], against: str) -> dict[str, Any]:
    """Median, all repeats, and the ratio of medians to that of `against`."""
    base = statistics.median(repeats[against])
    return {
        name: {
            "median": statistics.median(values),
            "repeats": values,
            f"ratio to {against}": statistics.median(values) / base,
        }
        for name, values in repeats.items()
    }


def write(name: str, results: dict[str, Any]) -> None:
    """Store results with machine, versions, date and commit."""
    about = {
        "benchmark": name,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        **environment.commit(),
        "device": environment.processor(),
        "cores": environment.cores(),
        "versions": environment.versions(),
    }
    write_json(RESULTS / f"{name}.json", about | results)
    print(f"written to {RESULTS.name}/{name}.json")
