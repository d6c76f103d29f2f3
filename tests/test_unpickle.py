"""Pickles of strangers: read when they are data, refused when they are programs."""

import builtins
import io
import os
import pickle
import struct
import sys
import tracemalloc
from typing import ClassVar

import numpy as np
import pytest

from cifar100.class_names import COARSE_NAMES, FINE_NAMES
from cifar100.errors import UserError
from cifar100.unpickle import read_pickle

PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 6)


class Python2Pickler(pickle._Pickler):
    """Spells bytes as Python 2 spelled its str, and NumPy's module as NumPy 1 did."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value):
        if len(value) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(value)]) + value)
        else:
            self.write(pickle.BINSTRING + struct.pack("<i", len(value)) + value)
        self.memoize(value)

    dispatch[bytes] = save_bytes


class ShellCall:
    """Pickles as a call of os.system."""

    def __reduce__(self):
        return os.system, ("echo gotcha",)


# Made here, before the fixture below replaces what they call.
SHELL_CALLS = [pickle.dumps({"data": ShellCall()}, protocol) for protocol in range(6)]
SYSTEM = os.system.__module__  # posix or nt


def python2_pickle(value) -> bytes:
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump(value)
    return file.getvalue().replace(b"numpy._core.", b"numpy.core.")


@pytest.fixture
def refused(tmp_path):
    """Write a payload and return the one line that it is refused with."""

    def read(payload: bytes) -> str:
        path = tmp_path / "train"
        path.write_bytes(payload)
        with pytest.raises(UserError) as caught:
            read_pickle(path)
        line = str(caught.value)
        assert line.startswith(str(path))
        assert "\n" not in line
        assert "cifar100 data" in line
        return line

    return read


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch):
    """Fail if a payload gets through to what it is after."""

    def ran(*arguments):
        pytest.fail(f"a payload was executed with {arguments}")

    targets = (os, "system"), (sys.modules[SYSTEM], "system"), (builtins, "eval")
    for module, name in targets:
        monkeypatch.setattr(module, name, ran)


def test_python2_file_of_the_official_kind_is_read(tmp_path):
    batch = {b"data": PIXELS, b"fine_labels": [3, 200], b"filenames": [b"a.png" * 60]}
    payload = python2_pickle(batch)
    assert b"cnumpy.core.multiarray\n_reconstruct" in payload
    (tmp_path / "train").write_bytes(payload)
    content = read_pickle(tmp_path / "train")
    assert list(content) == ["data", "fine_labels", "filenames"]
    np.testing.assert_array_equal(content["data"], PIXELS)
    assert content["fine_labels"] == [3, 200]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("key", ["data", b"data"])
@pytest.mark.parametrize("array", [PIXELS, PIXELS.T, PIXELS.astype(">i4"), PIXELS[:1]])
def test_arrays_of_all_protocols_are_read_as_numpy_reads_them(
    tmp_path, protocol, key, array
):
    (tmp_path / "train").write_bytes(pickle.dumps({key: array}, protocol))
    content = read_pickle(tmp_path / "train")
    np.testing.assert_array_equal(content["data"], array)
    assert content["data"].dtype == array.dtype


def test_numpy_scalars_are_read_as_int(tmp_path):
    labels = [np.uint8(7), np.int64(300)]
    (tmp_path / "train").write_bytes(pickle.dumps({"fine_labels": labels}, 4))
    assert read_pickle(tmp_path / "train")["fine_labels"] == [7, 300]


@pytest.mark.parametrize("payload", SHELL_CALLS)
def test_call_of_the_shell_is_refused(refused, payload):
    assert f"{SYSTEM}.system" in refused(payload)


@pytest.mark.parametrize(
    ("payload", "culprit"),
    [
        (b"cos\nsystem\n(S'echo gotcha'\ntR.", "os.system"),
        (b"cposix\nsystem\n(S'echo gotcha'\ntR.", "posix.system"),
        (b"cbuiltins\neval\n(S'1+1'\ntR.", "builtins.eval"),
        (b"c__builtin__\neval\n(S'1+1'\ntR.", "__builtin__.eval"),
        (b"cbuiltins\ngetattr\n.", "builtins.getattr"),
        (b"cnumpy.core.multiarray\nfromfile\n.", "multiarray.fromfile"),
        (b"cnumpy\nload\n.", "numpy.load"),
        # protocol 4 walks dots: numpy.f2py.os.system, and out of a module that is known
        (b"\x80\x04\x8c\x05numpy\x8c\x0ff2py.os.system_\x93.", None),
        (b"\x80\x04\x8c\x05numpy\x8c\x0edtype.__init__\x93.", "dtype.__init__"),
        (b"\x80\x04\x8c\x07_codecs\x8c\x0fencode.__self__\x93.", "encode.__self__"),
        # the three other ways to make an object
        (b"(S'echo gotcha'\nios\nsystem\n.", None),
        (b"(cos\nsystem\nS'echo gotcha'\no.", "os.system"),
        (b"\x80\x02cos\nsystem\nU\x04echo\x85\x81.", "os.system"),
    ],
)
def test_name_that_is_not_data_is_refused(refused, payload, culprit):
    line = refused(payload)
    assert culprit is None or culprit in line


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"\x80\x02\x82\x01.", "damaged"),  # extension registry
        (b"Pid\n.", "damaged"),  # persistent id
        (b"\x80\x05\x97.", "damaged"),  # out-of-band buffer
        (b"\x80\x02cnumpy\ndtype\n(U\x02O8K\x00K\x01tR.", "not of integers"),
        (b"\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00xU\x03hextR.", "encoding"),
        (b"}", "truncated"),
        (b"", "truncated"),
        (b"K\x01.", "does not hold a dict"),
        (b"\x89PNG\r\n", "damaged"),
    ],
    ids=repr,
)
def test_other_tricks_and_rubbish_are_refused(refused, payload, complaint):
    assert complaint in refused(payload)


@pytest.mark.parametrize(
    "state", [b"}U\x08functionK\x01s", b"N}U\x08functionK\x01s\x86"]
)
@pytest.mark.parametrize("name", [b"_codecs\nencode", b"numpy\ndtype"])
def test_pickle_cannot_change_the_reader(refused, name, state):
    line = refused(b"\x80\x02c" + name + b"\n" + state + b"b.")
    assert "tries to change the program" in line


@pytest.mark.parametrize(
    "payload",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.",  # bytes
        b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b"abc.",  # text
        b"\x80\x05\x96" + struct.pack("<Q", 2**28) + b"abc.",  # bytearray
        b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"abc.",  # frame
        b"\x80\x02T" + struct.pack("<i", 2**31 - 1) + b"abc.",  # Python 2's str
        b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"abc.",  # long integer
        b"\x80\x02K\x01r" + struct.pack("<I", 2**32 - 1) + b".",  # place in the memo
    ],
    ids=["bytes", "text", "bytearray", "frame", "str", "long", "memo"],
)
def test_huge_declared_length_takes_no_memory(refused, payload):
    tracemalloc.start()
    try:
        refused(payload)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


def test_array_that_declares_more_than_it_holds_is_refused(refused):
    payload = pickle.dumps({"data": PIXELS}, 4)
    assert payload.count(b"K\x04K\x06\x86") == 1
    line = refused(payload.replace(b"K\x04K\x06\x86", b"K\xffK\xff\x86"))
    assert "declares an array of shape (255, 255), but holds another" in line


def test_truncated_file_says_so(refused):
    payload = pickle.dumps({"data": PIXELS, "fine_labels": [1, 2]}, 2)
    for length in range(2, len(payload)):
        line = refused(payload[:length])
        assert "truncated" in line or "damaged" in line
    assert f"truncated ({length} bytes)" in line


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"train is missing; .*cifar100 data"):
        read_pickle(tmp_path / "train")


def test_file_far_too_large_is_not_read(refused, monkeypatch):
    monkeypatch.setattr("cifar100.unpickle.LARGEST_FILE", 10)
    assert "too large (60 bytes)" in refused(bytes(60))


@pytest.mark.data
def test_names_are_those_of_meta(official):
    content = read_pickle(official / "meta")
    assert tuple(name.decode() for name in content["fine_label_names"]) == FINE_NAMES
    assert (
        tuple(name.decode() for name in content["coarse_label_names"]) == COARSE_NAMES
    )
