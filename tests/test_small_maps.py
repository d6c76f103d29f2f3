"""The faster convolutions have the numbers and gradients of Keras'."""

import keras
import numpy as np
import pytest
from keras import layers

from cifar100.models import small_maps


def outputs_and_gradients(ours, plain, side):
    """Of two layers with one kernel: pairs of outputs, and of gradients by both."""
    import tensorflow as tf

    generator = np.random.default_rng(0)
    images = tf.constant(generator.normal(size=(3, side, side, 6)), tf.float32)
    for layer in (ours, plain):
        layer.build(images.shape)
    plain.kernel.assign(ours.kernel)

    def of(layer):
        with tf.GradientTape() as tape:
            tape.watch(images)
            found = tf.cast(layer(images), tf.float32)
            weights = np.random.default_rng(1).normal(size=found.shape)
            total = tf.reduce_sum(found**2 * tf.constant(weights, tf.float32))
        return [found, *tape.gradient(total, [images, layer.kernel.value])]

    return zip(of(ours), of(plain), strict=True)


@pytest.mark.parametrize("kernel_size", [(1, 1), (2, 2), (3, 3), (3, 1)])
@pytest.mark.parametrize(
    ("side", "precision"),
    [
        (2, "float32"),
        (4, "float32"),
        (5, "float32"),
        (2, "mixed_bfloat16"),
        (4, "mixed_bfloat16"),
        (7, "mixed_bfloat16"),
    ],
)
def test_small_maps_have_the_gradients_of_a_convolution(kernel_size, side, precision):
    options = {"padding": "same", "use_bias": False}
    ours = small_maps.Convolution(7, kernel_size, dtype=precision, **options)
    plain = layers.Conv2D(7, kernel_size, **options)
    for found, expected in outputs_and_gradients(ours, plain, side):
        rtol, atol = 1e-4, 1e-4
        if precision != "float32":  # 8 digits of a binary number
            rtol, atol = 0, 0.03 * np.abs(expected).max()
        assert np.allclose(found, expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize("kernel_size", [1, 3, 5, (2, 3)])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("side", [1, 2, 7, 12])
def test_depthwise_convolutions_have_keras_gradients(kernel_size, strides, side):
    options = {"strides": strides, "padding": "same", "use_bias": False}
    kinds = small_maps.DepthwiseConvolution, layers.DepthwiseConv2D
    pair = (kind(kernel_size, **options) for kind in kinds)
    for found, expected in outputs_and_gradients(*pair, side):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_depthwise_convolutions_take_maps_of_any_size():
    images = keras.Input((None, None, 3))
    layer = small_maps.DepthwiseConvolution(3, strides=2, padding="same")
    model = keras.Model(images, layer(images))
    assert model(np.ones((2, 5, 4, 3))).shape == (2, 3, 2, 3)
