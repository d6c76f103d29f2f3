"""Read the data set's pickles without trusting them.

A pickle is a small program: loading one with `pickle.load` can call any function. Here
only the names that a pickled array needs are known, and even those are stand-ins, so
that neither Python's import nor NumPy's own `__setstate__` ever meets the file's bytes.
The official files were written by Python 2 (protocol 2, keys read as bytes); files that
Python 3 wrote (keys as str) are read alike.
"""

import math
import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO, ClassVar

import numpy as np

from cifar100.errors import UserError

REMEDY = "remove it and run `cifar100 data`"
LARGEST_FILE = 256 * 2**20  # bytes; the official `train` has 155 million
NUMBERS = {"u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"}


class RefusedError(Exception):
    """The file is not plain data; the message completes "PATH …"."""


class Call:
    """A function that a pickle may call but not change.

    A pickle can set attributes of whatever it got hold of, a function's defaults
    included, unless the thing has its own `__setstate__`.
    """

    __slots__ = ("function",)

    def __init__(self, function):
        self.function = function

    def __call__(self, *arguments):
        return self.function(*arguments)

    def __setstate__(self, state):
        raise RefusedError("tries to change the program that reads it")


class _Dtype:
    """Stand-in for `numpy.dtype`: integers only."""

    def __init__(self, spec, align=False, copy=False):
        if as_text(spec) not in NUMBERS:
            raise RefusedError(f"holds an array of {spec!r}, not of integers")
        self.value = np.dtype(as_text(spec))

    def __setstate__(self, state):
        if any(part is not None for part in state[2:5]):
            raise RefusedError("holds an array with fields")
        self.value = self.value.newbyteorder(as_text(state[1]))


class _Array:
    """Stand-in for the empty array that a pickle makes first and fills later."""

    def __init__(self, subtype, shape, typecode):
        self.value = None

    def __setstate__(self, state):
        _, shape, dtype, fortran, raw = state
        if math.prod(shape) * dtype.value.itemsize != len(raw):
            raise RefusedError(f"declares an array of shape {shape}, but holds another")
        flat = np.frombuffer(raw, dtype.value)
        self.value = flat.reshape(shape, order="F" if fortran else "C")


def as_text(value: str | bytes) -> str:
    """ASCII text, whichever of the two Pythons pickled it."""
    return value.decode("ascii") if isinstance(value, bytes) else value


def _encode(text: str, encoding: str | bytes) -> bytes:
    """How Python 3 spells bytes in protocol 2."""
    if as_text(encoding) not in ("latin1", "latin-1"):
        raise RefusedError(f"asks for the encoding {encoding!r}")
    return text.encode("latin-1")


def _scalar(dtype: _Dtype, raw: bytes) -> int:
    return int(np.frombuffer(raw, dtype.value, count=1)[0])


KNOWN = {
    ("_codecs", "encode"): Call(_encode),
    ("numpy", "dtype"): Call(_Dtype),
    ("numpy", "ndarray"): "ndarray",  # only ever an argument of _reconstruct
    **{
        (f"numpy.{core}.multiarray", name): call
        for core in ("core", "_core")  # before and since NumPy 2
        for name, call in (("_reconstruct", Call(_Array)), ("scalar", Call(_scalar)))
    },
}


class Unpickler(pickle._Unpickler):
    """The pure Python one: as fast for these files, and its memo is a dict.

    The C one reserves memory for any memo index that the file names: 64 GB in 5 bytes.
    """

    # A bytearray would reserve whatever length the file declares.
    dispatch: ClassVar = dict(pickle._Unpickler.dispatch)
    del dispatch[pickle.BYTEARRAY8[0]]

    known: ClassVar = KNOWN

    def find_class(self, module, name):
        try:
            return self.known[module, name]
        except KeyError:
            raise RefusedError(f"asks for {module}.{name}, which is not data") from None


def bounded(file: BinaryIO, size: int) -> SimpleNamespace:
    """`file`, of `size` bytes, for an unpickler: a read gives all or fails, and never
    reserves more than there is, whatever length the file declares."""

    def read(count: int) -> bytes:
        content = file.read(min(count, size))
        if len(content) < count:
            raise EOFError
        return content

    return SimpleNamespace(read=read, readline=file.readline)


def read_pickle(path: Path) -> dict[str, Any]:
    """The dict in `path`: keys as str, arrays as read-only NumPy arrays.

    Raises UserError, in one line that names the file, when it is missing, truncated, or
    anything but plain data; nothing in it is ever executed.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > LARGEST_FILE:
                raise RefusedError(f"is too large ({size:,} bytes)")
            content = Unpickler(bounded(file, size), encoding="bytes").load()
        if not isinstance(content, dict):
            raise RefusedError("does not hold a dict")
        return {
            as_text(key): value.value if isinstance(value, _Array) else value
            for key, value in content.items()
        }
    except FileNotFoundError:
        raise UserError(
            f"{path} is missing; remove {path.parent} and run `cifar100 data`"
        ) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except EOFError:
        raise UserError(f"{path} is truncated ({size:,} bytes); {REMEDY}") from None
    except RefusedError as error:
        raise UserError(f"{path} {error}; {REMEDY}") from None
    except Exception as error:  # whatever odd bytes make the machine stumble over
        reason = type(error).__name__
        raise UserError(f"{path} is damaged ({reason}); {REMEDY}") from None
