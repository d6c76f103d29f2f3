"""Training on more pictures than memory should hold: CIFAR-100 ten times over.

    python benchmarks/large_data.py [--copies 10] [--experiment lenet5]

The training set is written so many times over into a temporary folder, as one array on
disk. Then the command trains one epoch of it, shuffled, and scores all of it, in a
process of its own. `own` memory is what that process needs; `with mapped pages` counts
what it has read of the array too, which the system takes back when it wants to.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure

from cifar100 import cache, data
from cifar100.files import write_json

GOAL_GIB = 2.0
FIELDS = {"own": ("RssAnon", "RssShmem"), "with mapped pages": ("VmRSS",)}


def replicate(home: Path, copies: int) -> int:
    """Give `home` a cached data set whose training set is `copies` times the real one;
    bytes of its pictures."""
    real, folder = data.paths.cache() / "data", home / ".cache" / "data"
    train = data.load("train")
    folder.mkdir(parents=True)
    stamp = json.loads((real / cache.STAMP).read_bytes())
    for name in cache.ARRAYS:
        if name.startswith("train-") and name != "train-index.npy":
            array = train.images if "images" in name else train.fine
            shape = (copies * len(array), *array.shape[1:])
            parts = [array] * copies
            made = cache.save_array(folder / name, shape, array.dtype.str, parts)
            stamp["files"][name] = made
        else:
            os.symlink(real / name, folder / name)
    write_json(folder / cache.STAMP, stamp)
    return copies * train.images.nbytes


def peak_of(command: list[str], home: Path) -> dict[str, float]:
    """GiB at the height of a command that has to succeed, by the way of counting."""
    environ = os.environ | {"CIFAR100_HOME": str(home), "PYTHONPATH": str(measure.ROOT)}
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=environ, stdout=said, stderr=said)
        peak = dict.fromkeys(FIELDS, 0)
        while process.poll() is None:
            now = memory_of(process.pid)
            for name, fields in FIELDS.items():
                peak[name] = max(peak[name], sum(now.get(field, 0) for field in fields))
            time.sleep(0.05)
        said.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{said.read()[-2000:]}")
    return {name: kib / 2**20 for name, kib in peak.items()}


def memory_of(pid: int) -> dict[str, int]:
    """KiB of a process by kind, as Linux counts them; nothing once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    pairs = [line.split(":", 1) for line in lines if line.endswith(" kB")]
    return {name: int(value.split()[0]) for name, value in pairs}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--experiment", default="lenet5")
    parser.add_argument("--json", action="store_true", help="print, write nothing")
    given = parser.parse_args()
    train = [sys.executable, "-m", "cifar100", "train", given.experiment]
    with tempfile.TemporaryDirectory() as folder:
        size = replicate(Path(folder), given.copies)
        began = time.perf_counter()
        peak = peak_of([*train, "--set", "epochs=1"], Path(folder))
        seconds = time.perf_counter() - began
    found = {
        "experiment": given.experiment,
        "copies": given.copies,
        "pictures_gib": size / 2**30,
        "peak_gib": peak,
        "seconds": seconds,
    }
    if given.json:
        print(json.dumps(found))
        return
    for name, gib in peak.items():
        print(f"{name:20} {gib:5.2f} GiB {gib / GOAL_GIB:5.2f} of the goal")
    measure.write("large_data", found)


if __name__ == "__main__":
    main()
