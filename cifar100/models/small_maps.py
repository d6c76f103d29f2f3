"""A faster gradient for convolutions of small maps, where TensorFlow is on a processor.

oneDNN's kernel for the gradient of the weights is slow on maps of a few pixels; one
product of their patches with the gradient is several times as fast there, with the same
numbers. Everything else is TensorFlow's own.
"""

import functools

import keras
from keras import layers

LARGEST = 16  # pixels of a map from which on oneDNN's own kernel is as good


class Convolution(layers.Conv2D):
    """Keras' convolution with stride 1 and "same" padding: (B, H, W, C) -> (B, H, W,
    filters). No bias and no activation."""

    def call(self, inputs):
        height, width = inputs.shape[1:3]
        if not height or height * width > LARGEST or not _on_processor():
            return super().call(inputs)
        return _convolve(inputs, self.kernel.value)


@functools.cache
def _on_processor() -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


def _convolve(inputs, kernel):
    import tensorflow as tf  # only reached when TensorFlow is the engine

    options = {"strides": 1, "padding": "SAME"}

    @tf.custom_gradient
    def convolve(inputs, kernel):
        def gradients(upstream):
            by_inputs = tf.nn.conv2d_transpose(
                upstream, kernel, tf.shape(inputs), **options
            )
            patches = tf.reshape(_patches(inputs, kernel.shape), (-1, kernel_rows))
            flat = tf.reshape(upstream, (-1, kernel.shape[-1]))
            by_kernel = tf.matmul(patches, flat, transpose_a=True)
            return by_inputs, tf.reshape(by_kernel, kernel.shape)

        kernel_rows = kernel.shape[0] * kernel.shape[1] * kernel.shape[2]
        return tf.nn.conv2d(inputs, kernel, **options), gradients

    return convolve(inputs, kernel)


def _patches(inputs, kernel_shape):
    """What each output sees: (B, H, W, rows * columns * C)."""
    import tensorflow as tf

    rows, columns = kernel_shape[:2]
    height, width = inputs.shape[1:3]
    around = [((n - 1) // 2, n // 2) for n in (rows, columns)]
    padded = tf.pad(inputs, [(0, 0), *around, (0, 0)])
    parts = [
        padded[:, row : row + height, column : column + width]
        for row in range(rows)
        for column in range(columns)
    ]
    return tf.concat(parts, axis=-1)
