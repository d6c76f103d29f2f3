"""Archives: nothing outside, nothing too large, nothing cut off."""

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from cifar100.archive import unpack
from cifar100.errors import UserError
from cifar100.official import FOLDER

NAME = f"{FOLDER}.tar.gz"


def archive_of(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(bytes(member.size)))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0):
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, size
    return made


@pytest.mark.parametrize(
    "evil",
    [
        member("../evil", size=3),
        member(f"{FOLDER}/../../evil", size=3),
        member("/tmp/evil-cifar", size=3),
        member(f"{FOLDER}/train", tarfile.SYMTYPE, "/etc/passwd"),
        member(FOLDER, tarfile.SYMTYPE, ".."),
        member(f"{FOLDER}/train", tarfile.LNKTYPE, "../../secret"),
        member(f"{FOLDER}/train", tarfile.CHRTYPE),
        member(f"{FOLDER}/train", tarfile.FIFOTYPE),
    ],
    ids=lambda evil: f"{evil.name}-{evil.type.decode()}",
)
def test_archive_that_leads_elsewhere_is_refused(tmp_path, evil):
    target = tmp_path / "deep" / "target"
    target.mkdir(parents=True)
    archive = archive_of(tmp_path / NAME, evil)
    with pytest.raises(UserError, match="leads elsewhere"):
        unpack(archive, target)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [archive]
    assert not Path("/tmp/evil-cifar").exists()


@pytest.mark.parametrize(
    "name",
    [f"{FOLDER}/train", "filler", "\u00e9" * 3_000_000],
    ids=["ours", "other", "header"],
)
def test_archive_bomb_is_stopped(tmp_path, monkeypatch, name):
    """Whether the bulk is ours, to be skipped, or in a header."""
    monkeypatch.setattr("cifar100.archive.LARGEST", 2**20)
    archive = archive_of(tmp_path / NAME, member(name, size=2**22))
    assert archive.stat().st_size < 2**16
    (tmp_path / "target").mkdir()
    with pytest.raises(UserError, match="unpacks to more than 1 MiB"):
        unpack(archive, tmp_path / "target")
    size = sum(path.stat().st_size for path in (tmp_path / "target").rglob("*"))
    assert size <= 2**20 + 2**16


def test_other_members_are_left_out(fake, tmp_path):
    (fake.folder / "file.txt~").write_text("the official archive has such a file")
    stem = str(tmp_path / "more")
    made = shutil.make_archive(stem, "gztar", fake.folder.parent, FOLDER)
    folder = unpack(Path(made), tmp_path / "target")
    assert sorted(path.name for path in folder.iterdir()) == ["meta", "test", "train"]


def test_truncated_archive_is_named(fake_archive, tmp_path):
    fake_archive.write_bytes(fake_archive.read_bytes()[:-5_000])
    with pytest.raises(UserError, match=rf"{NAME} is not a whole archive"):
        unpack(fake_archive, tmp_path / "target")


def test_archive_without_a_file_is_named(fake, tmp_path):
    (fake.folder / "test").unlink()
    made = shutil.make_archive(str(tmp_path / "x"), "gztar", fake.folder.parent, FOLDER)
    with pytest.raises(UserError, match=f"has no {FOLDER}/test"):
        unpack(Path(made), tmp_path / "target")
