"""How many programs the ladder takes on JAX, and what compiling them costs.

    KERAS_BACKEND=jax python benchmarks/compilation.py --workers 2

Experiments that differ in numbers only share their programs. Each distinct program is
compiled once, without the persistent cache: first all in one process, then the same
ones by `--workers` processes side by side. On a GPU these are the programs of a GPU.
"""

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import measure

from cifar100.experiments import FAMILIES, get
from cifar100.files import sha256_of

LADDER = FAMILIES["ladder"]
Rows = list[dict[str, Any]]  # experiment, program, key, and seconds once it is compiled


def traced(names: list[str], compiling: set[tuple[str, str]]) -> Rows:
    """The programs of these experiments; those in `compiling` are compiled too."""
    import jax

    from cifar100.training.engine import create

    rows = []
    for name in names:
        began = time.perf_counter()
        engine = create(get(name), 1)
        jax.config.update("jax_enable_compilation_cache", False)
        programs = engine.lowered()
        tracing = (time.perf_counter() - began) / len(programs)
        for program, lowered in programs.items():
            row = {"experiment": name, "program": program, "traced": tracing}
            row["key"] = sha256_of(lowered.as_text().encode())[:12]
            if (name, program) in compiling:
                began = time.perf_counter()
                lowered.compile()
                row["compiled"] = time.perf_counter() - began
            rows.append(row)
    return rows


def run(names: list[str], compiling: list[tuple[str, str]]) -> subprocess.Popen:
    """A process that does that and prints its rows."""
    command = [sys.executable, __file__, "--serve", json.dumps([names, compiling])]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def answer(process: subprocess.Popen) -> Rows:
    """The rows of such a process."""
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a process ended with {process.returncode}")
    return json.loads(output.splitlines()[-1])


def side_by_side(firsts: Rows, workers: int) -> float:
    """Seconds until `workers` processes have compiled one program of each kind."""
    pairs = [(row["experiment"], row["program"]) for row in firsts]
    began = time.perf_counter()
    shares = [pairs[place::workers] for place in range(workers)]
    running = [run(sorted({name for name, _ in share}), share) for share in shares]
    for process in running:
        answer(process)
    return time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        names, compiling = json.loads(given.serve)
        print(json.dumps(traced(names, {tuple(pair) for pair in compiling})))
        return None

    rows = answer(run([e.name for e in LADDER], []))
    firsts: dict[str, dict] = {}
    for row in rows:
        firsts.setdefault(row["key"], row)
    pairs = [(row["experiment"], row["program"]) for row in firsts.values()]
    print(f"{len(LADDER)} experiments, {len(rows)} programs, {len(firsts)} distinct")
    began = time.perf_counter()
    compiled = answer(run(sorted({name for name, _ in pairs}), pairs))
    alone = time.perf_counter() - began
    together = side_by_side(list(firsts.values()), given.workers)
    programs = [row for row in compiled if "compiled" in row]
    for row in sorted(programs, key=lambda row: -row["compiled"]):
        print(f"{row['compiled']:7.1f} s  {row['program']:10} {row['experiment']}")
    print(f"one process {alone:.0f} s, {given.workers} side by side {together:.0f} s")
    return measure.write(
        "compilation",
        {
            "experiments": len(LADDER),
            "programs": len(rows),
            "distinct": len(firsts),
            "by_program": count(rows, firsts),
            "one_process_seconds": alone,
            "workers": given.workers,
            "side_by_side_seconds": together,
            "compiled": programs,
        },
    )


def count(rows: Rows, firsts: dict[str, dict]) -> dict[str, dict[str, int]]:
    """Programs of each name: all, and distinct."""
    names = sorted({row["program"] for row in rows})
    return {
        name: {
            "all": sum(row["program"] == name for row in rows),
            "distinct": sum(row["program"] == name for row in firsts.values()),
        }
        for name in names
    }


if __name__ == "__main__":
    main()
