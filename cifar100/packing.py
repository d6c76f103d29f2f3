"""Records in a few zip files: how they come home from another machine.

The archives hold `records/<experiment>/seed-<k>.json`, `.val.npz` and `.test.npz`, and
the logits where a record keeps them. They are stored as they are: npz is compressed.
"""

import io
import re
import zipfile
from pathlib import Path

from cifar100.errors import UserError
from cifar100.experiments import EXPERIMENTS
from cifar100.files import check_writable, write_atomically
from cifar100.records import read

LARGEST_PART = 16 * 2**20  # bytes of one archive
LARGEST_MEMBER = 4 * 2**20  # bytes of one file in it; logits have 1.9 MB, others 0.1
ENDING = r"(json|(?:val|test)(?:-logits)?\.npz)"
MEMBER = re.compile(rf"records/(\w+)/seed-(0|[1-9][0-9]{{0,5}})\.{ENDING}")
CONSTANT_DATE = (1980, 1, 1, 0, 0, 0)  # equal records give equal bytes

Files = dict[str, bytes]  # the files of a record, by ending


class Pack:
    """The records of one folder, in `visit-1.zip`, `visit-2.zip`, … for `visit.zip`.

    A part that is full is never written again, the last one is replaced as a whole: so
    every part is a good archive at any second. Parts of an earlier call are written
    anew. Raises `UserError` for a place where nothing can be written.
    """

    def __init__(self, path: Path, folder: Path):
        self.path, self.folder = path, folder
        self.number, self.members = 1, {}
        self.seen: set[tuple[Path, int]] = set()
        if path.is_dir():
            raise UserError(f"{path} is a folder; name a file, as in out/visit.zip")
        check_writable(path)

    def update(self) -> None:
        """Take in every current record that has come since the last call."""
        before = dict(self.members)
        for path in sorted(self.folder.glob("*/seed-*.json")):
            version = path, path.stat().st_mtime_ns
            if version in self.seen:
                continue
            self.seen.add(version)
            if not (record := read(path)).stale:
                self._add({self._name(p): p.read_bytes() for p in record.files()})
        if self.members != before:
            self._write()

    def _add(self, files: Files) -> None:
        if self.members and _size(self.members | files) > LARGEST_PART:
            self._write()
            self.number, self.members = self.number + 1, {}
        self.members |= files

    def _name(self, path: Path) -> str:
        return f"records/{path.relative_to(self.folder).as_posix()}"

    def _write(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, content in self.members.items():
                archive.writestr(zipfile.ZipInfo(name, CONSTANT_DATE), content)
        name = f"{self.path.stem}-{self.number}{self.path.suffix}"
        write_atomically(self.path.with_name(name), buffer.getvalue())


def _size(members: Files) -> int:
    """Bytes of the archive that stores `members`: headers here and in its directory."""
    each = (76 + 2 * len(name) + len(content) for name, content in members.items())
    return 22 + sum(each)


def read_pack(path: Path) -> dict[tuple[str, int], Files]:
    """The files of the records in an archive, by (experiment, seed).

    Nothing is extracted. Raises `UserError` for an archive that is not whole, or holds
    anything else than files of records.
    """
    found: dict[tuple[str, int], Files] = {}
    try:
        if path.stat().st_size > LARGEST_PART:
            raise UserError(f"{path} is larger than {LARGEST_PART >> 20} MiB: no pack")
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name, seed, ending = _parsed(path, member)
                files = found.setdefault((name, seed), {})
                if ending in files:
                    raise UserError(f"{path} holds {member.filename} twice")
                files[ending] = archive.read(member)  # compares the checksum
    except (zipfile.BadZipFile, EOFError, ValueError, RuntimeError) as error:
        raise UserError(f"{path} is not a whole pack of records ({error})") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from None
    return found


def _parsed(path: Path, member: zipfile.ZipInfo) -> tuple[str, int, str]:
    match = MEMBER.fullmatch(member.filename)
    if match is None or match[1] not in EXPERIMENTS:
        raise UserError(f"{path} holds {member.filename!r}, which is of no record")
    sizes = {member.file_size, member.compress_size}
    if member.compress_type != zipfile.ZIP_STORED or len(sizes) > 1:
        raise UserError(f"{path} holds {member.filename} compressed; packs are not")
    if member.file_size > LARGEST_MEMBER:
        limit = LARGEST_MEMBER >> 20
        raise UserError(f"{path}: {member.filename} is larger than {limit} MiB")
    return match[1], int(match[2]), match[3]
