"""Packed records come home whole and checked; what is no pack changes nothing."""

import json
import os
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from cifar100 import packing, paths, records
from cifar100.errors import UserError
from cifar100.experiments import EXPERIMENTS, get
from cifar100.files import write_json
from cifar100.merging import unpack
from cifar100.packing import LARGEST_PART, Pack, read_pack
from tests.packed_records import standing, store
from tests.run_facts import METRICS

# Packing


def test_what_is_packed_is_merged_byte_by_byte(packed, at):
    def fill():
        store("simple_cnn", kind="gpu")
        store("lenet5", 2, kind="gpu")

    merge = unpack([packed(fill)])
    assert (merge.merged, merge.standing, merge.problems) == (2, 0, [])
    names = sorted(path.relative_to(paths.records()) for path in _files())
    here = [(paths.records() / name).read_bytes() for name in names]
    at("away visit")
    assert here == [(paths.records() / name).read_bytes() for name in names]
    assert len(names) == 6


def _files():
    return [path for path in paths.records().rglob("*") if path.is_file()]


def test_a_second_call_brings_everything_again_with_the_same_bytes(at, tmp_path):
    store("simple_cnn")
    path = tmp_path / "visit.zip"
    Pack(path, paths.records()).update()
    store("lenet5")
    Pack(path, paths.records()).update()
    first = Pack(tmp_path / "third.zip", paths.records())
    first.update()
    assert read_pack(tmp_path / "visit-1.zip").keys() == {
        ("simple_cnn", 0),
        ("lenet5", 0),
    }
    whole = (tmp_path / "third-1.zip").read_bytes()
    assert whole == (tmp_path / "visit-1.zip").read_bytes()


def test_stale_records_and_demonstrations_stay_behind(at, tmp_path):
    store("simple_cnn", id="0" * 12)
    write_json(paths.records() / "demonstrations" / "two_loops.json", {})
    Pack(tmp_path / "visit.zip", paths.records()).update()
    assert list(tmp_path.glob("visit*")) == []


def large(seed, size=3 * 2**20):
    """A record whose two files of predictions have `size` bytes each."""
    record = store("simple_cnn", seed)
    for split in records.SPLITS:
        content = np.random.default_rng(seed).bytes(size)
        record.predictions_path(split).write_bytes(content)


def test_parts_stay_within_16_mib_and_full_ones_are_not_touched(at, tmp_path):
    pack = Pack(tmp_path / "visit.zip", paths.records())
    for seed in range(3):
        large(seed)
        pack.update()
    first, second = (tmp_path / f"visit-{n}.zip" for n in (1, 2))
    written = first.stat().st_mtime_ns, first.stat().st_ino
    for seed in range(3, 5):
        large(seed)
        pack.update()
    assert (first.stat().st_mtime_ns, first.stat().st_ino) == written
    parts = sorted(tmp_path.glob("visit-*.zip"))
    assert [p.name for p in parts] == ["visit-1.zip", "visit-2.zip", "visit-3.zip"]
    found = [key for part in parts for key in read_pack(part)]
    assert found == [("simple_cnn", seed) for seed in range(5)]
    sizes = [part.stat().st_size for part in parts]
    assert max(sizes) <= LARGEST_PART
    assert second.stat().st_size > LARGEST_PART / 2


def test_the_size_of_an_archive_is_known_before_it_is_written(at, tmp_path):
    store("simple_cnn")
    store("lenet5", 2)
    pack = Pack(tmp_path / "visit.zip", paths.records())
    pack.update()
    size = (tmp_path / "visit-1.zip").stat().st_size
    assert packing._size(pack.members) == size


def test_a_part_is_whole_when_its_writer_is_killed(at, tmp_path, monkeypatch):
    pack = Pack(tmp_path / "visit.zip", paths.records())
    store("simple_cnn")
    pack.update()

    def killed(*_):
        raise KeyboardInterrupt

    store("lenet5")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            pack.update()
    assert read_pack(tmp_path / "visit-1.zip").keys() == {("simple_cnn", 0)}


@pytest.mark.parametrize("name", [".", "file/visit.zip"])
def test_a_place_that_cannot_be_written_is_refused_at_once(at, tmp_path, name):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"folder"):
        Pack(tmp_path / name, paths.records())


# What is no pack


def refused(path, words):
    """`unpack` refuses the file in one line and writes nothing."""
    with pytest.raises(UserError, match=words) as caught:
        unpack([path])
    assert "\n" not in str(caught.value)
    assert not paths.records().exists()


@pytest.mark.parametrize("kept", [0, 10, 0.5, -1])
def test_a_pack_that_was_cut_off_is_refused(packed, kept):
    path = packed(lambda: store("simple_cnn"))
    content = path.read_bytes()
    kept = int(len(content) * kept) if isinstance(kept, float) else kept
    path.write_bytes(content[:kept])
    refused(path, "not a whole pack")


