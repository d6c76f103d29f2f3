"""The data set: its names, where it is looked for, how it comes to its place."""

import http.server
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cifar100 import cache, data, download, paths
from cifar100.errors import DataMissing, UserError, WorkError
from cifar100.official import FOLDER
from tests.raising import one_line


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


def test_half_an_archive_that_keras_left_is_no_data_set(home, tmp_path):
    left = tmp_path / "keras" / "datasets" / f"{FOLDER}.tar.gz"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half of it")
    with pytest.raises(
        DataMissing, match=r"is not a whole archive.*`cifar100 data` gets"
    ):
        data.load("train")
    with pytest.raises(UserError, match="not a whole archive") as caught:
        data.prepare(left)  # asked for: nothing else takes its place
    assert not isinstance(caught.value, DataMissing)


def test_home_that_cannot_be_written_to_is_named(fake, home, monkeypatch):
    (home / "data").write_text("a file where a folder belongs")
    monkeypatch.setattr(data, "verify", lambda _: None)
    line = one_line(WorkError, data.prepare, fake.folder)
    assert f"cannot write to {home / 'data'}" in line
    assert "CIFAR100_HOME" in line


# Placed, with its cache


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


@pytest.mark.data
def test_the_stored_labels_of_val_are_those_of_the_data_set():
    stored = paths.package_root() / "records" / "demonstrations" / "val-labels.json"
    assert json.loads(stored.read_text())["value"] == data.load("val").fine.tolist()
