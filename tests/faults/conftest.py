"""A small data set; disks that are full or read-only, which only root may mount."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cifar100 import cache, official


@pytest.fixture
def fake_data(home, fake, monkeypatch):
    """The small data set of `fake` is taken for the real one, and is the source."""
    for name, sums in fake.checksums.items():
        monkeypatch.setitem(official.CHECKSUMS, name, sums)
    split = np.arange(30), np.arange(30, 40)
    monkeypatch.setattr(cache, "draw_split", lambda fine: split)
    monkeypatch.setenv("CIFAR100_SOURCE", str(fake.folder))


def mounting(*arguments: str | Path) -> None:
    """`mount` or `umount`; skips the test where that is not allowed."""
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root may mount a disk")
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here ({done.stderr.strip()})")


@pytest.fixture
def disk() -> Iterator[Callable[[Path, int], None]]:
    """Call it with a folder and kilobytes: the folder is on a disk that small from then
    on. Called again, the disk gets another size."""
    mounted = []

    def sized(folder: Path, kilobytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        size = f"size={kilobytes}k"
        if folder in mounted:
            mounting("mount", "-o", f"remount,{size}", folder)
        else:
            mounting("mount", "-t", "tmpfs", "-o", size, "tmpfs", folder)
            mounted.append(folder)

    yield sized
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def read_only() -> Iterator[Callable[[Path], None]]:
    """Call it with a folder, which nobody can write to from then on, root included."""
    mounted = []

    def closed(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        mounting("mount", "--bind", folder, folder)
        mounted.append(folder)
        mounting("mount", "-o", "remount,bind,ro", folder)

    yield closed
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)
