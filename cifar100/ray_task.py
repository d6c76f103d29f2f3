"""What a node of a Ray cluster does for `cifar100 record --ray-address`.

A task runs the command that a local worker runs, in a home of its own, and sends back
what that says, and its records, packed. Nothing is written into the node's records.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cifar100 import data, paths
from cifar100.errors import PlainError, UserError
from cifar100.packing import Pack
from cifar100.records import REHEARSAL, folder_of, read
from cifar100.scheduling import Job, command, stop
from cifar100.training import environment

SHARED = ("data", "features", "pretrained")  # of a node's cache, by all of its runs
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux' prctl
Message = str | bytes | int  # a line of output, packed records, the exit status


def check_node(commit: dict[str, Any]) -> None:
    """Prepare the data of this node; `UserError` where it has none, or other code than
    `environment.commit` told of where the records go."""
    host, found = socket.gethostname(), environment.commit()
    if found != commit:
        has = f"{found['commit']}{'' if found['clean'] else ', changed'}"
        raise UserError(f"node {host} has commit {has}, not {commit['commit']}")
    try:
        data.load("val")
    except PlainError as error:
        raise UserError(f"node {host}: {error}") from None


def work(
    job: Job, options: list[str], backend: str | None, commit: dict[str, Any]
) -> Iterator[Message]:
    """Do a job in a process that ends with this one, however this one ends.

    When the task is cancelled, the process is stopped as by Ctrl-C. Its checkpoint
    stays on the node and serves where the run is given to the same node again.
    """
    check_node(commit)
    with own_home() as home:
        environ = os.environ | {"CIFAR100_HOME": str(home)}
        environ |= {"KERAS_BACKEND": backend} if backend else {}
        process = subprocess.Popen(  # noqa: S603 (our own command line)
            command(job, options),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environ,
            cwd=paths.package_root(),
            preexec_fn=_end_with_parent,
        )
        records = folder_of(REHEARSAL if "--rehearsal" in options else "full").name
        try:
            for line in process.stdout:
                yield line
                yield from _news(home / records)
            process.wait()
            yield from _news(home / records)
            yield process.returncode
        finally:
            stop([process])


@contextlib.contextmanager
def own_home() -> Iterator[Path]:
    """A home for one run. All that a cluster trains on this node shares a cache, which
    is not the node's own: there, somebody may be on the same run."""
    cache = paths.cache() / "cluster"
    for name in SHARED:
        (paths.cache() / name).mkdir(parents=True, exist_ok=True)
    cache.mkdir(exist_ok=True)
    for name in SHARED:
        with contextlib.suppress(FileExistsError):
            (cache / name).symlink_to(paths.cache() / name)
    with tempfile.TemporaryDirectory(prefix="cifar100-") as folder:
        (Path(folder) / ".cache").symlink_to(cache)
        yield Path(folder)


def _news(records: Path) -> Iterator[bytes]:
    """The records that have come, packed. Each is sent once, then removed."""
    found = [read(path) for path in records.glob("*/seed-*.json")]
    if found:
        Pack(records.with_name("run.zip"), records).update()
        yield records.with_name("run-1.zip").read_bytes()
    for record in found:
        for path in record.files():
            path.unlink()


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
