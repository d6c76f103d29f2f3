"""Readers of what strangers wrote: any bytes give what they should, or one line."""

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from cifar100 import records, weights
from cifar100.archive import unpack
from cifar100.errors import UserError
from cifar100.experiments import get
from cifar100.npz import read_npz
from cifar100.official import FILES, FOLDER, Checksums, read_batch
from cifar100.packing import read_pack
from cifar100.pictures import read_picture
from cifar100.torch_pickle import read_tensors
from cifar100.training import checkpoint
from cifar100.unpickle import read_pickle

quick = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PIXELS = np.arange(2 * 3072, dtype=np.uint8).reshape(2, 3072)
BATCH = {b"data": PIXELS, b"fine_labels": [1, 2], b"coarse_labels": [3, 4]}


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """Any bytes, or those of a file in which some were changed, lost or added."""
    places = st.integers(0, len(whole) - 1)
    edit = st.tuples(places, st.binary(max_size=3), st.integers(0, 4))

    def edited(edits, end):
        content = bytearray(whole)
        for place, new, old in edits:
            content[place : place + old] = new
        return bytes(content[:end])

    ends = st.one_of(st.just(len(whole) + 20), places)
    few = st.builds(edited, st.lists(edit, max_size=6), ends)
    return st.one_of(few, few, st.binary(max_size=200))


def bytes_of(write, *arguments, **options) -> bytes:
    buffer = io.BytesIO()
    write(buffer, *arguments, **options)
    return buffer.getvalue()


