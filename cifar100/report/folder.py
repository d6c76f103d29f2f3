"""Where a report goes: into no foreign folder, and swapped in one step."""

import contextlib
import ctypes
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from cifar100.errors import UserError, WorkError, one_line
from cifar100.files import scratch_folder, sweep_folders, write_json

MANIFEST = "report.json"
KIND = "cifar100 report"


def read_manifest(output: Path) -> dict | None:
    """What the report in `output` says of itself; None where there is no report."""
    try:
        manifest = json.loads((output / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    is_ours = isinstance(manifest, dict) and manifest.get("kind") == KIND
    return manifest if is_ours else None


def write_manifest(folder: Path, **content: object) -> None:
    """Write the manifest, with name and size of every file of the report."""
    files = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    write_json(folder / MANIFEST, {"kind": KIND, **content, "files": files})


def is_whole(output: Path, manifest: dict) -> bool:
    """Whether all files that the manifest lists are there, with their sizes."""
    for name, size in manifest["files"].items():
        path = output / name
        if not path.is_file() or path.stat().st_size != size:
            return False
    return True


def check_output(output: Path) -> None:
    """Raise UserError where a report would replace something that is not a report."""
    if output.is_dir():
        if any(output.iterdir()) and read_manifest(output) is None:
            raise UserError(
                f"--output {output}: not a report, and not empty; name another folder."
                " Nothing was written."
            )
    elif output.exists() or output.is_symlink():
        raise UserError(f"--output {output}: not a folder. Nothing was written.")


def sweep(output: Path) -> None:
    """Remove what a build has left beside `output` that was killed at its very end."""
    sweep_folders(output.parent, _unfinished(output))


def _unfinished(output: Path) -> str:
    return f".{output.name}.building-"


@contextlib.contextmanager
def new_report(output: Path) -> Iterator[Path]:
    """A folder beside `output` that takes its place if the block ends without error.

    Made before the work starts, so that a place where nothing can be written is found
    first. What a killed build has left is removed. Raises UserError for a place that
    can't hold a folder, WorkError for one that is read-only or full.
    """
    previous = output.with_name(f".{output.name}.previous")
    with contextlib.ExitStack() as stack:
        with written_to(output):
            output.parent.mkdir(parents=True, exist_ok=True)
            if previous.exists() and not output.exists():
                previous.rename(output)  # a build was killed between its two renames
            scratch = scratch_folder(output.parent, _unfinished(output))
            building = stack.enter_context(scratch)
            building.chmod(0o755)  # mkdtemp leaves 0700, closed to a web server
        yield building
        with written_to(output):
            _put_in_place(building, output, previous)


@contextlib.contextmanager
def written_to(output: Path) -> Iterator[None]:
    """Say in one line, with its name, that the report can't be written; raises like
    `new_report`."""
    try:
        yield
    except (NotADirectoryError, FileExistsError) as error:
        reason = one_line(error)
        raise UserError(f"--output {output}: cannot write there ({reason})") from error
    except OSError as error:
        reason = one_line(error)
        raise WorkError(f"cannot write the report {output} ({reason})") from error


def _put_in_place(new: Path, output: Path, previous: Path) -> None:
    if not output.exists():
        new.rename(output)
    elif not _exchange(new, output):  # after an exchange, `new` holds the old report
        shutil.rmtree(previous, ignore_errors=True)
        output.rename(previous)
        try:
            new.rename(output)
        except OSError:
            previous.rename(output)
            raise
        shutil.rmtree(previous, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step where the system can (Linux); else False."""
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE of <linux/fs.h>
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    names = os.fsencode(one), os.fsencode(other)
    if renameat2(here, names[0], here, names[1], exchange) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(other))
