"""`cifar100 record --ray-address`: the same runs, as tasks of a Ray cluster.

Ray, an optional extra of the course, finds a node for each run; what a node does stands
in `ray_task.py`. All records come to this process, the only one that writes them.
"""

import contextlib
import functools
import itertools
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cifar100 import paths, scheduling
from cifar100.errors import PlainError, UserError
from cifar100.files import write_atomically
from cifar100.interrupts import SIGNALS
from cifar100.merging import unpack
from cifar100.ray_task import Message, check_node, work
from cifar100.scheduling import Job, log_path
from cifar100.training import environment

DIED, INTERRUPTED = -signal.SIGKILL, 130
Resources = dict[str, float]  # of a node, as Ray counts them


class Share(NamedTuple):
    """What a run gets of its node."""

    cpus: int
    gpus: int

    def room(self, node: Resources) -> int:
        """How many runs a node has room for."""
        cores = int(node.get("CPU", 0) // self.cpus)
        return min(cores, int(node.get("GPU", 0) // self.gpus)) if self.gpus else cores


def share_of(nodes: list[Resources]) -> Share:
    """One core a run; where nodes have GPUs, one of them, and as many cores as the node
    that has the fewest has for each."""
    with_gpu = [node for node in nodes if node.get("GPU", 0) >= 1]
    if not with_gpu:
        return Share(1, 0)
    return Share(max(1, int(min(n["CPU"] // n["GPU"] for n in with_gpu))), 1)


def record(
    address: str, *, workers: int | None = None, exclusive: bool = False, **chosen: Any
) -> int:
    """`scheduling.record` on the cluster at `address`; how many runs failed.

    As many runs at a time as the nodes have room for, by default. Raises `UserError`
    where there is no such cluster, and where a node has other code or no data.
    """
    ray, commit = _ray(), environment.commit()
    if exclusive:
        raise UserError("--exclusive times runs on this machine, not on a cluster")
    if not commit["clean"]:
        raise UserError("a cluster records a clean commit: commit, or `make record`")
    with _connected(ray, address):
        nodes = [n for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU")]
        _check(ray, [node["NodeID"] for node in nodes], commit)
        resources = [node["Resources"] for node in nodes]
        share = share_of(resources)
        if not workers and not sum(map(share.room, resources)):
            raise UserError(f"the cluster at {address} has no room for a run yet")
        return scheduling.record(
            start=functools.partial(RemoteWorker, ray, share, commit),
            workers=workers or sum(map(share.room, resources)),
            threads=share.cpus,
            **chosen,
        )


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        hint = '`pip install -e ".[ray]"` in the environment of the course'
        raise UserError(f"Ray is not installed; {hint}") from None
    return ray


@contextlib.contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """Connected; what Ray does to our signals is undone."""
    handlers = {n: signal.getsignal(n) for n in SIGNALS}
    try:
        if address not in ("auto", "local"):  # Ray would try for minutes
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address, log_to_driver=False, logging_level="error")
    except Exception as error:  # Ray raises this very class where it can't start
        raise UserError(f"no Ray cluster at '{address}': {_reason(error)}") from None
    try:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        yield
    finally:
        ray.shutdown()


def _check(ray: Any, nodes: list[str], commit: dict[str, Any]) -> None:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

    check = ray.remote(num_cpus=0)(check_node)
    places = [On(node, soft=False) for node in nodes]
    found = [check.options(scheduling_strategy=on).remote(commit) for on in places]
    try:
        ray.get(found)
    except ray.exceptions.RayError as error:
        raise UserError(_reason(error)) from None


def _reason(error: Exception) -> str:
    """One line of what an error says: of what was raised on a node, where it was."""
    cause = getattr(error, "cause", None)
    lines = str(cause or error).strip().splitlines() or [type(error).__name__]
    return lines[0]


class RemoteWorker:
    """A job on the cluster, as a `scheduling.Worker`.

    What it says goes into the log that a local worker would write; its records are
    merged as they come. A worker or node that dies shows as a process that was killed.
    """

    def __init__(
        self,
        ray: Any,
        share: Share,
        commit: dict[str, Any],
        job: Job,
        options: list[str],
    ):
        self.ray, self.log = ray, log_path(job)
        self.returncode: int | None = None
        self.refused = 0
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("")
        task = ray.remote(work).options(
            num_cpus=share.cpus,
            num_gpus=share.gpus,
            num_returns="streaming",
            max_retries=0,  # `scheduling.record` gives out again what a dead one had
        )
        backend = os.environ.get("KERAS_BACKEND")
        self.messages = task.remote(job, options, backend, commit)

    def poll(self) -> int | None:
        """The exit status; None while the job is waiting or at work."""
        while self.returncode is None and self._heard(within=0):
            self._take()
        return self.returncode

    def wait(self, timeout: float) -> int:
        """The exit status; `subprocess.TimeoutExpired` where it takes longer."""
        end = time.monotonic() + timeout
        while self.poll() is None:
            if not self._heard(within=max(0, end - time.monotonic())):
                raise subprocess.TimeoutExpired(str(self.log), timeout)
        return self.returncode

    def send_signal(self, _number: int) -> None:
        """Stop the run as by Ctrl-C."""
        self.ray.cancel(self.messages)

    def kill(self) -> None:
        """Stop the run at once."""
        self.ray.cancel(self.messages, force=True)

    def _heard(self, *, within: float) -> bool:
        return bool(self.ray.wait([self.messages], timeout=within)[0])

    def _take(self) -> None:
        raised = self.ray.exceptions
        try:
            self._understand(self.ray.get(next(self.messages)))
        except raised.TaskCancelledError:
            self.returncode = INTERRUPTED
        except raised.RayTaskError as error:
            self._say(f"error: {_reason(error)}")
            self.returncode = 1
        except (raised.RayError, StopIteration) as error:
            self._say(f"{type(error).__name__}: {_reason(error)}")
            self.returncode = DIED

    def _understand(self, message: Message) -> None:
        match message:
            case str(line):
                self._say(line.rstrip("\n"))
            case bytes(packed):
                self._merge(packed)
            case status:
                self.returncode = status or min(self.refused, 1)

    def _merge(self, packed: bytes) -> None:
        """Merge packed records; they stay packed where they can't be merged."""
        path = self._free_place()
        try:
            write_atomically(path, packed)
            merge = unpack([path])
            problems = merge.problems
        except (PlainError, OSError) as error:
            problems = [str(error)]
        if problems:
            self.refused += 1
            self._say(f"error: {'; '.join(problems)}; kept in {path}")
        else:
            path.unlink()

    def _free_place(self) -> Path:
        """Where a packed record can stay; those that were refused keep theirs."""
        folder = paths.cache() / "returned"
        places = (folder / f"{self.log.stem}-{n}.zip" for n in itertools.count())
        return next(place for place in places if not place.exists())

    def _say(self, line: str) -> None:
        with open(self.log, "a", encoding="utf-8") as file:
            file.write(f"{line}\n")
