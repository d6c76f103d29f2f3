"""Run the notebooks and keep their seconds: `python scripts/time_notebooks.py`.

Each notebook is run alone, in each of the profiles read, smoke and quick, as the report
runs it. The seconds, with machine, cores, load, date and commit, are kept in
records/demonstrations/notebook-minutes.json, where notebook 00 reads them. Rows of
other notebooks, profiles and machines stay. `full` is not run: what it would take
follows from the seconds in the records.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cifar100 import paths
from cifar100.errors import PlainError, UserError, WorkError, suggestion
from cifar100.files import write_json
from cifar100.report import sources
from cifar100.report.runner import Runner
from cifar100.report.sources import Source
from cifar100.training import environment

PROFILES = ("read", "smoke", "quick")
NAME = "notebook-minutes"
SAME = ("notebook", "profile", "machine")  # a new measurement of these replaces the old


def results() -> Path:
    """The file of measured seconds."""
    return paths.demonstration(NAME)


def time_notebook(
    source: Source, profile: str, say: Callable[[str], None]
) -> dict[str, Any]:
    """Seconds to the end of the last cell, as a row; papermill's start is part of them.

    Raises `WorkError`, naming notebook, cell and error, when it does not run.
    """
    load = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Path(folder), profile, jobs=1, say=say)
        runner.execute([source], {source.name: profile})
        status = runner.recall(source, profile).status
    return {
        "notebook": source.name,
        "profile": profile,
        "seconds": status["seconds"],
        "machine": status["device"],
        "cores": environment.cores(),
        "load": load,  # of the minute before: what else was running
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        **environment.commit(),
    }


def keep(row: dict[str, Any]) -> None:
    """Put a row into the file; an older one of the same measurement goes."""
    path = results()
    rows = json.loads(path.read_text())["value"] if path.exists() else []
    rows = [old for old in rows if any(old[key] != row[key] for key in SAME)]
    rows.append(row)
    rows.sort(key=lambda r: (r["machine"], r["notebook"], PROFILES.index(r["profile"])))
    write_json(path, {"demonstration": NAME, "value": rows})


def time_all(
    found: Sequence[Source], profiles: Sequence[str], say: Callable[[str], None] = print
) -> list[str]:
    """Time every notebook in every profile; messages of those that failed."""
    failures = []
    for source in found:
        for profile in profiles:
            try:
                row = time_notebook(source, profile, say)
            except WorkError as error:
                failures.append(f"{profile}: {error}")
                continue
            keep(row)
            say(f"{source.name}, {profile}: {row['seconds']:.1f} s")
    return failures


def words_of(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def check_profiles(wanted: Sequence[str]) -> Sequence[str]:
    """`wanted`, or `UserError` for one that is not timed."""
    for profile in wanted:
        if profile not in PROFILES:
            near = suggestion(profile, PROFILES) or f"; one of {', '.join(PROFILES)}"
            raise UserError(f"--profiles {profile}: not timed{near}")
    return wanted or PROFILES


def main(arguments: list[str]) -> int:
    """Exit status: 0, 1 when a notebook did not run, 2 for wrong input."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="notebooks, e.g. 00,02; all")
    parser.add_argument("--profiles", default="", help="read,smoke,quick; all three")
    given = parser.parse_args(arguments)
    try:
        profiles = check_profiles(words_of(given.profiles))
        found = sources.find_notebooks(paths.package_root() / "notebooks")
        found = sources.select(found, words_of(given.only))
    except PlainError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    failures = time_all(found, profiles)
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
