"""Loading data, starting a run, building the report: seconds and memory.

python benchmarks/start_up.py --rounds 3
"""

import argparse
import sys
import tempfile
from pathlib import Path

import measure

from cifar100 import paths

LOAD = """
import json, time
from cifar100 import data
began = time.perf_counter()
split = data.load("train")
print(json.dumps({"seconds": time.perf_counter() - began, "images": len(split.fine)}))
"""
FIRST_STEP = """
import json, resource, sys, time
began = time.time()
from cifar100.experiments import get
from cifar100 import data
from cifar100.training.engine import create
from cifar100.training.loop import first_step_loss, train
engine = create(get("simple_cnn"), 2)
first_step_loss(engine, data.load("train"))
first = time.time() - began
train(get("simple_cnn"), [0], profile="smoke")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({"first_step_seconds": first, "peak_gib": peak}))
"""


def load(home: Path | None = None) -> float:
    """Seconds of one `data.load` in a fresh process; `home` has no cache."""
    environ = {"CIFAR100_HOME": str(home), "CIFAR100_SOURCE": str(paths.data())}
    extra = environ if home else {}
    return measure.last_json([sys.executable, "-c", LOAD], **extra)["seconds"]


def first_load() -> float:
    """`load` with an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        return load(Path(folder))


def build(output: Path) -> float:
    """Seconds of build_report.py into `output`."""
    script = paths.package_root() / "build_report.py"
    return measure.seconds_of([sys.executable, script, "--output", output])


def cold_build(output: Path) -> float:
    """The same with nothing kept of earlier builds: every notebook is executed."""
    kept = paths.cache() / "report"
    aside = kept.with_name("report-aside")
    if kept.exists():
        kept.rename(aside)
    try:
        return build(output)
    finally:
        if aside.exists():
            import shutil

            shutil.rmtree(kept, ignore_errors=True)
            aside.rename(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    memory = []

    def first_step() -> float:
        found = measure.last_json([sys.executable, "-c", FIRST_STEP])
        memory.append(found["peak_gib"])
        return found["first_step_seconds"]

    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "report"
        build(output)  # so that an unchanged build has something to find
        repeats = measure.in_turns(
            {
                "first load": first_load,
                "later load": load,
                "to the first step": first_step,
                "report, unchanged": lambda: build(output),
                "report, cold": lambda: cold_build(Path(folder) / "cold"),
            },
            given.rounds,
        )
    results = measure.summary(repeats, "later load")
    for name, row in results.items():
        print(f"{name:20} {row['median']:8.3f} s")
    print(f"{'peak memory':20} {max(memory):8.2f} GiB")
    measure.write("start_up", {"seconds": results, "peak_gib": memory})


if __name__ == "__main__":
    main()
