"""Ctrl-C in the middle of each command: one line, exit status 130, and on it goes."""

import contextlib
import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from killing import FOLDER, ROOT, state

from tests.counted import count_networks

MOMENTS = 20  # of the long form
SCRIPT = FOLDER / "interrupted.py"
STOPPED = "stopped\n"
GOES_ON = "stopped; the same command goes on from the last checkpoint\n"
UNTOUCHED = "error: interrupted; the last report is untouched\n"
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"  # what a terminal does with its cursor
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
CUP = str(FOLDER.parent / "pictures" / "cup.webp")
COMMANDS = {
    "experiments": ["cifar100", "experiments"],
    "status": ["cifar100", "status", "--json"],
    "compare": ["cifar100", "compare", "simple_cnn_short", "simple_cnn", "--json"],
    "check": ["cifar100", "check", "--no-fingerprints"],
    "data": ["cifar100 with small data", "data"],
    "predict": ["cifar100", "predict", CUP, "--network", "lenet5", "--json"],
    "build": ["build_report", "--only", "00", "--jobs", "1"],
}
TRAINING = {
    "train": ["cifar100", "train", "lenet5", "--rehearsal", "--threads", "1"],
    "rehearse": ["cifar100", "record", "--rehearsal", "--only", "lenet5"],
}


@pytest.fixture
def furnished(home, fake_archive, monkeypatch):
    """A home with records, counted networks, weights, and a small data set to get."""
    for name in ("simple_cnn", "simple_cnn_short"):
        source = ROOT / "records" / name
        if not source.exists():
            pytest.skip("nothing is recorded")
        shutil.copytree(source, home / "records" / name)
    count_networks()
    monkeypatch.setenv("CIFAR100_SOURCE", str(fake_archive))
    return home


def run(moment, command, tmp_path):
    """The command with a Ctrl-C at a moment: exit status, outputs, moments."""
    noted = tmp_path / "moments"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(moment), *command],
        **{"capture_output": True, "text": True, "timeout": 300},
        env=os.environ | {"PYTHONPATH": str(ROOT), "MOMENTS": str(noted)},
    )
    moments = int(noted.read_text()) if moment == "-" else None
    return done.returncode, done.stdout, done.stderr, moments


