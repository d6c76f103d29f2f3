"""A writer of PyTorch's old format, made of stand-ins for the names that it spells."""

import io
import pickle
import struct

import numpy as np

from cifar100.torch_pickle import MAGIC, VERSION

CONV = np.arange(2 * 3 * 4 * 5, dtype="float32").reshape(2, 3, 4, 5)
TENSORS = {
    "_conv.weight": CONV,
    "_depthwise_conv.weight": CONV[:, :1],  # with gaps in its storage
    "_bn.weight": np.array([1, 2], "float32"),
    "_bn.running_var": np.array([3, 4], "float32"),
    "_bn.num_batches_tracked": np.array(7),
    "_fc.weight": np.arange(6, dtype="float32").reshape(2, 3).T,
    "_fc.bias": np.array([5, 6, 7], "float32"),
}


class Named:
    """Pickles as the name `module.name`, whether there is such a thing or not."""

    def __init__(self, module, name):
        self.words = module, name


class Stored:
    """Pickles as a persistent id: a storage."""

    def __init__(self, *identity):
        self.identity = identity


class Tensor:
    """Pickles as a call that rebuilds a tensor."""

    def __init__(self, storage, offset, shape, strides):
        self.arguments = storage, offset, shape, strides, False, {}

    def __reduce__(self):
        return REBUILD, self.arguments


class TorchPickler(pickle._Pickler):
    dispatch = dict(pickle._Pickler.dispatch)  # noqa: RUF012

    def persistent_id(self, value):
        return value.identity if isinstance(value, Stored) else None

    def save_named(self, value):
        module, name = value.words
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())

    dispatch[Named] = save_named

    def save_reduce(self, func, args, *rest, **named):
        """As the original, which asks for a function that can be called."""
        self.save(func)
        self.save(args)
        self.write(pickle.REDUCE)


class Call:
    """Pickles as a call of something."""

    def __init__(self, module, name, *arguments):
        self.called = Named(module, name), arguments

    def __reduce__(self):
        return self.called


REBUILD = Named("torch._utils", "_rebuild_tensor_v2")
FLOATS = Named("torch", "FloatStorage")


def dump(value) -> bytes:
    file = io.BytesIO()
    TorchPickler(file, protocol=2).dump(value)
    return file.getvalue()


def torch_file(tensors, *, content=None, end=b"") -> bytes:
    """What PyTorch before 1.6 wrote for these arrays, strides and all."""
    described, numbers = {}, {}
    for key, array in tensors.items():
        flat = array if array.base is None else array.base
        kind = FLOATS if array.dtype == "float32" else Named("torch", "LongStorage")
        storage = Stored("storage", kind, key, "cpu", flat.size, None)
        strides = tuple(step // array.itemsize for step in array.strides)
        described[key] = Tensor(storage, 0, array.shape, strides)
        numbers[key] = struct.pack("<q", flat.size) + flat.tobytes()
    content = described if content is None else content
    head = (MAGIC, VERSION, {"little_endian": True}, content, list(numbers))
    return b"".join([*map(dump, head), *numbers.values(), end])
