"""Loading the data set, starting a run, and the memory that a small run takes.

    python benchmarks/data_loading.py --rounds 3

Every measurement is a fresh process. Needs the data set in `data/`.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import measure
from training import ARCHITECTURES

from cifar100 import data

LOAD = """
import json, time
from cifar100 import data
began = time.perf_counter()
splits = [data.load(name) for name in ("train", "val", "test")]
total = sum(int(split.fine.sum()) for split in splits)
print(json.dumps({"seconds": time.perf_counter() - began, "labels": total}))
"""
# The command itself, up to the end of its very first step.
FIRST_STEP = """
import os, sys, time
from cifar100 import cli
from cifar100.training.tensorflow import TensorFlowEngine
train_epoch = TensorFlowEngine.train_epoch
def first(*arguments):
    train_epoch(*arguments)
    print('{"now": %r}' % time.time(), flush=True)
    os._exit(0)
TensorFlowEngine.train_epoch = first
cli.main(sys.argv[1:])
"""
# resource counts the largest of all children: the only one here is the command.
PEAK = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"gib": peak * (1 if sys.platform == "darwin" else 1024) / 2**30}))
"""
GOALS = {  # seconds
    "first load": 5,
    "later load": 0.2,
    "first step, simple_cnn": 15,
    "first step, resnet20": 15,
}
GOAL_GIB = 2.5
TRAIN = ("train", "simple_cnn", "--profile", "smoke")


def in_python(code: str, *arguments: str, home: str | None = None) -> dict:
    """What a fresh interpreter prints; with a `home`, nothing of ours is cached."""
    environ = {"CIFAR100_HOME": home, "CIFAR100_SOURCE": str(data.find())}
    command = [sys.executable, "-c", code, *arguments]
    return measure.last_json(command, **(environ if home else {}))


def first_load() -> float:
    """Seconds to verify the data set, fill the cache and map all three splits."""
    with tempfile.TemporaryDirectory() as home:
        return in_python(LOAD, home=home)["seconds"]


def later_load() -> float:
    """Seconds to map all three splits from the cache."""
    return in_python(LOAD)["seconds"]


def first_step(network: str) -> float:
    """Seconds from the start of `cifar100 train` to the end of its first step."""
    with tempfile.TemporaryDirectory() as home:
        link_cache(Path(home))
        began = time.time()
        changed = ("--set", f"architecture={ARCHITECTURES[network]}")
        arguments = TRAIN + (changed if network != "simple_cnn" else ())
        return in_python(FIRST_STEP, *arguments, home=home)["now"] - began


def link_cache(home: Path) -> None:
    """Give `home` the data, so that what a run stores besides stays out of the way."""
    (home / ".cache").mkdir()
    os.symlink(data.paths.cache() / "data", home / ".cache" / "data")


def peak_memory() -> float:
    """GiB at the height of a whole small run."""
    with tempfile.TemporaryDirectory() as home:
        link_cache(Path(home))
        run = (sys.executable, "-m", "cifar100", *TRAIN)
        return in_python(PEAK, *run, home=home)["gib"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    data.load("train")  # fills the cache that later loads map
    seconds = measure.in_turns(
        {
            "later load": later_load,
            "first load": first_load,
            "first step, simple_cnn": lambda: first_step("simple_cnn"),
            "first step, resnet20": lambda: first_step("resnet20"),
        },
        given.rounds,
    )
    peaks = measure.in_turns({"peak memory": peak_memory}, given.rounds)
    results = {
        name: {"median": median, "repeats": seconds[name], "to the goal": median / goal}
        for name, goal in GOALS.items()
        for median in [statistics.median(seconds[name])]
    }
    for name, row in results.items():
        share = f"{row['to the goal']:7.3f} of the goal"
        print(f"{name:24} {row['median']:8.3f} s {share}")
    peak = statistics.median(peaks["peak memory"])
    print(f"{'peak memory':24} {peak:8.2f} GiB {peak / GOAL_GIB:5.3f} of the goal")
    measure.write("data_loading", {"seconds": results, "gib": peaks})


if __name__ == "__main__":
    main()
