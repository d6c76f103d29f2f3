"""What the benchmarks share: turns, medians and ratios, results with their machine."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cifar100 import paths
from cifar100.files import write_json
from cifar100.training import environment

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
ROOT, PYTHON = paths.package_root(), sys.executable
CLASSES = 10  # of 100 outputs: few, so that ten steps learn something
NOISY = 0.05  # share of the machine; more than that spoils a measurement
LOAD_AT_START = os.getloadavg()[0]
Repeats = dict[str, list[float]]


def in_turns(contenders: dict[str, Callable[[], float]], rounds: int) -> Repeats:
    """Call each contender once a round, so that a slow moment hits all of them."""
    found: Repeats = {name: [] for name in contenders}
    for number in range(rounds):
        for name, contender in contenders.items():
            found[name].append(contender())
            last = found[name][-1]
            line = f"round {number + 1}: {name} {last:.4g}"
            print(line, file=sys.stderr, flush=True)
    return found


def ratio(values: Sequence[float], base: Sequence[float]) -> float:
    """Median of the ratios within a round, which a drifting machine leaves alone."""
    return statistics.median(a / b for a, b in zip(values, base, strict=True))


def summary(repeats: Repeats, against: str) -> dict[str, Any]:
    """Median, all repeats, and the ratio to `against`, of each contender."""
    return {
        name: {
            "median": statistics.median(values),
            "repeats": values,
            f"ratio to {against}": ratio(values, repeats[against]),
        }
        for name, values in repeats.items()
    }


def last_json(command: Sequence[Any], **environ: str) -> dict[str, Any]:
    """Run a command that has to succeed; the last line that it prints is JSON."""
    done = _finished(command, environ)
    return json.loads(done.stdout.strip().splitlines()[-1])


def seconds_of(command: Sequence[Any], **environ: str) -> float:
    """Wall-clock seconds of a command that has to succeed."""
    began = time.perf_counter()
    _finished(command, environ)
    return time.perf_counter() - began


def _finished(command, environ):
    done = subprocess.run(
        list(map(str, command)),
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = (done.stderr or done.stdout)[-2000:]
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{tail}")
    return done


class Contender:
    """A process that stays alive between rounds and measures when asked.

    So each contender has an interpreter of its own, and what it takes to import and
    compile is paid once, not once a round. While another one is asked, it waits.
    """

    def __init__(self, command: Sequence[Any], **environ: str):
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed at the end)
        self.process = subprocess.Popen(
            list(map(str, command)),
            env=os.environ | environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def ask(self, question: str) -> dict[str, Any]:
        """Send a question and wait for the answer."""
        self.send(question)
        return self.answer()

    def send(self, question: str) -> None:
        """Send a question without waiting."""
        with contextlib.suppress(BrokenPipeError):  # it died; `answer` says why
            self.process.stdin.write(f"{question}\n")
            self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The answer, once it is there; SystemExit with its last words if it died."""
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        raise SystemExit(f"{self.process.args} failed:\n{self.errors.read()[-2000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.errors.close()


def serve(answer: Callable[[str], dict[str, Any]]) -> None:
    """The other end of `Contender.ask`, until the parent closes the pipe."""
    for line in sys.stdin:
        print(json.dumps(answer(line.strip())), flush=True)


def pictures(count: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Full batches of at most `count` pictures, noise tinted by its class: uint8
    (N, 32, 32, 3), and uint8 (N,) classes."""
    generator = np.random.default_rng(0)
    count = count // batch * batch
    labels = generator.integers(0, CLASSES, count)
    noise = generator.integers(0, 128, (count, 32, 32, 3))
    tints = generator.integers(0, 128, (CLASSES, 1, 1, 3))
    return (noise + tints[labels]).astype(np.uint8), labels.astype(np.uint8)


def standardized(images: np.ndarray) -> np.ndarray:
    """uint8 -> float32 around 0, for contenders that want it done beforehand."""
    return (images.astype(np.float32) - 127.5) / 64


class Learner:
    """One contender: counts what its epochs learn, and how fast."""

    def __init__(self, images: int, parameters: int, version: str):
        self.about = {"parameters": parameters, "version": version}
        self.images, self.losses = images, []

    def learn(self, epoch: Callable[[], float]) -> int:
        """One epoch that returns its mean loss; how many images it saw."""
        self.losses.append(float(epoch()))
        return self.images

    def speed(self, work: Callable[[], int], seconds: float) -> dict[str, Any]:
        """As the function `speed`, with what it learnt."""
        found = speed(work, seconds)
        return {"speed": found, "losses": self.losses[:2], **self.about}


def speed(work: Callable[[], int], seconds: float) -> float:
    """Images a second of as many calls of `work` as start within `seconds`."""
    began, images = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds:
        images += work()
    return images / spent


def other_work() -> float | None:
    """Share of the machine that this benchmark left to others, 0 to 1, while it ran.

    What all cores did since the start, less what this process and its children did.
    On a quiet machine near 0; beyond a few percent, ratios are not to be trusted:
    PyTorch's threads wait actively and lose most to a neighbour.
    """
    busy = _busy_seconds()
    if busy is None or BUSY_AT_START is None:
        return None
    own = sum(os.times()[:4])  # children count once they have ended
    total = environment.cores() * (time.perf_counter() - STARTED)
    return max(0.0, busy - BUSY_AT_START - own) / total


def _busy_seconds() -> float | None:
    """What all cores have worked since the machine started; None if it can't tell."""
    try:
        line = Path("/proc/stat").read_text().splitlines()[0]
    except OSError:
        return None
    user, nice, system = map(int, line.split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


BUSY_AT_START, STARTED = _busy_seconds(), time.perf_counter()


def write(name: str, results: dict[str, Any]) -> None:
    """Store results with machine, versions, date and commit in results/NAME.json."""
    others = other_work()
    if others is not None and others > NOISY:
        print(f"other work took {others:.0%} of the machine: run this again")
    about = {
        "benchmark": name,
        **environment.stamp(),
        "cores": environment.cores(),
        "load_at_start": LOAD_AT_START,
        "other_work": others,
    }
    RESULTS.mkdir(exist_ok=True)
    write_json(RESULTS / f"{name}.json", about | results)
    print(f"written to benchmarks/{RESULTS.name}/{name}.json")