def test_a_flipped_byte_is_found_by_the_archive(packed):
    path = packed(lambda: store("simple_cnn"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    refused(path, "not a whole pack")


@pytest.mark.parametrize(
    "name",
    [
        "../records/simple_cnn/seed-0.json",
        "/records/simple_cnn/seed-0.json",
        "records/../simple_cnn/seed-0.json",
        "records/simple_cnn/../../seed-0.json",
        "records/simple_cnn/seed-0.py",
        "records/simple_cnn/seed-00.json",
        "records/simple_cnn/seed--1.json",
        "records/simple_cnn/seed-0.json\n",
        "records/no_such_experiment/seed-0.json",
        "records/simple_cnn/",
        "README",
    ],
)
def test_a_foreign_name_refuses_the_whole_pack(packed, name):
    path = packed(lambda: store("simple_cnn"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "{}")
    refused(path, "which is of no record")


def test_compressed_doubled_and_large_members_refuse_the_whole_pack(at, tmp_path):
    path, name = tmp_path / "visit-1.zip", "records/simple_cnn/seed-0.json"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, " " * 10**6)
    refused(path, "packs are not")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "{}")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(name, "{}")
    refused(path, "twice")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, " " * (packing.LARGEST_MEMBER + 1))
    refused(path, "larger than 4 MiB")
    path.write_bytes(bytes(LARGEST_PART + 1))
    refused(path, "larger than 16 MiB")


def test_one_damaged_pack_keeps_the_others_from_being_merged(packed, tmp_path):
    good = packed(lambda: store("simple_cnn"))
    (tmp_path / "bad.zip").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"bad\.zip is not a whole pack"):
        unpack([good, tmp_path / "bad.zip"])
    assert not paths.records().exists()


# What is no evidence


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"clean": False}, "changes that were not committed"),
        ({"clean": 1}, "clean lacking, or not as a record has it"),
        ({"schema": 99}, "schema 99 is unknown"),
        ({"profile": "quick"}, "profile quick is no evidence"),
        ({"seed": 1}, "does not belong"),
        ({"experiment": "lenet5", "id": get("lenet5").id}, "does not belong"),
        ({"settings": {}}, "settings do not give its id"),
        (
            {"device": {"kind": "abacus", "name": "x"}},
            "device kind 'abacus' is unknown",
        ),
        ({"device": 3}, "device lacking"),
        ({"experiment": ["simple_cnn"]}, "experiment lacking"),
        ({"sha256": {"split_index": "0"}}, "another train/val split"),
        ({"metrics": METRICS | {"val_top1": 0.99}}, "val_top1 is stored as 0.99"),
        ({"metrics": {}}, "metrics lacking"),
    ],
    ids=lambda value: json.dumps(value)[:30] if isinstance(value, dict) else "",
)
def test_what_does_not_hold_is_refused_alone(packed, changes, reason):
    path = packed(lambda: (store("simple_cnn"), store("lenet5")))
    rewrite(path, "simple_cnn", changes)
    merge = unpack([path])
    assert (merge.merged, merge.refused) == (1, 1)
    (problem,) = merge.problems
    assert problem.startswith("simple_cnn, seed 0: ")
    assert reason in problem
    assert "\n" not in problem
    assert str(paths.root()) not in problem
    assert standing() == {("lenet5", 0): "cpu"}


def rewrite(path, name, changes=None, *, drop=None):
    """Change the JSON of one record in a pack, or drop one of its files."""
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    key = f"records/{name}/seed-0.json"
    members[key] = json.dumps(json.loads(members[key]) | (changes or {})).encode()
    members.pop(f"records/{name}/seed-0.{drop}", None)
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)


@pytest.mark.parametrize("ending", ["json", "val.npz", "test.npz"])
def test_a_record_that_lacks_a_file_is_refused(packed, ending):
    path = packed(lambda: store("simple_cnn"))
    rewrite(path, "simple_cnn", drop=ending)
    (problem,) = unpack([path]).problems
    assert "No such file" in problem or "is missing" in problem
    assert str(paths.root()) not in problem
    assert standing() == {}


def test_predictions_that_are_not_those_of_the_record_are_refused(packed):
    path = packed(lambda: store("simple_cnn"))
    digests = store("simple_cnn").data["sha256"] | {"test.npz": "0" * 64}
    records.path_of(get("simple_cnn"), 0).unlink()
    rewrite(path, "simple_cnn", {"sha256": digests})
    (problem,) = unpack([path]).problems
    assert "seed-0.test.npz was changed" in problem


def test_a_record_of_settings_that_have_changed_since_is_stale(packed, monkeypatch):
    path = packed(lambda: store("simple_cnn"))
    changed = replace(get("simple_cnn"), epochs=3)
    monkeypatch.setitem(EXPERIMENTS, "simple_cnn", changed)
    (problem,) = unpack([path]).problems
    assert "stale" in problem
    assert standing() == {}


def test_rehearsal_records_go_to_a_folder_of_their_own(packed):
    def fill():
        for seed in range(2):
            store("simple_cnn", seed, kind="gpu", profile="smoke")

    path = packed(fill, folder=paths.rehearsal)
    store("simple_cnn")
    for _ in range(2):
        merge = unpack([path, path])
        assert merge.problems == []
        assert merge.summary().endswith("2 rehearsal records, no evidence")
    assert len(list(paths.rehearsal().glob("simple_cnn/seed-*.json"))) == 2
    assert standing() == {("simple_cnn", 0): "cpu"}
