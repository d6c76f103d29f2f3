"""Run notebooks that changed, each in a process of its own; keep what they gave."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cifar100 import paths
from cifar100.errors import WorkError, one_line
from cifar100.files import (
    scratch_folder,
    sha256_of,
    sweep_folders,
    write_atomically,
    write_json,
)
from cifar100.report.sources import Source

HEARTBEAT = 10.0  # seconds between two signs of life
WORK = ".work-"  # begins the name of a folder of notebooks under way
TAIL = 12  # lines of a failed process that are shown


@dataclass(frozen=True)
class Limits:
    """Seconds that a cell and a whole notebook may take."""

    cell: int
    notebook: int


LIMITS = {
    "read": Limits(cell=120, notebook=300),
    "smoke": Limits(cell=120, notebook=300),
    "quick": Limits(cell=600, notebook=1800),
    "full": Limits(cell=48 * 3600, notebook=7 * 24 * 3600),
}


@dataclass(frozen=True)
class Executed:
    """A notebook that ran to its end, in the cache."""

    source: Source
    notebook: Path
    status: dict  # seconds, versions, device, key, sha256


@dataclass
class Child:
    """A notebook under way."""

    source: Source
    process: subprocess.Popen
    folder: Path
    started: float = field(default_factory=time.monotonic)
    spoke: float = field(default_factory=time.monotonic)

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def place(self) -> str:
        """`cell 5 of 31`, or that no cell has started."""
        try:
            at = json.loads((self.folder / "status.progress").read_text())
        except (OSError, ValueError):
            return "starting"
        return f"cell {at['cell']} of {at['of']}"

    def tail(self) -> str:
        """The last lines that process and kernel printed, indented."""
        text = (self.folder / "log").read_text(errors="replace")
        return "".join(f"\n    {line}" for line in text.splitlines()[-TAIL:])


class Runner:
    """Executes notebooks of one profile, `jobs` at a time, through a cache folder."""

    def __init__(
        self,
        cache: Path,
        profile: str,
        *,
        jobs: int,
        limits: Limits | None = None,
        say: Callable[[str], None] = print,
    ):
        self.cache, self.profile, self.jobs = cache / profile, profile, jobs
        self.limits = limits or LIMITS[profile]
        self.say = say
        sweep_folders(self.cache, WORK)  # of a build that was killed

    def recall(self, source: Source, key: str) -> Executed | None:
        """The kept execution with this very key, if it is there and undamaged."""
        folder = self.cache / source.name
        notebook = folder / "executed.ipynb"
        try:
            status = json.loads((folder / "status.json").read_bytes())
            if status["key"] != key or status["sha256"] != sha256_of(notebook):
                return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return Executed(source, notebook, status)

    def execute(self, sources: Sequence[Source], keys: dict[str, str]) -> None:
        """Run `sources` and keep each that succeeds.

        Raises WorkError after all have ended, naming notebook, cell and error of each
        that did not. No process is left behind, whatever happens.
        """
        waiting, running, failures = list(sources), [], []
        with scratch_folder(self.cache, WORK) as work:
            try:
                while waiting or running:
                    while waiting and len(running) < self.jobs:
                        running.append(self._start(waiting.pop(0), work))
                    time.sleep(0.05)
                    for child in list(running):
                        if self._is_over(child):
                            running.remove(child)
                            failures += self._kept(child, keys)
            finally:
                for child in running:
                    stop(child.process)
        if failures:
            raise WorkError("\n".join(sorted(failures)))

    def _start(self, source: Source, work: Path) -> Child:
        folder = work / source.name
        folder.mkdir()
        command = [
            sys.executable,
            "-m",
            "cifar100.report.execute",
            source.path.resolve(),
        ]
        command += [folder / "executed.ipynb", folder / "status.json"]
        command += ["--profile", self.profile, "--timeout", str(self.limits.cell)]
        search = [str(paths.package_root()), os.environ.get("PYTHONPATH", "")]
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(  # noqa: S603 (our own module)
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, search))},
                start_new_session=True,
            )
        return Child(source, process, folder)

    def _is_over(self, child: Child) -> bool:
        if child.process.poll() is not None:
            return True
        if child.seconds() > self.limits.notebook:
            stop(child.process)
            return True
        if time.monotonic() - child.spoke > HEARTBEAT:
            child.spoke = time.monotonic()
            self.say(f"{child.source.name}: {child.place()}, {child.seconds():.0f} s")
        return False

    def _kept(self, child: Child, keys: dict[str, str]) -> list[str]:
        try:
            return self._conclude(child, keys)
        except OSError as error:
            what = f"its outputs can't be kept ({one_line(error)})"
            return [f"{child.source.path}, {child.place()}: {what}; make room there"]

    def _conclude(self, child: Child, keys: dict[str, str]) -> list[str]:
        """Keep a finished notebook; or one message that says why it is not kept."""
        name, seconds = child.source.name, child.seconds()
        status = self._status(child)
        if status["state"] != "executed":
            tail = child.tail() if status["state"] == "ended" else ""
            return [f"{child.source.path}, {status['error']}{tail}"]
        content = (child.folder / "executed.ipynb").read_bytes()
        folder = self.cache / name
        write_atomically(folder / "executed.ipynb", content)
        kept = {**status, "key": keys[name], "sha256": sha256_of(content)}
        write_json(folder / "status.json", kept)  # last: it vouches for the other
        self.say(f"{name}: executed in {seconds:.1f} s")
        return []

    def _status(self, child: Child) -> dict:
        """What the process itself wrote, or a status for one that could not."""
        code = child.process.returncode
        try:
            status = json.loads((child.folder / "status.json").read_bytes())
        except (OSError, ValueError):
            status = None
        if status and (status["state"] == "failed" or code == 0):
            return status
        if child.seconds() > self.limits.notebook:
            reason = f"not done within the {self.limits.notebook} s of a notebook"
        elif code == os.EX_IOERR:
            reason = f"nothing can be written in {self.cache}; make room there"
        elif code < 0:
            reason = f"the process was killed ({signal.Signals(-code).name}), perhaps"
            reason += " for lack of memory"
        else:
            reason = f"the process ended with {code} before it said that it was done"
        return {"state": "ended", "error": f"{child.place()}: {reason}"}


def stop(process: subprocess.Popen) -> None:
    """End a process that executes a notebook, and its kernel with it."""
    kernels = _children_of(process.pid)
    process.terminate()
    try:
        process.wait(timeout=3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for kernel in kernels:  # kernels live in a session of their own
        try:
            os.kill(kernel, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _children_of(pid: int) -> list[int]:
    """Ids of the direct children, where /proc tells; a kernel without parent ends."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:  # state, then the parent's id
            found.append(int(stat.parent.name))
    return found
