"""How long the own network needs to an accuracy on val, and how much of this machine
that takes.

    python benchmarks/time_to_accuracy.py

One run of `fast` on all cores, as its records were made. The clock is that of training:
compilation and scoring are apart. Beside it, the product of two 2048 x 2048 matrices of
the same precision, measured before and after: the most that this machine has to give.
"""

import argparse
import json
import time

import measure
import numpy as np

from cifar100 import data
from cifar100.errors import UserError
from cifar100.experiments import Experiment, get
from cifar100.recording import claimed
from cifar100.training import environment

SIDE = 2_048  # of the matrices; a product is 2 * SIDE ** 3 operations
PRODUCTS = 20


def flop(experiment: Experiment) -> float:
    """Floating-point operations of all steps of a run: 6 for each multiply-add, at the
    sizes that its pictures have."""
    from cifar100 import models
    from cifar100.models import cost
    from cifar100.training.plan import image_sizes, steps_per_epoch

    images = len(data.load("train").fine)
    steps = experiment.epochs * steps_per_epoch(experiment, images)
    model, batch = models.build(experiment), experiment.batch_size
    sides, counts = np.unique(image_sizes(experiment, steps), return_counts=True)
    pairs = zip(sides.tolist(), counts.tolist(), strict=True)
    return sum(6 * cost.macs(model, side) * batch * count for side, count in pairs)


def peak(precision: str) -> float:
    """The best rate of a matrix product, in operations a second."""
    import keras

    generator = np.random.default_rng(0)
    one, other = generator.normal(size=(2, SIDE, SIDE)).astype(np.float32)
    dtype = precision.removeprefix("mixed_")
    one, other = (keras.ops.convert_to_tensor(array, dtype) for array in (one, other))
    rates = []
    for _ in range(PRODUCTS):
        began = time.perf_counter()
        keras.ops.convert_to_numpy(keras.ops.matmul(one, other)[0, 0])  # waits for it
        rates.append(2 * SIDE**3 / (time.perf_counter() - began))
    return max(rates)


def reached(history: list[dict], target: float) -> float | None:
    """Seconds of training after which val was first scored at `target` or more."""
    seconds = np.cumsum([row["seconds"] for row in history])
    for row, spent in zip(history, seconds, strict=True):
        if row["val_top1"] >= target:
            return float(spent)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--experiment", default="fast")
    parser.add_argument("--target", default=0.65, type=float, help="val top-1")
    parser.add_argument("--seed", default=0, type=int)
    options = parser.parse_args()
    from cifar100.training.loop import train

    try:
        experiment, seed = get(options.experiment), options.seed
    except UserError as error:
        parser.error(str(error))
    threads = environment.cores()
    before = peak(experiment.precision)
    with claimed(experiment, seed):
        (run,) = train(experiment, [seed], on_epoch=say, threads=threads)
    best = max(before, peak(experiment.precision))
    seconds = run.facts["seconds"]
    operations = flop(experiment)
    rate, needed = operations / seconds["train"], reached(run.history, options.target)
    final = run.metrics["val_top1"]
    when = f"after {needed:.0f} s" if needed else "not reached"
    print(f"{options.target:.0%} on val {when}; {final:.2%} at the end")
    print(json.dumps(seconds))
    print(
        f"{operations / 1e15:.3f} PF at {rate / 1e9:.0f} GF/s, {rate / best:.0%} of "
        f"the {best / 1e9:.0f} GF/s that this machine reaches in a matrix product"
    )
    measure.write(
        "time_to_accuracy",
        {
            "experiment": experiment.name,
            "settings": experiment.settings,
            "seed": seed,
            "target": options.target,
            "seconds_to_target": needed,
            "val_top1": final,
            "seconds": seconds,
            "history": run.history,
            "threads": run.facts["threads"],
            "flop": operations,
            "flop_per_second": rate,
            "peak_flop_per_second": best,
        },
    )


def say(experiment: Experiment, seed: int, row: dict) -> None:
    """A line an epoch."""
    print(
        f"epoch {row['epoch']} of {row['epochs']}: val top-1 {row['val_top1']:.4f}, "
        f"{row['seconds']:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
