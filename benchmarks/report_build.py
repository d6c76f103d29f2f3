"""Building the report: all of it anew, and again when nothing has changed.

    python benchmarks/report_build.py --rounds 3

Writes to a temporary folder with caches of its own; the report and the cache of the
checkout stay as they are. Installation is not part of it.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import measure

from cifar100 import paths

LINKED = ("data", "records", "figures")  # what a build reads, beside the data's cache


def furnish(home: Path) -> None:
    """A home with the data and the records of this one, but nothing built."""
    for name in LINKED:
        source = paths.root() / name
        if name == "figures" and source.exists():
            shutil.copytree(source, home / name)  # notebooks write into it
        elif source.exists():
            (home / name).symlink_to(source)
    (home / ".cache").mkdir()
    if (paths.cache() / "data").exists():
        (home / ".cache" / "data").symlink_to(paths.cache() / "data")


def build(home: Path) -> float:
    """Seconds of one build_report.py."""
    script = measure.ROOT / "build_report.py"
    command = [measure.PYTHON, script, "--output", home / "report"]
    return measure.seconds_of(command, CIFAR100_HOME=str(home))


def cold(home: Path) -> float:
    """The same when every notebook has to be executed."""
    shutil.rmtree(home / "report", ignore_errors=True)
    shutil.rmtree(home / ".cache" / "report", ignore_errors=True)
    return build(home)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        furnish(home)
        turns = {"cold": lambda: cold(home), "unchanged": lambda: build(home)}
        repeats = measure.in_turns(turns, given.rounds)
    results = measure.summary(repeats, "cold")
    for name, row in results.items():
        print(f"{name:12} {row['median']:8.2f} s {row['ratio to cold']:8.3f} x")
    measure.write("report_build", {"seconds": results})


if __name__ == "__main__":
    main()
