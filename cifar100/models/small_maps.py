"""A faster convolution of small maps, where TensorFlow is on a processor.

oneDNN's kernels are slow on maps of a few pixels; one product with the patches of such
a map is several times as fast there, with the same numbers. On larger maps everything
is TensorFlow's own.
"""

import functools

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


@functools.cache
def _on_processor() -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


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
