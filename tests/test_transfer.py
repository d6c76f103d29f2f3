"""EfficientNet-Lite is keras_cv's, sees the pixels it should, and freezes in parts."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from cifar100 import data
from cifar100.errors import UserError
from cifar100.experiments import Experiment
from cifar100.models import build, cost
from cifar100.models.transfer import SCALING, depths, efficientnet_lite

GENERATOR = np.random.default_rng(0)
PIXELS = GENERATOR.integers(0, 256, (4, 32, 32, 3)).astype("float32")
IMAGES = ((PIXELS / 255 - data.MEAN) / data.STD).astype("float32")
PUBLISHED = {0: (4.7, 407), 1: (5.4, None), 2: (6.1, None)}  # tensorflow/tpu's README


@functools.cache
def network(num_classes=100, **arguments):
    """A network by its arguments; tests only look at it."""
    return efficientnet_lite(num_classes, **arguments)


@pytest.fixture(scope="module")
def theirs():
    """keras_cv's backbone for a variant and an image size."""
    backbones = pytest.importorskip("keras_cv").models

    def backbone(variant, size):
        width, depth = SCALING[variant]
        return backbones.EfficientNetLiteBackbone(
            include_rescaling=False,
            width_coefficient=width,
            depth_coefficient=depth,
            stackwise_kernel_sizes=[3, 3, 5, 3, 5, 5, 3],
            stackwise_num_repeats=[1, 2, 2, 3, 3, 4, 1],
            stackwise_input_filters=[32, 16, 24, 40, 80, 112, 192],
            stackwise_output_filters=[16, 24, 40, 80, 112, 192, 320],
            stackwise_expansion_ratios=[1, 6, 6, 6, 6, 6, 6],
            stackwise_strides=[1, 2, 2, 2, 1, 2, 1],
            input_shape=(size, size, 3),
        )

    return backbone


def backbone_of(model):
    """From enlarged pixels to the last map, as keras_cv's backbone goes."""
    first = model.get_layer("stem_conv").input
    return keras.Function(first, model.get_layer("features").input)


def weighted(model):
    return [x for x in model.layers if hasattr(x, "kernel") or hasattr(x, "gamma")]


def random_weights(layer):
    """Such that activations neither die nor grow: rounding would grow with them."""
    if hasattr(layer, "gamma"):
        ranges = (0.8, 1.2), (-0.3, 0.3), (-0.3, 0.3), (0.8, 1.2)
        return [GENERATOR.uniform(*each, layer.gamma.shape) for each in ranges]
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    fan_in = np.prod(layer.kernel.shape[: 2 if depthwise else 3])
    return [GENERATOR.normal(0, np.sqrt(1 / fan_in), layer.kernel.shape)]


# The network


@pytest.mark.parametrize(("variant", "size"), [(0, 96), (1, 75), (2, 64)])
def test_backbone_is_that_of_keras_cv_in_layers_and_numbers(theirs, variant, size):
    ours, other = network(variant=variant, image_size=size), theirs(variant, size)
    mine = weighted(ours)[:-1]
    assert [x.name for x in mine] == [x.name for x in weighted(other)]
    for one, two in zip(mine, weighted(other), strict=True):
        assert [w.shape for w in one.weights] == [w.shape for w in two.weights]
        assert getattr(one, "epsilon", 0) == getattr(two, "epsilon", 0)
        assert getattr(one, "momentum", 0) == getattr(two, "momentum", 0)
        values = random_weights(two)
        one.set_weights(values)
        two.set_weights(values)
    classifier = ours.get_layer("logits").count_params()
    assert ours.count_params() - classifier == other.count_params()
    pixels = GENERATOR.uniform(-1, 1, (2, size, size, 3)).astype("float32")
    expected = np.asarray(other(pixels))
    assert expected.std() > 0.1
    assert 0.01 < (expected > 0).mean() < 0.99
    np.testing.assert_allclose(backbone_of(ours)(pixels), expected, atol=1e-4)


@pytest.mark.parametrize("variant", PUBLISHED)
def test_size_is_the_published_one(variant):
    parameters, macs = PUBLISHED[variant]
    model = network(1000, variant=variant, image_size=224)
    assert round(cost.parameters(model) / 1e6, 1) == parameters
    if macs:  # the others are published for more pixels than we give them
        # They count normalisation and ReLU6 too: some 5 % more.
        assert 0.94 < cost.macs(model) / 1e6 / macs < 1


def test_multiply_adds_are_those_counted_by_hand():
    """Lite0 at 224 pixels. A row: side before and after, channels, kernel, times."""
    blocks = [
        (112, 56, 16, 24, 3, 1),
        (56, 56, 24, 24, 3, 1),
        (56, 28, 24, 40, 5, 1),
        (28, 28, 40, 40, 5, 1),
        (28, 14, 40, 80, 3, 1),
        (14, 14, 80, 80, 3, 2),
        (14, 14, 80, 112, 5, 1),
        (14, 14, 112, 112, 5, 2),
        (14, 7, 112, 192, 5, 1),
        (7, 7, 192, 192, 5, 3),
        (7, 7, 192, 320, 3, 1),
    ]
    total = 112**2 * (27 * 32 + 9 * 32 + 32 * 16) + 7**2 * 320 * 1280 + 1280 * 1000
    for before, after, inputs, outputs, kernel, times in blocks:
        wide = 6 * inputs
        expand, filters = before**2 * inputs * wide, after**2 * kernel**2 * wide
        total += times * (expand + filters + after**2 * wide * outputs)
    assert cost.macs(network(1000, image_size=224)) == total