def tar_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def picture_of(kind, mode="RGB") -> bytes:
    generator = np.random.default_rng(1)
    image = Image.fromarray(generator.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    return bytes_of(image.convert(mode).save, kind)


RECORD = {"schema": 1, "experiment": "simple_cnn", "id": "x", "seed": 0, "metrics": {}}
PICKLES = [pickle.dumps(BATCH, protocol) for protocol in (0, 2, 4)]
NPZ = bytes_of(np.savez_compressed, a=np.arange(9), b=np.ones((2, 3), "<f2"))
TAR = tar_of({f"{FOLDER}/{name}": name.encode() * 30 for name in FILES})
PICTURES = {
    **{kind: picture_of(kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF")},
    **{"BMP": picture_of("BMP"), "PPM": picture_of("PPM"), "ICO": picture_of("ICO")},
    **{"PNG with alpha": picture_of("PNG", "RGBA"), "grey": picture_of("PNG", "L")},
}


def one_line(path, read):
    """What `read` gives of `path`; None for a refusal, in a line that names it."""
    try:
        return read(path)
    except UserError as error:
        line = str(error)
    assert "\n" not in line
    assert str(path) in line
    return None


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize("whole", PICKLES, ids=["protocol 0", "2", "4"])
def test_a_pickle_is_a_dict_or_refused(file, whole):
    @quick
    @given(damaged(whole))
    def holds(content):
        file.write_bytes(content)
        found = one_line(file, read_pickle)
        assert found is None or type(found) is dict

    holds()


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=8,
)


@quick
@given(st.fixed_dictionaries({key: VALUES | st.just(v) for key, v in BATCH.items()}))
@example({**BATCH, b"fine_labels": [1, [2]]})
@example({**BATCH, b"fine_labels": ["x" * 1000, 2]})
def test_a_batch_of_odd_values_is_refused(tmp_path_factory, batch):
    path = tmp_path_factory.getbasetemp() / "batch"
    path.write_bytes(pickle.dumps(batch, 4))
    assert one_line(path, lambda p: read_batch(p, Checksums(2, "", ""))) is None


def test_a_batch_of_lists_in_lists_takes_no_memory(file):
    """Forty lines that stand for 2^40 numbers."""
    value = [0, 1]
    for _ in range(40):
        value = [value, value]
    file.write_bytes(pickle.dumps({**BATCH, b"fine_labels": value}, 4))
    with pytest.raises(UserError, match="no usable 'fine_labels'"):
        read_batch(file, Checksums(2, "", ""))


def test_an_archive_is_unpacked_or_refused(tmp_path):
    target = tmp_path / "deep" / "target"
    target.mkdir(parents=True)

    @quick
    @given(damaged(TAR))
    def holds(content):
        path = tmp_path / "a.tar.gz"
        path.write_bytes(gzip.compress(content, 1))
        one_line(path, lambda p: unpack(p, target))
        outside = [p for p in tmp_path.rglob("*") if p.is_file() and p != path]
        inside = {f"deep/target/{FOLDER}/{name}" for name in FILES}
        assert {p.relative_to(tmp_path).as_posix() for p in outside} <= inside

    holds()


@quick
@given(damaged(gzip.compress(TAR, 1)))
def test_a_damaged_gzip_is_refused_or_as_it_was(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "unpacked"
    folder.mkdir(exist_ok=True)
    path = folder / "a.tar.gz"
    path.write_bytes(content)
    one_line(path, lambda p: unpack(p, folder))


@quick
@given(damaged(pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)))
def test_weights_of_pytorch_are_tensors_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "weights.pth"
    path.write_bytes(content)
    found = one_line(path, read_tensors)
    assert found is None or all(type(x) is np.ndarray for x in found.values())


@quick
@given(damaged(NPZ))
def test_arrays_are_arrays_or_refused(content):
    found, line = {}, ""
    try:
        found = read_npz(content, largest=10_000)
    except ValueError as error:
        line = str(error)
    assert "\n" not in line
    assert all(type(array) is np.ndarray for array in found.values())


@quick
@given(
    damaged(json.dumps(RECORD).encode())
    | st.recursive(VALUES, lambda v: st.dictionaries(st.text(max_size=3), v)).map(
        lambda value: json.dumps(RECORD | {"metrics": value}).encode()
    )
)
def test_a_record_is_one_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "seed-0.json"
    path.write_bytes(content)
    assert one_line(path, records.read) is None  # much is lacking


@quick
@given(damaged(NPZ))
def test_predictions_are_arrays_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "seed-0.val.npz"
    path.write_bytes(content)
    found = one_line(path, records.read_arrays)
    assert found is None or all(type(x) is np.ndarray for x in found.values())


def packed() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("records/simple_cnn/seed-0.json", json.dumps(RECORD))
        archive.writestr("records/simple_cnn/seed-0.val.npz", NPZ)
    return buffer.getvalue()


@quick
@given(damaged(packed()))
def test_a_pack_holds_records_or_is_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "visit.zip"
    path.write_bytes(content)
    found = one_line(path, read_pack) or {}
    assert all(name == "simple_cnn" for name, _ in found)


@quick
@given(damaged(json.dumps({"schema": 1, "temperature": 1.0}).encode()))
def test_facts_of_a_network_are_a_dict_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "network.json"
    path.write_bytes(content)
    known = one_line(path, lambda p: weights.facts(str(p.with_suffix(".npz"))))
    assert known is None  # much is lacking


@quick
@given(st.dictionaries(st.sampled_from(sorted(get("lenet5").settings)), VALUES))
def test_settings_of_a_network_are_an_experiment_or_refused(odd):
    known = {"experiment": "x", "id": "0", "settings": get("lenet5").settings | odd}
    with pytest.raises((ValueError, UserError)):
        weights.experiment_of(known)


def test_a_checkpoint_is_whole_or_none(tmp_path):
    path = tmp_path / "run.checkpoint"
    checkpoint.save(path, {"a": np.arange(5)}, {"epoch": 3})
    whole = path.read_bytes()

    @quick
    @given(damaged(whole))
    def holds(content):
        path.write_bytes(content)
        assert (checkpoint.load(path) is not None) == (content == whole)

    holds()


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_is_seen_or_refused(file, kind):
    @settings(quick, max_examples=25)
    @given(damaged(PICTURES[kind]))
    def holds(content):
        file.write_bytes(content)
        view = one_line(file, read_picture)
        assert view is None or (view.shape, view.dtype) == ((32, 32, 3), np.uint8)

    holds()
