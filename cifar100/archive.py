"""Unpack a cifar-100-python.tar.gz that nobody vouches for."""

import gzip
import os
import tarfile
from pathlib import Path

from cifar100.errors import UserError, one_line
from cifar100.official import FILES, FOLDER

LARGEST = 512 * 2**20  # bytes unpacked; the official archive holds 187 million


def unpack(archive: Path, folder: Path) -> Path:
    """Extract train, test and meta of a .tar.gz; returns `folder`/cifar-100-python.

    Other files in the archive are left out. Raises UserError for an archive that is
    missing or damaged, for links and paths that lead elsewhere, and for more content
    than the data set can have.
    """
    if not os.access(archive, os.R_OK):
        raise UserError(f"{archive} does not exist or cannot be read")
    found = set()
    try:
        with gzip.open(archive) as stream:
            bounded = _Bounded(stream, LARGEST)
            with tarfile.open(fileobj=bounded, mode="r|", bufsize=2**20) as tar:
                for member in tar:
                    if _is_ours(member):
                        tar.extract(member, folder, filter="data")
                        found.add(Path(member.name).name)
    except Exception as error:  # whatever odd bytes make gzip, tar and headers give
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            raise
        raise UserError(
            f"{archive} is not a whole archive of CIFAR-100 ({one_line(error)}); "
            "remove it and run `cifar100 data`"
        ) from None
    missing = [name for name in FILES if name not in found]
    if missing:
        raise UserError(
            f"{archive} has no {FOLDER}/{missing[0]}; remove it and run `cifar100 data`"
        )
    return folder / FOLDER


def _is_ours(member: tarfile.TarInfo) -> bool:
    """Whether to extract it; raises TarError for what no honest archive holds."""
    path = Path(member.name)
    if (
        not (member.isfile() or member.isdir())
        or member.issparse()  # kilobytes that declare themselves to be terabytes
        or path.is_absolute()
        or ".." in path.parts
    ):
        raise tarfile.ReadError(f"'{member.name}' is no plain file or leads elsewhere")
    return member.isfile() and path.parent == Path(FOLDER) and path.name in FILES


class _Bounded:
    """A stream that ends in an error after `limit` bytes: archives can be bombs."""

    def __init__(self, stream: gzip.GzipFile, limit: int):
        self.stream, self.left = stream, limit

    def read(self, count: int) -> bytes:
        block = self.stream.read(min(count, self.left + 1))
        self.left -= len(block)
        if self.left < 0:
            raise tarfile.ReadError(f"it unpacks to more than {LARGEST >> 20} MiB")
        return block
