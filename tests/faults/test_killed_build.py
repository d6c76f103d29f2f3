"""A killed build leaves the last good report, no process, and is made good later."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from killing import Nursery, state
from small_notebooks import contents, is_running, wait_until, write

from cifar100 import paths
from cifar100.report import folder

MOMENTS = 20  # of the long form
LEAVES_ITS_ID = "import os, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))\n"


def pages(home):
    """What a report shows, without the moment at which it was built."""
    minute = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d UTC|\d+(\.\d+)? s\b")
    found = contents(home / "report")
    found.pop(folder.MANIFEST, None)
    return {name: minute.sub(b"", content) for name, content in found.items()}


def strays(home):
    """Unfinished files and folders."""
    names = {p.relative_to(home).as_posix() for p in home.rglob("*")}
    return sorted(n for n in names if re.search(r"\.tmp$|building-|work-|\.prev", n))


def with_notebooks(home, text="first"):
    """Notebooks of which the second takes a second."""
    write(home / "notebooks", "00-one", f"print('{text}')")
    write(home / "notebooks", "01-two", "import time\ntime.sleep(1)", "print(2)")
    return home


@pytest.mark.slow
def test_pages_killed_at_every_change_of_a_file(tmp_path, home):
    """Executed already: what is written here are pages, in place of older ones."""
    with Nursery("report") as nursery:
        template = with_notebooks(tmp_path / "template")
        nursery(template)
        old = pages(template)
        write(template / "notebooks", "00-one", "print('second')")
        whole = Path(shutil.copytree(template, tmp_path / "whole"))
        nursery(whole)  # executes
        new = pages(whole)
        assert old != new
        shutil.copytree(whole / ".cache", template / ".cache", dirs_exist_ok=True)
        changes = nursery(Path(shutil.copytree(template, tmp_path / "x")))["changes"]
        generator = random.Random(os.environ["SEED"])
        for moment in [*generator.sample(range(changes - 1), 4), changes - 1]:
            home = Path(shutil.copytree(template, tmp_path / str(moment)))
            assert nursery(home, at=moment)["killed"]
            assert pages(home) in (old, new)
            nursery(home)
            assert pages(home) == new
            assert strays(home) == []


@pytest.mark.slow
def test_build_killed_at_random_times(tmp_path, home):
    with Nursery("report") as nursery:
        template = with_notebooks(tmp_path / "template")
        undisturbed = Path(shutil.copytree(template, tmp_path / "undisturbed"))
        seconds = nursery(undisturbed)["seconds"]
        generator = random.Random(os.environ.get("SEED", "faults"))
        for number in range(MOMENTS):
            home = Path(shutil.copytree(template, tmp_path / f"killed-{number}"))
            nursery(home, after=generator.uniform(0, seconds))
            nursery(home)
            assert pages(home) == pages(undisturbed)
            assert state(home).keys() == state(undisturbed).keys()
            assert strays(home) == []


def test_the_command_killed_while_a_kernel_runs(home):
    """Nobody is left to stop the notebook's process and its kernel: they end too."""
    source = LEAVES_ITS_ID + "import time\ntime.sleep(100)"
    path = write(home / "notebooks", "00-slow", source)
    program = (
        "import pathlib, sys; from cifar100.report.build import Options, build;"
        "build(Options(notebooks=pathlib.Path(sys.argv[1])))"
    )
    search = {"PYTHONPATH": str(paths.package_root())}
    command = [sys.executable, "-c", program, str(path.parent)]
    process = subprocess.Popen(command, env=os.environ | search)
    pid = path.parent / "pid"
    assert wait_until(lambda: pid.exists() and pid.read_text(), 60)
    kernel = int(pid.read_text())
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert wait_until(lambda: not is_running(kernel), 20)
    assert not (home / "report").exists()
