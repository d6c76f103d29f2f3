"""The official files, read and verified, on a small data set."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from cifar100 import data
from cifar100.errors import UserError
from cifar100.official import read_batch, verify
from tests.raising import one_line


def change(path: Path, **changes) -> None:
    """Pickle a file anew with some of its entries replaced (None: removed)."""
    batch = pickle.loads(path.read_bytes(), encoding="bytes")
    batch |= {key.encode(): value for key, value in changes.items()}
    left = {key: value for key, value in batch.items() if value is not None}
    path.write_bytes(pickle.dumps(left, protocol=4))


def test_files_are_read_as_they_were_made(fake):
    planar, fine = read_batch(fake.folder / "train", fake.checksums["train"])
    images = planar.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(images, fake.images["train"])
    np.testing.assert_array_equal(fine, fake.fine["train"])
    verify(fake.folder, fake.checksums)


@pytest.mark.parametrize("name", ["train", "test", "meta"])
def test_missing_file_is_named(fake, name):
    (fake.folder / name).unlink()
    line = one_line(UserError, verify, fake.folder, fake.checksums)
    assert line.startswith(f"{fake.folder / name} is missing")
    assert "cifar100 data" in line


@pytest.mark.parametrize("name", ["train", "test", "meta"])
@pytest.mark.parametrize("share", [0, 0.5, 0.999])
def test_truncated_file_is_named(fake, name, share):
    path = fake.folder / name
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    line = one_line(UserError, verify, fake.folder, fake.checksums)
    assert line.startswith(f"{path} is truncated")


def test_altered_pixel_gives_the_checksum_expected_and_found(fake):
    planar = fake.images["test"].transpose(0, 3, 1, 2).reshape(-1, 3072).copy()
    planar[5, 100] ^= 1
    change(fake.folder / "test", data=planar)
    images = planar.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    found = hashlib.sha256(np.ascontiguousarray(images)).hexdigest()
    line = one_line(UserError, verify, fake.folder, fake.checksums)
    assert line.startswith(f"{fake.folder / 'test'} is altered")
    assert f"sha256 of the pixels is {found[:16]}…" in line
    assert f"expected {fake.checksums['test'].pixels[:16]}…" in line
    assert "cifar100 data" in line


def test_altered_label_gives_the_checksum_expected_and_found(fake):
    fine = fake.fine["train"].copy()
    fine[3] = (fine[3] + 1) % 100
    coarse = data.COARSE_OF_FINE[fine].tolist()
    change(fake.folder / "train", fine_labels=fine.tolist(), coarse_labels=coarse)
    line = one_line(UserError, verify, fake.folder, fake.checksums)
    assert "sha256 of the labels" in line
    assert f"expected {fake.checksums['train'].fine[:16]}…" in line


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"coarse_labels": [0] * 40}, "superclasses"),
        ({"coarse_labels": None}, "coarse_labels"),
        ({"data": None}, "'data'"),
        ({"data": [1, 2, 3]}, "holds (3,) pixels"),
        ({"data": np.zeros((40, 3071), np.uint8)}, "holds (40, 3071) pixels"),
        ({"fine_labels": [1, 2, 3]}, "with 3 and 40 labels, expected"),
        ({"fine_labels": [256] * 40}, "'fine_labels'"),
        ({"fine_labels": [-1] * 40}, "'fine_labels'"),
        ({"fine_labels": [2**80] * 40}, "'fine_labels'"),
        ({"fine_labels": ["cat"] * 40}, "'fine_labels'"),
        ({"fine_labels": [[1], [1, 2]] * 20}, "'fine_labels'"),
        ({"fine_labels": [120] * 40}, "sha256 of the labels"),
    ],
    ids=repr,
)
def test_wrong_content_is_refused(fake, changes, complaint):
    change(fake.folder / "train", **changes)
    line = one_line(UserError, verify, fake.folder, fake.checksums)
    assert line.startswith(str(fake.folder / "train"))
    assert complaint in line.removeprefix(str(fake.folder))


@pytest.mark.parametrize("names", [None, 3, [], [b"apple"] * 100, [b"\xff"] * 100])
def test_other_class_names_are_refused(fake, names):
    change(fake.folder / "meta", fine_label_names=names)
    line = one_line(UserError, verify, fake.folder, fake.checksums)
    assert line.startswith(f"{fake.folder / 'meta'} is altered")


def test_small_data_set_is_not_taken_for_the_real_one(fake, home, monkeypatch):
    monkeypatch.setenv("CIFAR100_SOURCE", str(fake.folder))
    line = one_line(UserError, data.load, "val")
    assert "(20, 3072) pixels" in line
    assert "expected (10000, 3072)" in line
    assert not (home / ".cache" / "data" / "stamp.json").exists()
