"""The machine, the versions and the commit that a run stands on."""

import functools
import importlib.metadata
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from cifar100 import paths
from cifar100.files import sha256_of

VERSIONED = ("keras", "tensorflow", "jax", "numpy")
ISA = ("amx_bf16", "avx512f", "avx2", "avx")  # sets of instructions, widest first
WATCHED = ("cifar100", "requirements.lock")  # what "clean" in a record means


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that compute."""
    found = {"python": platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit() -> dict[str, object]:
    """`{"commit": full hash or None, "clean": bool}` of the checkout of the package.

    Clean: the package and the lock file are as committed. Notebooks, prose and records
    may be in the middle of an edit, they don't change a run. Where there is no checkout
    but a snapshot of a commit, its `commit.json` says which and what it held.
    """
    root = paths.package_root()
    top = git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root:  # a repository around a snapshot
        return _commit_of_snapshot(root)
    head = git(root, "rev-parse", "HEAD")
    changed = git(root, "status", "--porcelain", "--", *WATCHED)
    return {"commit": head or None, "clean": bool(head) and changed == ""}


def code() -> dict[str, object]:
    """`commit` with "digest", the `tree_digest` of the same moment."""
    return commit() | {"digest": tree_digest(paths.package_root())}


def _commit_of_snapshot(root: Path) -> dict[str, object]:
    try:
        content = json.loads((root / "commit.json").read_text(encoding="utf-8"))
        head, digest = content["commit"], content["sha256"]
    except (OSError, ValueError, LookupError, TypeError):
        return {"commit": None, "clean": False}
    return {"commit": head, "clean": bool(head) and digest == tree_digest(root)}


def tree_digest(root: Path) -> str:
    """One hex sha256 of what a run is made of below `root`: sorted relative paths and
    contents of the package and the lock file, compiled files apart."""
    files = []
    for name in WATCHED:
        path = root / name
        files += [path] if path.is_file() else path.rglob("*")
    lines = [
        f"{path.relative_to(root).as_posix()} {sha256_of(path)}\n"
        for path in files
        if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts
    ]
    return sha256_of("".join(sorted(lines)).encode())


def stamp() -> dict[str, object]:
    """When, from which code, with what and on what something was measured."""
    return {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        **commit(),
        "versions": versions(),
        "device": processor(),
    }


def git(root: Path, *arguments: str) -> str | None:
    """What git answers in the checkout `root`; None without git or without one."""
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (git)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


@functools.cache
def processor() -> dict[str, str]:
    """Name of the processor, and the widest instructions that oneDNN may use on it."""
    name, flags = platform.processor() or platform.machine(), ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line.split(":", 1) for line in cpuinfo.read_text().splitlines()]
        found = {pair[0].strip(): pair[1].strip() for pair in lines if len(pair) == 2}
        name, flags = found.get("model name", name), found.get("flags", "")
    widest = next((f for f in ISA if f in flags.split()), "")
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "").lower()
    return {"name": name, "instructions": limit or widest or platform.machine()}
