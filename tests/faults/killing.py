"""Start tasks in a nursery, and see what a kill left behind."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from cifar100.experiments import Experiment

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
# What two runs of one task may differ in: the clock, and how often it was resumed.
VOLATILE = {
    *("written", "seconds", "evaluation_seconds", "images_per_second", "resumed"),
    *("mtime_ns", "built", "key"),
}

TINY = Experiment(
    name="tiny",
    architecture="simple_cnn",
    arguments={"filters": (8, 8), "dense_units": 32},
    epochs=2,
)


class Nursery:
    """A process that does a task in children, which may be killed; see nursery.py."""

    def __init__(self, task: str, **environment: str):
        search = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, str(FOLDER / "nursery.py"), task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": search} | environment,
        )

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait(30)

    def __call__(self, home: Path, **moment: float) -> dict:
        """Do the task for `home`, killed `at` a change of a file or `after` seconds."""
        order = json.dumps({"home": str(home), **moment})
        print(order, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        assert answer, "the task failed, see above"
        return json.loads(answer)


def state(home: Path) -> dict[str, str]:
    """Every file in `home` with a digest of what may not differ; locks are left out."""
    found = {}
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home).as_posix()
        if path.is_file() and not is_lock(path):
            found[name] = digest(path)
    return found


def is_lock(path: Path) -> bool:
    """Whether it is an empty file that only serves to keep others out."""
    named = path.parent.name == "locks" or path.name.endswith("lock")
    return named and path.stat().st_size == 0


def digest(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix == ".json":
        content = json.dumps(_steady(json.loads(content))).encode()
    elif path.suffix == ".md":
        content = re.sub(rb"\d{4}-\d\d-\d\d\S*|\d\d:\d\d\S*", b"", content)
    return hashlib.sha256(content).hexdigest()[:12]


def _steady(value):
    if isinstance(value, dict):
        return {k: _steady(v) for k, v in value.items() if k not in VOLATILE}
    return [_steady(each) for each in value] if isinstance(value, list) else value
