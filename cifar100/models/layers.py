"""Layers and blocks that several networks share."""

import keras
from keras import layers, ops

FUSED = keras.backend.backend() == "tensorflow"


class BatchNormalization(layers.BatchNormalization):
    """Keras' batch normalisation, run as one fused kernel where TensorFlow has one.

    Input and output (B, H, W, C), float32 or bfloat16. Same numbers as the layer it
    extends, in training and in evaluation (Ioffe & Szegedy 2015, arXiv:1502.03167,
    algorithms 1 and 2). Keras spells the normalisation out in a dozen operations;
    TensorFlow's kernel does it in one, forward and backward. Other shapes and engines
    take Keras' way. A frozen layer is a scale and an offset while the network trains:
    that kernel's backward pass is the slower one there.
    """

    def call(self, inputs, training=None, mask=None):
        fusable = FUSED and len(inputs.shape) == 4 and self.axis in (-1, 3)
        fusable = fusable and self.compute_dtype != "float64"
        if not fusable or mask is not None or not (self.scale and self.center):
            return super().call(inputs, training=training, mask=mask)
        if training and not self.trainable:
            return self._scaled(inputs)
        return self._fused(inputs, training=bool(training))

    def _scaled(self, inputs):
        scale = self.gamma * ops.rsqrt(self.moving_variance + self.epsilon)
        offset = self.beta - self.moving_mean * scale
        return inputs * ops.cast(scale, inputs.dtype) + ops.cast(offset, inputs.dtype)

    def _fused(self, inputs, training):
        import tensorflow as tf  # only reached when TensorFlow is the engine

        inputs = ops.cast(inputs, self.compute_dtype)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=ops.cast(self.gamma, "float32"),
            offset=ops.cast(self.beta, "float32"),
            mean=tf.constant([]) if training else self.moving_mean.value,
            variance=tf.constant([]) if training else self.moving_variance.value,
            epsilon=self.epsilon,
            exponential_avg_factor=1.0,
            is_training=training,
        )
        if training:
            # The kernel returns the variance over N - 1, Keras keeps the one over N.
            count = ops.cast(ops.prod(ops.shape(inputs)[:-1]), "float32")
            self._remember(self.moving_mean, mean)
            self._remember(self.moving_variance, variance * (count - 1.0) / count)
        return outputs

    def _remember(self, moving, batch):
        moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))


class _GivenRate:
    """Dropout whose `rate` may be a value inside a compiled program, so that programs
    for several rates are one. Same masks as with a plain number, which goes Keras' way.
    """

    def call(self, inputs, training=False):
        if isinstance(self.rate, int | float):
            return super().call(inputs, training=training)
        if not training:
            return inputs
        shape = self._shape_of_mask(inputs)
        keep = 1.0 - self.rate
        kept = keras.random.uniform(shape, seed=self.seed_generator) < keep
        return ops.where(kept, inputs / keep, 0)


class Dropout(_GivenRate, layers.Dropout):
    """Drops units: any shape (Srivastava et al. 2014, JMLR 15, section 4)."""

    def _shape_of_mask(self, inputs):
        return ops.shape(inputs)


class SpatialDropout2D(_GivenRate, layers.SpatialDropout2D):
    """Drops channels of (B, H, W, C) (Tompson et al. 2015, arXiv:1411.4280, 3.2)."""

    def _shape_of_mask(self, inputs):
        batch, _height, _width, channels = ops.shape(inputs)
        return batch, 1, 1, channels


def convolution(x, filters: int, kernel_size: int = 3, *, strides=1, use_bias=False):
    """Convolution with He's initial weights: (B, H, W, C) -> (B, H/s, W/s, filters).

    He et al. 2015 (arXiv:1502.01852), equation 10: the spread that keeps the variance
    of the activations through layers of ReLU.
    """
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=use_bias,
        kernel_initializer="he_normal",
    )(x)


def conv_bn(x, filters: int, kernel_size: int = 3, strides: int = 1):
    """Convolution, then batch norm: (B, H, W, C) -> (B, H/s, W/s, filters).

    There is no bias: it would be undone by the mean that batch norm subtracts.
    """
    return BatchNormalization()(convolution(x, filters, kernel_size, strides=strides))


def classifier(x, num_classes: int, dense_units: tuple[int, ...], dropout: float = 0.0):
    """From feature maps to logits: (B, H, W, C) -> (B, num_classes) float32.

    The map is flattened and goes through a dense layer with ReLU, then dropout, for
    each entry of `dense_units`. Without any there is global average pooling instead
    (Lin et al. 2014, arXiv:1312.4400, section 3.2), then dropout.
    """
    if not dense_units:
        x = layers.GlobalAveragePooling2D(name="features")(x)  # (B, C)
        x = Dropout(dropout)(x)
    else:
        x = layers.Flatten()(x)  # (B, H * W * C)
        for place, units in enumerate(dense_units, start=1):
            name = "features" if place == len(dense_units) else None
            x = layers.Dense(units, "relu", kernel_initializer="he_normal", name=name)(
                x
            )
            x = Dropout(dropout)(x)
    return logits_of(x, num_classes)


def logits_of(x, num_classes: int):
    """The last dense layer: (B, C) -> (B, num_classes), in the precision of the weights
    also where the network computes in half of it."""
    full = keras.config.dtype_policy().variable_dtype
    return layers.Dense(num_classes, name="logits", dtype=full)(x)
