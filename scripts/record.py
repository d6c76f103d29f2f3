"""Record from a clean checkout of HEAD, so that work can go on here: `make record`.

All arguments go to `cifar100 record`. Records, logs and checkpoints land in this
checkout (or in $CIFAR100_HOME); the code that makes them stands in .cache/recording, a
git worktree at HEAD, and does not change while the recording runs.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKTREE = ROOT / ".cache" / "recording"
LOCK_FILE = "requirements.lock"


def main(arguments: list[str]) -> None:
    """Become `cifar100 record` in the worktree; SystemExit with a line if it can't."""
    WORKTREE.parent.mkdir(exist_ok=True)
    hold(WORKTREE.with_suffix(".lock"))
    commit = check_out()
    if (WORKTREE / LOCK_FILE).read_bytes() != (ROOT / LOCK_FILE).read_bytes():
        stop(f"{LOCK_FILE} differs from the committed one; commit it first")
    print(f"recording with commit {commit[:12]}", flush=True)
    environment = {"CIFAR100_HOME": str(ROOT)} | os.environ
    # Both the directory and PYTHONPATH come before what is installed in .venv, here
    # and in the processes that the command starts.
    environment["PYTHONPATH"] = str(WORKTREE)
    os.chdir(WORKTREE)
    command = [sys.executable, "-m", "cifar100", "record", *arguments]
    os.execve(sys.executable, command, environment)  # noqa: S606 (our own command)


def hold(path: Path) -> None:
    """Keep a second recording from moving the worktree; released when we end."""
    file = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stop("a recording is running already, from .cache/recording")
    os.set_inheritable(file, True)  # the command keeps it, its workers do not


def check_out() -> str:
    """Put HEAD's commit into the worktree, as it was committed; returns its hash."""
    commit = git(ROOT, "rev-parse", "--verify", "-q", "HEAD")
    if not commit:
        stop("there is no commit to record with; records name the code that made them")
    if not is_ours(WORKTREE):
        shutil.rmtree(WORKTREE, ignore_errors=True)
        git(ROOT, "worktree", "prune")
        done = git(ROOT, "worktree", "add", "-q", "--detach", str(WORKTREE), commit)
    else:
        done = git(WORKTREE, "checkout", "-q", "--detach", "--force", commit)
    if done is None or git(WORKTREE, "status", "--porcelain") != "":
        stop("git could not make a clean checkout in .cache/recording; remove it")
    return commit


def is_ours(folder: Path) -> bool:
    """Whether `folder` is a worktree of this repository, not of one copied here."""
    if not (folder / ".git").exists():
        return False
    asked = ("rev-parse", "--path-format=absolute", "--git-common-dir")
    top = git(folder, "rev-parse", "--show-toplevel")
    return top == str(folder) and git(folder, *asked) == git(ROOT, *asked)


def git(folder: Path, *arguments: str) -> str | None:
    """What git answers; None when it fails."""
    command = ["git", "-c", "core.hooksPath=/dev/null", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 (git)
    except FileNotFoundError:
        stop("git is not installed; records name the commit that made them")
    return done.stdout.strip() if done.returncode == 0 else None


def stop(reason: str) -> None:
    """End with one line; wrong input or surroundings are exit status 2."""
    print(f"error: {reason}", file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
