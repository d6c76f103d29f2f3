"""Read weights that PyTorch saved, without PyTorch and without trusting the file.

PyTorch's files of before 2020 are five pickles in a row (a magic number, a version, the
machine, the tensors, the names of their storages), then the numbers of each storage:
`torch.serialization._legacy_save`. As in `unpickle`, the names that such a file needs
are stand-ins, and every other one is refused: nothing in it is ever executed.
"""

import math
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from cifar100.errors import UserError
from cifar100.unpickle import Call, RefusedError, Unpickler, bounded

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
LARGEST_FILE = 64 * 2**20  # bytes; the largest that the course reads has 25 million
STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class _Storage(NamedTuple):
    """A run of numbers, which follow at the end of the file."""

    key: str
    dtype: str
    count: int


class _Tensor(NamedTuple):
    """A view of a storage; `strides` count numbers, not bytes."""

    storage: _Storage
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Dict(dict):
    """Stand-in for an OrderedDict; PyTorch hangs metadata on it, which nobody needs."""

    __slots__ = ()

    def __setstate__(self, state):
        pass


def _rebuild_tensor(storage, offset, shape, strides, requires_grad, hooks) -> _Tensor:
    """Stand-in for `torch._utils._rebuild_tensor_v2`; the numbers come later."""
    whole = (offset, *shape, *strides)
    if not isinstance(storage, _Storage) or any(type(n) is not int for n in whole):
        raise RefusedError("holds a tensor that is none")
    reach = sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    fits = min((0, *shape, *strides)) == 0 and reach < storage.count
    if offset != 0 or not fits or math.prod(shape) > storage.count:
        raise RefusedError(f"declares a tensor of shape {shape}, but holds another")
    return _Tensor(storage, tuple(shape), tuple(strides))


KNOWN = {
    ("collections", "OrderedDict"): Call(_Dict),
    ("torch._utils", "_rebuild_tensor_v2"): Call(_rebuild_tensor),
    # Only ever named, never called.
    **{("torch", name): dtype for name, dtype in STORAGES.items()},
}


class _TorchUnpickler(Unpickler):
    known = KNOWN

    def persistent_load(self, identity):
        kind, dtype, key, _device, count, view = identity
        known = kind == "storage" and dtype in STORAGES.values() and view is None
        if not known or type(key) is not str or type(count) is not int:
            raise RefusedError("holds a storage of an unknown kind")
        return _Storage(key, dtype, count)


def _tensors(file: BinaryIO, size: int) -> dict[str, np.ndarray]:
    source = bounded(file, size)
    if file.read(2) != b"\x80\x02":
        raise RefusedError("is not a file of PyTorch before 1.6")
    file.seek(0)
    magic, version, machine, content, keys = (
        _TorchUnpickler(source).load() for _ in range(5)
    )
    if (magic, version, machine.get("little_endian")) != (MAGIC, VERSION, True):
        raise RefusedError("is not a file of PyTorch before 1.6")
    if not all(isinstance(tensor, _Tensor) for tensor in content.values()):
        raise RefusedError("holds more than tensors")
    kinds = {tensor.storage.key: tensor.storage for tensor in content.values()}
    numbers = {key: _numbers(source.read, kinds[key]) for key in keys}
    if file.read(1):
        raise RefusedError("goes on where it should end")
    return {name: _view(tensor, numbers) for name, tensor in content.items()}


def _numbers(read: Callable[[int], bytes], storage: _Storage) -> np.ndarray:
    (count,) = struct.unpack("<q", read(8))
    if count != storage.count:
        raise RefusedError(f"holds {count} numbers where it declared {storage.count}")
    return np.frombuffer(read(count * np.dtype(storage.dtype).itemsize), storage.dtype)


def _view(tensor: _Tensor, numbers: dict[str, np.ndarray]) -> np.ndarray:
    flat = numbers[tensor.storage.key]
    strides = [step * flat.itemsize for step in tensor.strides]
    view = np.lib.stride_tricks.as_strided(flat, tensor.shape, strides, writeable=False)
    return np.ascontiguousarray(view).reshape(tensor.shape)  # which a scalar loses


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors in `path` by their names: float32 and int64 arrays, C order.

    Raises UserError, in one line that names the file, when it is missing, truncated, or
    anything but tensors.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > LARGEST_FILE:
                raise RefusedError(f"is too large ({size:,} bytes)")
            return _tensors(file, size)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except EOFError:
        raise UserError(f"{path} is truncated") from None
    except RefusedError as error:
        raise UserError(f"{path} {error}") from None
    except Exception as error:  # whatever odd bytes make the machine stumble over
        reason = type(error).__name__
        raise UserError(f"{path} is damaged ({reason})") from None
