"""Our faster layers give Keras' numbers; each kind of layer has its cost."""

import keras
import numpy as np
import pytest
from keras import layers

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100.models import cost
from cifar100.models.layers import BatchNormalization


def pair(momentum: float = 0.99, dtype: str = "float32"):
    """Our layer and Keras' own with the same random scale and offset."""
    generator = np.random.default_rng(0)
    made = [
        kind(momentum=momentum, dtype=dtype)
        for kind in (BatchNormalization, layers.BatchNormalization)
    ]
    gamma, beta = generator.normal(1, 0.3, 6), generator.normal(0, 0.3, 6)
    for layer in made:
        layer.build((None, 5, 5, 6))
        layer.gamma.assign(gamma)
        layer.beta.assign(beta)
    return made


def batches(count: int):
    generator = np.random.default_rng(1)
    spread = np.array([0.1, 0.5, 1, 2, 5, 10])
    for _ in range(count):
        yield (generator.normal(3, 1, (8, 5, 5, 6)) * spread).astype("float32")


def test_batch_norm_trains_with_keras_numbers():
    ours, theirs = pair()
    for x in batches(3):
        np.testing.assert_allclose(
            ours(x, training=True), theirs(x, training=True), atol=1e-5, rtol=1e-4
        )


def test_batch_norm_evaluates_with_keras_numbers_after_50_steps():
    ours, theirs = pair(momentum=0.9)
    for x in batches(50):
        ours(x, training=True)
        theirs(x, training=True)
    np.testing.assert_allclose(ours.moving_mean, theirs.moving_mean, rtol=1e-5)
    np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-4)
    x = next(batches(1))
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("frozen", [False, True])
def test_batch_norm_has_keras_gradients(frozen):
    import tensorflow as tf

    x = tf.constant(next(batches(1)))
    weights = tf.constant(np.random.default_rng(2).normal(size=x.shape), tf.float32)
    found = []
    for layer in pair():
        layer(x, training=True)  # statistics that are not 0 and 1
        layer.trainable = not frozen
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, training=True)
            loss = tf.reduce_sum(outputs * weights)
        by = [x] if frozen else [x, layer.gamma.value, layer.beta.value]
        found.append([*tape.gradient(loss, by), outputs])
    assert np.abs(found[1][0]).max() > 0.01
    for mine, keras_own in zip(*found, strict=True):
        np.testing.assert_allclose(mine, keras_own, atol=2e-3, rtol=1e-3)


def test_frozen_batch_norm_keeps_its_statistics():
    ours, _ = pair()
    ours.trainable = False
    before = ours.moving_mean.numpy()
    ours(next(batches(1)), training=True)
    np.testing.assert_array_equal(ours.moving_mean, before)


def test_strided_and_depthwise_convolutions_are_counted():
    images = keras.Input((8, 8, 4))
    x = layers.Conv2D(6, 3, strides=2, padding="same")(images)  # 4 x 4 outputs
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    expected = 4 * 4 * (3 * 3 * 4) * 6 + 4 * 4 * (3 * 3) * 6
    assert cost.macs(keras.Model(images, x)) == expected


def test_a_layer_without_a_known_cost_is_refused():
    images = keras.Input((8, 8, 4))
    model = keras.Model(images, layers.SeparableConv2D(4, 3)(images))
    with pytest.raises(TypeError, match="SeparableConv2D"):
        cost.macs(model)
