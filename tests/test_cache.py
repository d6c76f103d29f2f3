"""The cache of the data set: split alike for everyone, mapped, safe from damage."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cifar100 import cache, data, paths
from cifar100.cache import ARRAYS, draw_split
from cifar100.errors import UserError
from cifar100.files import sha256_of, write_json
from cifar100.official import CHECKSUMS, FOLDER, read_batch
from tests.raising import one_line


@pytest.fixture(scope="module")
def official_fine(official) -> np.ndarray:
    return read_batch(official / "train", CHECKSUMS["train"])[1]


@pytest.fixture
def own_cache(real_cache, home) -> Path:
    """A copy of the real cache that may be damaged."""
    return Path(shutil.copytree(real_cache, home / ".cache" / "data"))


@pytest.mark.data
@pytest.mark.parametrize(
    ("split", "count"), [("train", 450), ("val", 50), ("test", 100)]
)
def test_splits_have_equally_many_images_of_each_class(real_cache, split, count):
    images, fine, coarse = data.load(split)
    assert images.shape == (100 * count, 32, 32, 3)
    assert (images.dtype, fine.dtype, coarse.dtype) == (np.uint8,) * 3
    assert np.bincount(fine).tolist() == [count] * 100
    assert np.bincount(coarse).tolist() == [5 * count] * 20


@pytest.mark.data
def test_train_and_val_part_the_official_training_images(real_cache):
    train, val = data.split_index()
    assert (train.dtype, val.dtype) == (np.int64, np.int64)
    assert np.array_equal(np.sort(np.concatenate([train, val])), np.arange(50_000))
    for index in train, val:
        assert np.all(np.diff(index) > 0)
    content = train.astype("<i8").tobytes() + val.astype("<i8").tobytes()
    pinned = "752aaef982d5eb463e1888bf6da5b507400f260a15575c9d1271a526695e6052"
    assert hashlib.sha256(content).hexdigest() == pinned == data.SPLIT_SHA256


@pytest.mark.data
def test_split_arrays_are_the_official_images(real_cache):
    official_images = np.empty((50_000, 32, 32, 3), np.uint8)
    official_fine = np.empty(50_000, np.uint8)
    for split, index in zip(("train", "val"), data.split_index(), strict=True):
        official_images[index], official_fine[index], _ = data.load(split)
    assert hashlib.sha256(official_images).hexdigest() == CHECKSUMS["train"].pixels
    assert hashlib.sha256(official_fine).hexdigest() == CHECKSUMS["train"].fine
    test = data.load("test")
    assert hashlib.sha256(test.images).hexdigest() == CHECKSUMS["test"].pixels
    assert hashlib.sha256(test.fine).hexdigest() == CHECKSUMS["test"].fine


@pytest.mark.data
def test_mean_and_deviation_are_those_of_the_training_images(real_cache):
    parts = [data.load(split).images for split in ("train", "val")]
    counts = sum(
        np.stack([np.bincount(part[..., c].ravel(), minlength=256) for c in range(3)])
        for part in parts
    )
    levels = np.arange(256) / 255
    mean = (counts @ levels) / counts.sum(1)
    std = np.sqrt((counts @ levels**2) / counts.sum(1) - mean**2)
    np.testing.assert_allclose(data.MEAN, mean, atol=3e-8)
    np.testing.assert_allclose(data.STD, std, atol=3e-8)
    assert data.MEAN.dtype == data.STD.dtype == np.float32


@pytest.mark.data
def test_arrays_are_mapped_and_read_only(real_cache):
    split = data.load("train")
    base = split.images
    while isinstance(base, np.ndarray):
        base = base.base
    assert type(base).__name__ == "mmap"
    for array in (*split, *data.split_index()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.data
def test_numpy_that_draws_another_split_is_refused(official_fine, monkeypatch):
    draw_split(official_fine)
    other = np.random.Generator(np.random.Philox(cache.SPLIT_SEED))
    monkeypatch.setattr(np.random, "default_rng", lambda seed: other)
    line = one_line(UserError, draw_split, official_fine)
    assert np.__version__ in line
    assert data.SPLIT_SHA256[:16] in line


LOAD = """
import time
import numpy
from cifar100 import data
begun = time.process_time()  # not the wall: other tests may share the processor
data.load("train")
print(time.process_time() - begun)
"""


def start_load(home: Path, source: Path | None) -> subprocess.Popen:
    environment = os.environ | {"CIFAR100_HOME": str(home)}
    environment["PYTHONPATH"] = str(paths.package_root())
    if source:
        environment["CIFAR100_SOURCE"] = str(source)
    return subprocess.Popen(
        [sys.executable, "-c", LOAD],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.data
def test_first_load_takes_five_seconds_at_most_and_later_ones_a_fifth(official, home):
    first = float(start_load(home, official).communicate()[0])
    later = float(start_load(home, official).communicate()[0])
    assert first <= 5
    assert later <= 0.2


@pytest.mark.data
def test_two_processes_may_fill_the_cache_at_once(official, home):
    running = [start_load(home, official) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    assert cache.intact(home / ".cache" / "data", thorough=True)
    names = sorted(path.name for path in (home / ".cache" / "data").iterdir())
    assert names == sorted([*ARRAYS, "stamp.json"])


def flip_byte(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(-1000, io.SEEK_END)
        byte = file.read(1)[0]
        file.seek(-1, io.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 9)


def cut_and_keep_the_time(path: Path) -> None:
    status = path.stat()
    cut(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def small_cache(tmp_path) -> Path:
    """A whole cache as far as names, sizes, times and checksums go."""
    folder = tmp_path / "cache"
    folder.mkdir()
    files = {}
    for name in ARRAYS:
        np.save(folder / name, np.arange(1_000))
        status = (folder / name).stat()
        files[name] = {
            "bytes": status.st_size,
            "mtime_ns": status.st_mtime_ns,
            "sha256": sha256_of(folder / name),
        }
    stamp = {"version": cache.VERSION, "split": data.SPLIT_SHA256, "files": files}
    write_json(folder / "stamp.json", stamp)
    assert cache.intact(folder, thorough=True)
    return folder


def edit_stamp(**changes):
    def edit(path: Path) -> None:
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return edit


DAMAGES = {
    "flipped byte": ("val-images.npy", flip_byte),
    "truncated": ("val-images.npy", cut),
    "truncated long ago": ("val-images.npy", cut_and_keep_the_time),
    "missing": ("val-fine.npy", Path.unlink),
    "stamp missing": ("stamp.json", Path.unlink),
    "stamp truncated": ("stamp.json", cut),
    "stamp of something else": ("stamp.json", lambda path: path.write_text("[1]")),
    "files not in the stamp": ("stamp.json", edit_stamp(files={})),
    "another split": ("stamp.json", edit_stamp(split="0" * 64)),
    "another version": ("stamp.json", edit_stamp(version=0)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_cache_is_noticed(small_cache, damage):
    name, harm = DAMAGES[damage]
    harm(small_cache / name)
    assert not cache.intact(small_cache)


def test_copied_cache_is_checked_once_and_kept(small_cache, monkeypatch):
    for name in ARRAYS:
        os.utime(small_cache / name, (1, 1))
    hashed = []
    monkeypatch.setattr(
        cache, "sha256_of", lambda path: hashed.append(path) or sha256_of(path)
    )
    assert cache.intact(small_cache)
    assert len(hashed) == len(ARRAYS)
    assert cache.intact(small_cache)
    assert len(hashed) == len(ARRAYS)


@pytest.mark.data
@pytest.mark.parametrize("harm", [flip_byte, cut])
def test_damaged_cache_is_rebuilt(own_cache, official, monkeypatch, harm):
    monkeypatch.setenv("CIFAR100_SOURCE", str(official))
    path = own_cache / "val-images.npy"
    before = path.read_bytes()
    harm(path)
    data.load("val")
    assert path.read_bytes() == before


@pytest.mark.data
def test_damage_that_keeps_size_and_time_is_found_by_prepare(
    own_cache, official, home, monkeypatch
):
    (home / "data").mkdir()
    (home / "data" / FOLDER).symlink_to(official)
    path = own_cache / "val-images.npy"
    before, status = path.read_bytes(), path.stat()
    flip_byte(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert data.prepare() == home / "data" / FOLDER
    assert path.read_bytes() == before


@pytest.mark.data
def test_file_with_one_altered_byte_is_refused_at_full_size(official, home):
    folder = home / "data" / FOLDER
    shutil.copytree(official, folder)
    content = bytearray((folder / "test").read_bytes())
    content[len(content) // 4] ^= 1
    (folder / "test").write_bytes(content)
    line = one_line(UserError, data.load, "test")
    assert line.startswith(f"{folder / 'test'} is altered: sha256 of the pixels is ")
    assert f"expected {CHECKSUMS['test'].pixels[:16]}…" in line
    assert not (home / ".cache" / "data" / "stamp.json").exists()
