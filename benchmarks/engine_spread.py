"""Do both engines reach the same accuracy? A narrow ResNet-20, three seeds on each.

    python benchmarks/engine_spread.py

Same seeds, same weights at the start, same pictures; but sums in another order, and so
other runs after some steps. The engines must not differ by more than seeds do.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import measure
from data_loading import link_cache

from cifar100.experiments import Experiment

ENGINES, SEEDS = ("tensorflow", "jax"), (0, 1, 2)
NARROW = Experiment(
    name="narrow",
    architecture="resnet",
    arguments={"width": 8},
    augmentation=("flip", "crop"),
    learning_rate=1e-3,
    schedule="cosine",
    epochs=5,
)


def serve() -> None:
    """Train all seeds on the engine that KERAS_BACKEND names, and say how it went."""
    from cifar100.training.loop import train

    runs = train(NARROW, SEEDS, threads=1)
    top1 = [run.metrics["val_top1"] for run in runs]
    seconds = [run.facts["seconds"]["train"] for run in runs]
    print(json.dumps({"val_top1": top1, "seconds": seconds}))


def start(engine: str, home: Path) -> subprocess.Popen:
    """This file on one engine, with checkpoints of its own."""
    home.mkdir()
    link_cache(home)
    given = [f"KERAS_BACKEND={engine}", f"CIFAR100_HOME={home}"]
    command = ["env", *given, sys.executable, __file__, "--serve"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().serve:
        return serve()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        running = {engine: start(engine, Path(folder) / engine) for engine in ENGINES}
        for engine, process in running.items():
            output, _ = process.communicate()
            if process.returncode:
                raise SystemExit(f"{engine} ended with {process.returncode}")
            found[engine] = json.loads(output.splitlines()[-1])
    for engine in ENGINES:
        accuracies = " ".join(f"{value:.4f}" for value in found[engine]["val_top1"])
        print(f"{engine:12} {accuracies}")
    means = {e: statistics.mean(found[e]["val_top1"]) for e in ENGINES}
    spread = max(statistics.stdev(found[e]["val_top1"]) for e in ENGINES)
    difference = means["jax"] - means["tensorflow"]
    print(f"difference {difference:+.4f}, standard deviation over seeds {spread:.4f}")
    return measure.write(
        "engine_spread",
        {
            "settings": NARROW.settings,
            "seeds": SEEDS,
            "engines": found,
            "difference": difference,
            "seed_standard_deviation": spread,
        },
    )


if __name__ == "__main__":
    main()
