"""The data set: found, verified, split alike for everyone, mapped from its cache."""

import hashlib
import http.server
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cifar100 import cache, data, download, paths
from cifar100.cache import ARRAYS, draw_split
from cifar100.errors import DataMissing, UserError, WorkError
from cifar100.files import sha256_of, write_json
from cifar100.official import CHECKSUMS, FOLDER, read_batch, verify


def one_line(kind: type[Exception], call, *arguments, **named) -> str:
    with pytest.raises(kind) as caught:
        call(*arguments, **named)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(path: Path, **changes) -> None:
    """Pickle a file anew with some of its entries replaced (None: removed)."""
    batch = pickle.loads(path.read_bytes(), encoding="bytes")
    batch |= {key.encode(): value for key, value in changes.items()}
    left = {key: value for key, value in batch.items() if value is not None}
    path.write_bytes(pickle.dumps(left, protocol=4))


# Constants


def test_every_superclass_has_five_classes():
    assert len(data.FINE_NAMES) == 100
    assert list(data.FINE_NAMES) == sorted(data.FINE_NAMES)
    assert len(set(data.COARSE_NAMES)) == 20
    assert np.bincount(data.COARSE_OF_FINE).tolist() == [5] * 20
    assert data.COARSE_OF_FINE.dtype == np.uint8


def test_superclasses_have_the_members_that_the_paper_lists():
    members = {
        "fish": ["aquarium_fish", "flatfish", "ray", "shark", "trout"],
        "people": ["baby", "boy", "girl", "man", "woman"],
        "vehicles_2": ["lawn_mower", "rocket", "streetcar", "tank", "tractor"],
    }
    for name, expected in members.items():
        coarse = data.COARSE_NAMES.index(name)
        fine = np.flatnonzero(coarse == data.COARSE_OF_FINE)
        assert [data.FINE_NAMES[label] for label in fine] == expected


@pytest.mark.parametrize("constant", [data.MEAN, data.STD, data.COARSE_OF_FINE])
def test_constants_cannot_be_changed_by_accident(constant):
    with pytest.raises(ValueError, match="read-only"):
        constant[0] = 0


# Verified reading, on a small data set


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


# Where the data set is looked for


def test_without_the_data_set_load_says_how_to_get_it(home):
    assert data.find() is None
    line = one_line(DataMissing, data.load, "train")
    assert "`cifar100 data`" in line
    assert list(home.iterdir()) == []


def test_mistyped_split_is_named_with_the_nearest(home):
    line = one_line(UserError, data.load, "tset")
    assert "unknown split 'tset'; did you mean 'test'?" in line


def test_sources_are_tried_in_order(fake, fake_archive, home, tmp_path, monkeypatch):
    keras = tmp_path / "keras" / "datasets" / f"{FOLDER}-target" / FOLDER
    shutil.copytree(fake.folder, keras)
    assert data.find() == keras
    monkeypatch.setenv("CIFAR100_SOURCE", str(fake_archive))
    assert data.find() == fake_archive
    shutil.copytree(fake.folder, home / "data" / FOLDER)
    assert data.find() == home / "data" / FOLDER


@pytest.mark.parametrize("level", [0, 1])
def test_source_may_be_the_folder_or_hold_it(fake, home, monkeypatch, level):
    given = [fake.folder, fake.folder.parent][level]
    monkeypatch.setenv("CIFAR100_SOURCE", str(given))
    assert data.find() == fake.folder


@pytest.mark.parametrize(
    "layout",
    [f"{FOLDER}-target/{FOLDER}", FOLDER, f"{FOLDER}/{FOLDER}", f"{FOLDER}_extracted"],
)
def test_all_layouts_of_keras_are_known(fake, home, tmp_path, layout):
    datasets = tmp_path / "keras" / "datasets"
    shutil.copytree(fake.folder, datasets / layout)
    (datasets / f"{FOLDER}.tar.gz").write_bytes(b"half an archive")
    assert data.find() == datasets / layout


