"""Files written whole or not at all, and their checksums."""

import contextlib
import errno
import fcntl
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cifar100.errors import UserError, WorkError


def sha256_of(source: Path | bytes) -> str:
    """Hex sha256 of a file's content, or of bytes."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` so that `path` holds the old bytes or all of the new ones.

    Missing folders are made.
    """
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write, which takes the place of `path` when the block ends well.

    It stands in the same folder until then, since a rename is atomic only within one
    file system. What killed writers of `path` have left there is removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path)
    handle, temporary = _made_and_held(path)
    try:
        with os.fdopen(handle, "wb") as file:  # held until it stands in its place
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.chmod(temporary, 0o644)  # mkstemp leaves 0600, closed to a web server
            os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in one line that `path` can't be written, and what to do about it:
    `UserError` where the right to do so lacks, else `WorkError`."""
    try:
        yield
    except OSError as error:
        denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        raise (UserError if denied else WorkError)(
            f"cannot write to {path} ({error.strerror or error}); make room there, or "
            "set CIFAR100_HOME to another folder"
        ) from None


def check_writable(path: Path) -> None:
    """Raise `UserError` where no file `path` could be written: before long work."""
    place = next(p for p in path.absolute().parents if p.exists())
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        raise UserError(f"{path} can't be written: {place} is read-only or no folder")


def sweep(path: Path) -> None:
    """Remove the unfinished files that killed writers of `path` have left beside it."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.????????.tmp"):
        with contextlib.suppress(OSError), _held(left):  # else its writer lives
            left.unlink()


@contextlib.contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder in `parent`, removed when the block ends; `parent` is made if missing.

    What killed processes have left there under the same prefix is removed first.
    """
    parent.mkdir(parents=True, exist_ok=True)
    sweep_folders(parent, prefix)
    with contextlib.ExitStack() as stack:
        folder = _folder_made_and_held(parent, prefix, stack)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep_folders(parent: Path, prefix: str) -> None:
    """Remove the scratch folders that killed processes have left in `parent`."""
    for left in parent.glob(f"{glob.escape(prefix)}????????"):
        with contextlib.suppress(OSError), _held(left):  # else its owner lives
            shutil.rmtree(left)


def _folder_made_and_held(
    parent: Path, prefix: str, stack: contextlib.ExitStack
) -> Path:
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        try:
            stack.enter_context(_held(folder))
        except (BlockingIOError, FileNotFoundError):
            continue  # swept by another process before it was locked
        except OSError:
            return folder  # a file system without locks
        if folder.exists():
            return folder


def _made_and_held(path: Path) -> tuple[int, str]:
    """Handle and name of a new file beside `path`, locked: it has a living writer."""
    while True:
        ends = {"prefix": f".{path.name}.", "suffix": ".tmp"}
        handle, name = tempfile.mkstemp(dir=path.parent, **ends)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, name
        os.close(handle)  # swept by another process before it was locked


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a file or folder; OSError where another process holds it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked(path: Path, *, busy: Exception | None = None) -> Iterator[None]:
    """Hold the lock file `path`, which is made if missing, while the block runs.

    Where another process holds it, raises `busy`, or waits if that is None. On a file
    system without locks nothing is held.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            raise busy from None
        except OSError:
            pass
        yield  # closing the file, or dying, gives the lock back


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; the same value always gives the same bytes."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())
