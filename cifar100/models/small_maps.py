"""Faster convolutions, where TensorFlow is on a processor; the numbers are the same.

oneDNN's kernels are slow on maps of a few pixels. One product with the patches of such
a map is several times as fast there. For a depthwise convolution TensorFlow has a
kernel of its own, up to twenty times as fast. On larger maps everything is oneDNN's but
the gradient of depthwise kernels.
"""

import functools
import math

import keras
from keras import layers

# The most pixels of a map for which a product of patches is the faster gradient of the
# kernel, and for which it is faster in all else too. Measured on two cores with AVX2
# (float32) and with AMX (bfloat16).
GRADIENT = {"float32": 16, "bfloat16": 49}
ALL = {"float32": 0, "bfloat16": 16}


class Convolution(layers.Conv2D):
    """Keras' convolution with stride 1 and "same" padding: (B, H, W, C) -> (B, H, W,
    filters). No bias and no activation."""

    def call(self, inputs):
        height, width = inputs.shape[1:3]
        pixels, dtype = (height or 0) * (width or 0), self.compute_dtype
        if not 0 < pixels <= GRADIENT.get(dtype, 0) or not _on_processor():
            return super().call(inputs)
        return _convolve(inputs, self.kernel.value, pixels <= ALL[dtype])


class DepthwiseConvolution(layers.DepthwiseConv2D):
    """Keras' depthwise convolution with "same" padding, one filter a channel: (B, H, W,
    C) -> (B, H/s, W/s, C). No bias, activation or dilation."""

    def call(self, inputs):
        if None in inputs.shape[1:] or not _on_processor():
            return super().call(inputs)
        return _filter(inputs, self.kernel.value, self.strides)


@functools.cache
def _on_processor() -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


def _filter(inputs, kernel, strides):
    """The depthwise convolution, its kernel's gradient without oneDNN.

    TensorFlow leaves gradients to oneDNN unless their padding is spelled out; it is the
    same padding.
    """
    import tensorflow as tf

    options = {"strides": (1, *strides, 1), "padding": "SAME"}
    around = [0, 0]
    for size, reach, stride in zip(
        inputs.shape[1:3], kernel.shape[:2], strides, strict=True
    ):
        missing = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
        around += [missing // 2, missing - missing // 2]
    explicit = {"padding": "EXPLICIT", "explicit_paddings": [*around, 0, 0]}

    @tf.custom_gradient
    def convolve(inputs, kernel):
        def gradients(upstream):
            by_inputs = tf.nn.depthwise_conv2d_backprop_input(
                tf.shape(inputs), kernel, upstream, **options
            )
            by_kernel = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
                input=inputs,
                filter_sizes=kernel.shape,
                out_backprop=upstream,
                **options | explicit,
            )
            return by_inputs, by_kernel

        return tf.nn.depthwise_conv2d(inputs, kernel, **options), gradients

    return convolve(inputs, kernel)


def _convolve(inputs, kernel, by_patches: bool):
    """The convolution, its kernel's gradient a product of patches; `by_patches`: the
    convolution itself and its other gradient too."""
    import tensorflow as tf  # only reached when TensorFlow is the engine

    options = {"strides": 1, "padding": "SAME"}

    @tf.custom_gradient
    def convolve(inputs, kernel):
        def gradients(upstream):
            if by_patches:
                turned = tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))
                by_inputs = _product(_patches(upstream, turned, mirrored=True), turned)
            else:
                by_inputs = tf.nn.conv2d_transpose(
                    upstream, kernel, tf.shape(inputs), **options
                )
            patches = _rows(_patches(inputs, kernel))
            by_kernel = tf.matmul(patches, _rows(upstream), transpose_a=True)
            return by_inputs, tf.reshape(by_kernel, kernel.shape)

        if by_patches:
            return _product(_patches(inputs, kernel), kernel), gradients
        return tf.nn.conv2d(inputs, kernel, **options), gradients

    return convolve(inputs, kernel)


def _product(patches, kernel):
    """(B, H, W, rows * columns * C) and (rows, columns, C, F) -> (B, H, W, F)."""
    import tensorflow as tf

    _, height, width, _ = patches.shape
    found = tf.matmul(_rows(patches), _rows(kernel))
    return tf.reshape(found, (-1, height, width, kernel.shape[-1]))


def _rows(array):
    """All axes but the last made one."""
    import tensorflow as tf

    return tf.reshape(array, (-1, array.shape[-1]))


def _patches(inputs, kernel, *, mirrored: bool = False):
    """What each output sees: (B, H, W, rows * columns * C). Of an even kernel the
    padding is longer below and on the right; `mirrored`: above and on the left."""
    import tensorflow as tf

    rows, columns = kernel.shape[:2]
    height, width = inputs.shape[1:3]
    around = [((n - 1) // 2, n // 2)[:: -1 if mirrored else 1] for n in (rows, columns)]
    padded = tf.pad(inputs, [(0, 0), *around, (0, 0)])
    parts = [
        padded[:, row : row + height, column : column + width]
        for row in range(rows)
        for column in range(columns)
    ]
    return tf.concat(parts, axis=-1)
