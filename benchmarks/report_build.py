"""Building the report: all of it anew, after a change, and when nothing has changed.

    python benchmarks/report_build.py --rounds 3

Works on a copy of the code, in a temporary folder with caches of its own; the report
and the cache of the checkout stay as they are. Installation is not part of it.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import measure
import nbformat

from cifar100 import paths

CODE = ("cifar100", "notebooks", "build_report.py", "requirements.lock")
LINKED = ("data", "records", "weights", "docs")  # what a build only reads


def furnish(home: Path) -> None:
    """A checkout with the data and the records of this one, but nothing built."""
    for name in (*CODE, "figures"):  # notebooks write into the figures
        copy = shutil.copytree if (paths.root() / name).is_dir() else shutil.copy
        copy(paths.root() / name, home / name)
    for name in LINKED:
        (home / name).symlink_to(paths.root() / name)
    (home / ".cache").mkdir()
    if (paths.cache() / "data").exists():
        (home / ".cache" / "data").symlink_to(paths.cache() / "data")


def build(home: Path) -> float:
    """Seconds of one build_report.py."""
    command = [measure.PYTHON, home / "build_report.py"]
    # The copy's package, here and in the processes of the notebooks.
    return measure.seconds_of(command, CIFAR100_HOME=str(home), PYTHONPATH=str(home))


def cold(home: Path) -> float:
    """The same when every notebook has to be executed."""
    shutil.rmtree(home / "report", ignore_errors=True)
    shutil.rmtree(home / ".cache" / "report", ignore_errors=True)
    return build(home)


def changed(home: Path) -> float:
    """The same after somebody has added a cell to a notebook."""
    path = sorted((home / "notebooks").glob("05-*.ipynb"))[0]
    notebook = nbformat.read(path, as_version=4)
    cell = nbformat.v4.new_code_cell(f"sum(range({len(notebook.cells)}))")
    notebook.cells.append(cell)
    nbformat.write(notebook, path)
    return build(home)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        furnish(home)
        turns = {
            "cold": lambda: cold(home),
            "unchanged": lambda: build(home),
            "one notebook changed": lambda: changed(home),
        }
        repeats = measure.in_turns(turns, given.rounds)
    results = measure.summary(repeats, "cold")
    for name, row in results.items():
        print(f"{name:22} {row['median']:8.2f} s {row['ratio to cold']:8.3f} x")
    measure.write("report_build", {"seconds": results})


if __name__ == "__main__":
    main()