@pytest.mark.parametrize(("size", "side"), [(32, 1), (33, 2), (96, 3)])
def test_map_shrinks_to_a_thirtysecond(size, side):
    model = network(image_size=size)
    assert model.get_layer("features").input.shape[1:] == (side, side, 1280)
    assert model.output.shape == (None, 100)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("size", [32, 33, 96])
def test_backbone_sees_pixels_on_its_scale_enlarged_as_opencv_does(size, compiled):
    """Compiled too: TensorFlow's own op gives other pixels there."""
    model = network(image_size=size)
    first = keras.Model(model.input, model.get_layer("stem_conv").input)
    first.jit_compile = compiled
    grey = (PIXELS - 127) / 128
    expected = [cv2.resize(each, (size, size)) for each in grey]
    np.testing.assert_allclose(first.predict_on_batch(IMAGES), expected, atol=1e-6)


def test_depths_count_from_the_stem_to_the_top():
    model = network()
    found = depths(model)
    assert found["stem_conv"] == found["stem_bn"] == 0
    assert found["block1a_dwconv"] == 1
    assert found["block2a_expand_conv"] == found["block2a_project_bn"] == 2
    assert found["block7a_bn"] == 16
    assert found["top_conv"] == max(found.values()) == 17
    assert set(found) == {x.name for x in weighted(model)} - {"logits"}


# Freezing


def test_frozen_batch_norms_take_their_scale_and_offset_out_of_training():
    norms = [x for x in weighted(network()) if hasattr(x, "gamma")]
    frozen = sum(2 * x.gamma.shape[0] for x in norms)
    assert len(norms) == 49
    left = cost.parameters(network(freeze="batch_norm"))
    assert cost.parameters(network()) - left == frozen


@pytest.mark.parametrize("freeze", ["none", "batch_norm"])
def test_frozen_batch_norms_are_in_inference_mode_while_training(freeze):
    model = efficientnet_lite(image_size=32, freeze=freeze)
    before = [x.moving_mean.numpy() for x in weighted(model) if hasattr(x, "gamma")]
    trained, inferred = model(IMAGES, training=True), model(IMAGES, training=False)
    after = [x.moving_mean.numpy() for x in weighted(model) if hasattr(x, "gamma")]
    alike = np.abs(np.asarray(trained) - np.asarray(inferred)).max() < 1e-5
    kept = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert alike == kept == (freeze != "none")


# How it starts, and what it refuses


def made(seed, **arguments):
    arguments = {"image_size": 33, **arguments}
    return build(
        Experiment(name="x", architecture="efficientnet_lite", arguments=arguments),
        seed,
    )


def test_every_kernel_is_drawn_from_the_seed():
    keras.utils.set_random_seed(1)
    first = made(3)
    keras.utils.set_random_seed(2)
    for one, same, other in zip(
        *(weighted(each) for each in (first, made(3), made(4))), strict=True
    ):
        if hasattr(one, "kernel"):
            np.testing.assert_array_equal(one.kernel, same.kernel)
            assert not np.array_equal(one.kernel, other.kernel)
    for name, fan_out in ("block6b_dwconv", 25), ("top_conv", 1280):
        spread = np.std(first.get_layer(name).kernel)
        assert spread == pytest.approx(np.sqrt(2 / fan_out), rel=0.03)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"variant": 3}, "EfficientNet-Lite3 is none of 0, 1, 2"),
        ({"image_size": 31}, "image_size is 31, not from 32 to 224"),
        ({"image_size": 225}, "image_size is 225"),
        ({"freeze": "stem"}, "'stem' is none of none, batch_norm"),
        ({"image_size": "96"}, "image_size is an integer"),
    ],
)
def test_what_it_is_not_made_for_is_refused_in_one_line(arguments, words):
    with pytest.raises(UserError, match=words) as caught:
        made(0, **arguments)
    assert "\n" not in str(caught.value)


def early(seed):
    """What the first blocks make of IMAGES: all kinds of layers, in little time."""
    model = made(seed)
    last = model.get_layer("block2a_project_bn").output
    return np.asarray(keras.Function(model.input, last)(IMAGES))


def test_both_engines_give_the_same_maps(tmp_path):
    path = tmp_path / "maps.npy"
    code = (
        f"import numpy, tests.test_transfer as t; numpy.save({str(path)!r}, t.early(5))"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        cwd=Path(__file__).parent.parent,
        check=True,
    )
    expected = early(5)
    assert expected.std() > 0.1
    np.testing.assert_allclose(np.load(path), expected, atol=1e-4)