def outcome(program):
    """Exit status, output and errors of a few lines of Python."""
    command = [sys.executable, "-c", program]
    pipes = {"capture_output": True, "text": True, "timeout": 30}
    done = subprocess.run(command, **pipes, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr


def assert_stopped(code, out, err, name):
    assert code == 130, err
    assert err == (UNTOUCHED if name == "build" else STOPPED)
    assert "Traceback" not in out


@pytest.mark.parametrize("name", [n for n in COMMANDS if n != "predict"])
def test_a_command_is_interrupted(furnished, tmp_path, name):
    """At one moment, while it reads and imports what it needs."""
    before = state(furnished)
    moment = random.Random(os.environ["SEED"]).randrange(60)
    code, out, err, _ = run(moment, COMMANDS[name], tmp_path)
    assert_stopped(code, out, err, name)
    assert state(furnished) == before, f"at moment {moment}"


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_interrupted_at_random_moments_and_repeated(
    furnished, tmp_path, monkeypatch, name, kept_network, real_cache
):
    shutil.copytree(kept_network, furnished / "weights")
    if name == "check":  # it counts the pictures
        monkeypatch.delenv("CIFAR100_SOURCE")
        (furnished / ".cache" / "data").symlink_to(real_cache)
    code, expected, err, moments = run("-", COMMANDS[name], tmp_path)
    assert code == 0, err
    finished = state(furnished).keys()
    generator = random.Random(os.environ.get("SEED", name))
    for moment in generator.sample(range(moments), MOMENTS):
        if name in ("data", "build"):
            for folder in ("data", "report", ".cache/data", ".cache/report"):
                shutil.rmtree(furnished / folder, ignore_errors=True)
        code, out, err, _ = run(moment, COMMANDS[name], tmp_path)
        assert_stopped(code, out, err, name)
        code, out, err, _ = run("-", COMMANDS[name], tmp_path)
        assert code == 0, err
        assert name == "build" or out == expected
        assert state(furnished).keys() == finished


@pytest.fixture(scope="module")
def kept_network(real_cache, tmp_path_factory):
    """A folder with a network; nobody needs it to be trained."""
    import numpy as np

    from cifar100 import models, weights
    from cifar100.experiments import get

    folder = tmp_path_factory.mktemp("kept")
    arrays = [np.array(w) for w in models.build(get("lenet5"), seed=1).weights]
    weights.save(get("lenet5"), arrays, seed=1, output=folder)
    return folder


def test_a_ctrl_c_that_python_drops_is_heard_all_the_same():
    """It comes while a callback of the garbage collector is at work, as JAX has one."""
    program = """
import gc, signal, time
from cifar100.interrupts import heed

def interrupt(phase, info):
    gc.callbacks.clear()
    signal.raise_signal(signal.SIGINT)

heed()
gc.callbacks.append(interrupt)
gc.collect()
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("heard")
"""
    assert outcome(program) == (0, "heard\n", "")


NATIVE = """
import contextlib, signal
from cifar100 import interrupts, progress, quiet

def callback():
    with contextlib.suppress(KeyboardInterrupt):  # as C++ may do, or it aborts
        signal.raise_signal(signal.SIGINT)

callback.__globals__["__name__"] = "jaxlib.anything"
interrupts.heed(lambda: interrupts.stop("left"))
"""


def test_a_ctrl_c_while_a_native_library_is_at_work_ends_the_command_at_once():
    """Its exception could get lost there, or abort the process. And the last word is
    heard while the library is imported, when what it writes is held back."""
    program = f"{NATIVE}with quiet.quiet_start():\n    callback()\nprint('it goes on')"
    assert outcome(program) == (130, "", "left\n")


def test_a_command_that_ends_at_once_gives_the_cursor_back():
    row = {"epoch": 1, "epochs": 2, "images_per_second": 1.0, "val_top1": 0.5}
    program = f"""{NATIVE}
from cifar100.experiments import get
with progress.EpochProgress() as show:
    show(get("lenet5"), 0, {row})
    callback()
"""
    ours, its = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", program], stderr=its, cwd=ROOT)
    os.close(its)
    shown = b""
    with contextlib.suppress(OSError):  # Linux says so when nobody writes any more
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    assert process.wait(30) == 130
    assert HIDE in shown
    assert shown.endswith(SHOW + b"left\r\n")


def test_more_ctrl_c_while_a_stopped_command_ends_change_nothing():
    program = """
import atexit, time
from cifar100 import cli

@cli.app.command()
def endless():
    atexit.register(time.sleep, 0.5)
    print("ready", flush=True)
    time.sleep(60)

cli.main(["endless"])
"""
    process = subprocess.Popen([sys.executable, "-c", program], **PIPES, cwd=ROOT)
    assert process.stdout.readline() == "ready\n"
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert (process.returncode, process.stderr.read()) == (130, "stopped\n")


def test_a_ctrl_c_that_is_held_back_is_heard_at_the_end():
    program = """
import signal
from cifar100.interrupts import heed, held_back

heed()
handler = signal.getsignal(signal.SIGINT)
try:
    with held_back():
        signal.raise_signal(signal.SIGINT)
        print("the block ends")
    print("never reached")
except KeyboardInterrupt:
    print("heard")
assert signal.getsignal(signal.SIGINT) is handler
"""
    assert outcome(program) == (0, "the block ends\nheard\n", "")


def test_more_ctrl_c_while_workers_are_stopped_leave_none_of_them(home):
    """One that misses the first request; the user asks first when it is just started,
    and then again and again."""
    count_networks()
    program = """
import signal, subprocess, sys
from cifar100 import scheduling
from cifar100.interrupts import heed

WORKER = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True)"

def start(job, options):
    log = scheduling.log_path(job)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch()
    command = [sys.executable, "-c", WORKER + "; time.sleep(60)"]
    pipe = {"stdout": subprocess.PIPE, "start_new_session": True}
    worker = subprocess.Popen(command, **pipe)
    worker.stdout.readline()
    print(worker.pid, flush=True)
    signal.raise_signal(signal.SIGINT)
    return worker

heed()
scheduling.PATIENCE = 3.0
given = {"only": ["simple_cnn_short"], "workers": 1, "rehearsal": True}
scheduling.record(**given, start=start, say=lambda line: None)
"""
    process = subprocess.Popen([sys.executable, "-c", program], **PIPES, cwd=ROOT)
    worker = int(process.stdout.readline())
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    command = ["ps", "-o", "stat=", "-p", str(worker)]
    state = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)  # else it would outlive a failed test
    assert state[:1] in ("", "Z")  # gone, or dead and not yet waited for
    assert "KeyboardInterrupt" in process.stderr.read()  # that of the first Ctrl-C


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("name", TRAINING)
def test_training_is_interrupted_again_and_again(home_with_data, name):
    """Until a call comes to its end; then the records are those of three runs."""
    count_networks()
    command = [sys.executable, "-m", *TRAINING[name]]
    generator, codes = random.Random(os.environ.get("SEED", name)), []
    for seconds in sorted(generator.uniform(1, 9) for _ in range(6)):
        process = subprocess.Popen(command, **PIPES)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        codes.append(process.returncode)
        assert "Traceback" not in out + err
        if process.returncode == -signal.SIGINT:  # while Python takes itself down,
            assert list(home_with_data.rglob("seed-0.json"))  # all being done
            continue
        assert process.returncode in (0, 2, 130), err  # 2: it is recorded already
        if process.returncode == 130:
            assert err.endswith(GOES_ON)
    assert 130 in codes
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 2), done.stderr
    expected = 1 if name == "train" else 3
    assert len(list(home_with_data.glob("rehearsal/lenet5/seed-*.json"))) == expected
    assert not list(home_with_data.rglob("*.tmp"))
