"""Training in bfloat16 beside float32: images a second of whole training steps.

    python benchmarks/precision.py --rounds 3

What comes out depends on the processor more than in any other benchmark: some have
units for products in bfloat16 (Intel's AMX), others convert every number back and
forth. Networks of ours, with their recipes' steps; each has a process of its own.
"""

import argparse
import contextlib
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import measure

from cifar100 import augment
from cifar100.experiments import get
from cifar100.training import environment

PRECISIONS = ("float32", "mixed_bfloat16")
SHAPES = (  # an experiment, and the side of its pictures
    ("fast_wide", 20),
    ("fast_wide", 32),
    ("fast", 32),
    ("resnet20", 32),
    ("from_scratch_64", 32),
)
STEPS = 4


def steps_of(name: str, precision: str, side: int) -> Callable[[], int]:
    """STEPS training steps of an experiment on noise; they return their images."""
    from cifar100.training.engine import create
    from cifar100.training.plan import plan_epoch

    sizes = ((side, 1.0),) if side < augment.SIZE else ()
    experiment = replace(get(name), precision=precision, image_sizes=sizes)
    count = STEPS * experiment.batch_size
    images, labels = measure.pictures(count, experiment.batch_size)
    engine = create(experiment, environment.cores())
    engine.start(0, images)
    plan = plan_epoch(experiment, 0, 1, images=count, epochs=1)

    def steps() -> int:
        engine.train_epoch(images, labels, plan)
        return count

    return steps


def serve(name: str, precision: str, side: str) -> None:
    """Be one contender: answer a number of seconds with the images a second."""
    steps = steps_of(name, precision, int(side))
    steps()  # compiles
    measure.serve(lambda seconds: {"speed": measure.speed(steps, float(seconds))})


def speed(process: measure.Contender, seconds: float) -> float:
    """Images a second of one contender."""
    return process.ask(str(seconds))["speed"]


def compare(name: str, side: int, given: argparse.Namespace) -> dict[str, Any]:
    """Images a second in each precision, in turns."""
    with contextlib.ExitStack() as stack:
        turns = {}
        for precision in PRECISIONS:
            command = [sys.executable, __file__, "--serve", name, precision, side]
            process = stack.enter_context(measure.Contender(command))
            speed(process, 0.0)  # ready before anything is measured
            turns[precision] = partial(speed, process, given.seconds)
        return measure.summary(measure.in_turns(turns, given.rounds), "float32")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="a measurement")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return serve(*given.serve)
    results = []
    for name, side in SHAPES:
        found = compare(name, side, given)
        results.append({"experiment": name, "side": side, "images_per_second": found})
        ratio = found["mixed_bfloat16"]["ratio to float32"]
        print(f"{name} at {side} px: {ratio:.2f} times as fast as in float32")
    found = {"processor": environment.processor(), "speeds": results}
    return measure.write("precision", found)


if __name__ == "__main__":
    main()