def test_archive_of_keras_is_used_where_nothing_is_unpacked(
    fake_archive, home, tmp_path
):
    datasets = tmp_path / "keras" / "datasets"
    datasets.mkdir(parents=True)
    kept = shutil.move(fake_archive, datasets / f"{FOLDER}-target_archive")
    assert data.find() == kept


def test_source_that_holds_nothing_is_named(home, tmp_path, monkeypatch):
    monkeypatch.setenv("CIFAR100_SOURCE", str(tmp_path / "nowhere"))
    line = one_line(UserError, data.load, "val")
    assert f"'{tmp_path / 'nowhere'}'" in line
    assert "CIFAR100_SOURCE" in line


def test_bad_archive_is_named_and_not_its_temporary_copy(
    fake_archive, home, monkeypatch
):
    monkeypatch.setenv("CIFAR100_SOURCE", str(fake_archive))
    line = one_line(UserError, data.load, "val")
    assert line.startswith(f"{fake_archive}: {FOLDER}/test holds")
    assert not list((home / ".cache").glob("unpack-*"))


def test_prepare_names_a_bad_source_and_writes_nothing(fake, home):
    line = one_line(UserError, data.prepare, fake.folder)
    assert line.startswith(f"{fake.folder / 'train'} holds")
    assert not (home / "data" / FOLDER).exists()


def test_prepare_without_network_gives_one_line(home, monkeypatch):
    nobody = "http://127.0.0.1:9/nothing.tar.gz"
    monkeypatch.setattr(download, "OFFICIAL", nobody)
    monkeypatch.setattr(download, "MIRROR", nobody)
    line = one_line(DataMissing, data.prepare, progress=False)
    assert "127.0.0.1: no connection" in line
    assert "CIFAR100_SOURCE" in line


def test_prepare_passes_over_a_bad_copy_that_keras_left(
    fake, home, tmp_path, monkeypatch
):
    shutil.copytree(fake.folder, tmp_path / "keras" / "datasets" / FOLDER)
    asked = []
    monkeypatch.setattr(download, "fetch", lambda *given, **_: asked.append(given))
    monkeypatch.setattr(cache, "build", lambda *_: None)
    data.prepare()
    assert len(asked) == 1


def test_home_that_cannot_be_written_to_is_named(fake, home, monkeypatch):
    (home / "data").write_text("a file where a folder belongs")
    monkeypatch.setattr(data, "verify", lambda _: None)
    line = one_line(WorkError, data.prepare, fake.folder)
    assert f"cannot write to {home / 'data'}" in line
    assert "CIFAR100_HOME" in line


# The real data set


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


@pytest.fixture(scope="module")
def official_archive(official, tmp_path_factory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("archive") / "any-name.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=0) as archive:
        archive.add(official, arcname=FOLDER)
    yield path
    path.unlink()


@pytest.fixture
def mirror(official_archive, home, monkeypatch) -> Iterator[None]:
    """A server on this machine as CIFAR100_MIRROR."""
    folder = official_archive.parent
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/{official_archive.name}"
        monkeypatch.setenv("CIFAR100_MIRROR", address)
        yield
        server.shutdown()


@pytest.mark.data
@pytest.mark.parametrize("kind", ["archive", "download"])
def test_prepare_places_the_data_set_and_its_cache(
    official, official_archive, home, mirror, kind
):
    source = official_archive if kind == "archive" else None
    folder = data.prepare(source, progress=False)
    assert folder == home / "data" / FOLDER
    for name in ("train", "test", "meta"):
        assert (folder / name).read_bytes() == (official / name).read_bytes()
    assert cache.intact(home / ".cache" / "data", thorough=True)
    left = {path.name for path in (home / "data").iterdir()}
    assert left <= {FOLDER, ".download.lock"}


@pytest.mark.data
def test_load_reads_an_archive_and_leaves_it_packed(
    official_archive, home, monkeypatch
):
    monkeypatch.setenv("CIFAR100_SOURCE", str(official_archive))
    assert len(data.load("val").images) == 5_000
    assert not (home / "data").exists()
    assert not list((home / ".cache").glob("unpack-*"))
