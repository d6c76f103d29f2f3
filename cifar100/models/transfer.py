"""EfficientNet-Lite: the network that comes with ImageNet weights."""

import math

import keras
import numpy as np
from keras import initializers, layers, ops

from cifar100.data import MEAN, STD
from cifar100.models.arguments import check_word
from cifar100.models.layers import BatchNormalization, Dropout, logits_of
from cifar100.models.small_maps import DepthwiseConvolution

SCALING = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2)}  # variant: width, depth
STAGES = (  # blocks, kernel, strides, expansion, filters: Tan & Le 2019, table 1
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
SIZES = (32, 224)  # pixels: the data set's own, and ImageNet's
WEIGHTS = ("random", "imagenet")
FREEZE = ("none", "batch_norm")
FEATURES = 1280  # channels before the last layer
UNITS = ("stem", "block", "top")  # how names of backbone layers begin
# As in tensorflow/tpu's efficientnet_model.py, but truncated, as keras_cv has it.
KERNEL = initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")


def efficientnet_lite(
    num_classes: int = 100,
    *,
    variant: int = 0,
    image_size: int = 96,
    dropout: float = 0.0,
    freeze: str = "none",
    weights: str = "random",
) -> keras.Model:
    """EfficientNet-Lite: (B, 32, 32, 3) float32 -> (B, num_classes) float32 logits.

    Tan & Le 2019 (arXiv:1905.11946), table 1 and section 3.3; "Lite" is the README of
    tensorflow/tpu, models/official/efficientnet/lite: no squeeze-and-excitation, ReLU6
    for swish, and a stem, a head and end stages that are not scaled. `variant` 0, 1, 2.
    Layers have the names and numbers of keras_cv's EfficientNetLiteBackbone. Without
    stochastic depth, which the source trains with.

    Images come in standardised by `data.MEAN` and `data.STD`, as to every network. They
    are put on the scale of the ImageNet weights, (pixel - 127) / 128, and enlarged to
    `image_size` (32 to 224) pixels: bilinear, pixel centres at halves, edges repeated,
    no antialiasing (nothing gets smaller). The map at the end has ceil(image_size / 32)
    pixels a side; its mean is the layer "features", (B, 1280).

    `freeze` "batch_norm" makes the batch norms not trainable, their scale and offset
    included, and they use their moving statistics in training too. `cost.parameters`
    leaves frozen ones out.
    `weights` says what training starts the backbone from, "imagenet" or "random"; the
    network comes with random ones. Raises `ValueError` for another variant, size or
    word.
    """
    _check_shape(variant, image_size)
    check_word("freeze", freeze, FREEZE)
    check_word("weights", weights, WEIGHTS)
    images = keras.Input((32, 32, 3), name="images")
    x = _imagenet_pixels(images, image_size)  # (B, image_size, image_size, 3)
    x = _conv_bn(x, 32, 3, "stem_", strides=2)  # half as many pixels a side
    x = _stages(x, *SCALING[variant])  # (B, image_size / 32, image_size / 32, 320)
    x = _conv_bn(x, 1280, 1, "top_")
    x = layers.GlobalAveragePooling2D(name="features")(x)  # (B, 1280)
    logits = logits_of(Dropout(dropout)(x), num_classes)
    model = keras.Model(images, logits, name=f"efficientnet_lite{variant}")
    if freeze == "batch_norm":
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
    return model


def linear_head(
    num_classes: int = 100,
    *,
    variant: int = 0,
    image_size: int = 96,
    dropout: float = 0.0,
) -> keras.Model:
    """A linear layer on what the frozen backbone sees: (B, 1280) float32 -> (B,
    num_classes) float32 logits.

    Its input are `features.features` of EfficientNet-Lite `variant` with ImageNet
    weights, at `image_size` pixels. They are brought to mean 0 and variance 1 by batch
    norm without scale and offset, as for the linear probes of He et al. 2022
    (arXiv:2111.06377), appendix A.1. Raises `ValueError` for another variant or size.
    """
    _check_shape(variant, image_size)
    found = keras.Input((FEATURES,), name="images")
    x = BatchNormalization(scale=False, center=False, name="features")(found)
    return keras.Model(
        found, logits_of(Dropout(dropout)(x), num_classes), name="linear_head"
    )


def depths(model: keras.Model) -> dict[str, int]:
    """How deep the backbone's layers with weights stand: {layer name: depth}.

    0 is the stem, then come the blocks one by one, last the top. For learning rates
    that decay with depth. Of a network that `efficientnet_lite` made.
    """
    names = [x.name for x in model.layers if x.weights and x.name.startswith(UNITS)]
    units = list(dict.fromkeys(name.partition("_")[0] for name in names))
    return {name: units.index(name.partition("_")[0]) for name in names}


def _check_shape(variant: int, image_size: int) -> None:
    if variant not in SCALING:
        raise ValueError(f"EfficientNet-Lite{variant} is none of 0, 1, 2")
    if not SIZES[0] <= image_size <= SIZES[1]:
        raise ValueError(f"image_size is {image_size}, not from 32 to 224")


def _imagenet_pixels(images, size: int):
    """Standardised images as ImageNet weights want them, `size` pixels a side."""
    return _enlarge(images * (STD * 255 / 128) + (MEAN * 255 - 127) / 128, size)


def _enlarge(x, size: int):
    """Bilinear interpolation: (B, S, S, C) -> (B, size, size, C), for `size` >= S.

    Not Keras' `ops.image.resize`: where TensorFlow compiles it by XLA, as Keras' `fit`
    does on a GPU, other pixels come out (tensorflow/tensorflow#118344).
    """
    side = x.shape[1]
    places = np.clip((np.arange(size) + 0.5) * side / size - 0.5, 0, side - 1)
    low = np.minimum(places.astype("int32"), side - 2)
    share = (places - low).astype("float32")
    for axis, weight in ((1, share[:, None, None]), (2, share[:, None])):
        near, far = ops.take(x, low, axis=axis), ops.take(x, low + 1, axis=axis)
        x = near * (1 - weight) + far * weight
    return x


def _stages(x, width: float, depth: float):
    """All blocks: (B, H, W, 32) -> (B, H/16, W/16, filters of the last)."""
    for stage, (blocks, kernel, strides, expansion, filters) in enumerate(STAGES, 1):
        if 1 < stage < len(STAGES):
            blocks = math.ceil(depth * blocks)
        for block in range(blocks):
            x = _inverted_residual(
                x,
                _rounded(filters * width),
                kernel,
                strides if block == 0 else 1,
                expansion,
                name=f"block{stage}{'abcdefgh'[block]}_",
            )
    return x


def _rounded(filters: float) -> int:
    """To the next multiple of 8, but not down by more than 10 %."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * filters else nearest


def _inverted_residual(
    x, filters: int, kernel: int, strides: int, expansion: int, name
):
    """Expand, filter each channel, project: (B, H, W, C) -> (B, H/s, W/s, filters).

    Sandler et al. 2018 (arXiv:1801.04381), section 3.3.
    """
    y = x
    if expansion != 1:
        y = _conv_bn(y, expansion * x.shape[-1], 1, f"{name}expand_")
    y = DepthwiseConvolution(
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        depthwise_initializer=KERNEL,
        name=f"{name}dwconv",
    )(y)
    y = _batch_norm(y, f"{name}bn")
    y = layers.Activation("relu6", name=f"{name}activation")(y)
    y = _conv_bn(y, filters, 1, f"{name}project_", activation=False)
    if strides == 1 and filters == x.shape[-1]:
        y = layers.Add(name=f"{name}add")([y, x])
    return y


def _conv_bn(x, filters: int, kernel: int, name: str, *, strides=1, activation=True):
    """Convolution, batch norm, ReLU6: (B, H, W, C) -> (B, H/s, W/s, filters)."""
    x = layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer=KERNEL,
        name=f"{name}conv",
    )(x)
    x = _batch_norm(x, f"{name}bn")
    return layers.Activation("relu6", name=f"{name}activation")(x) if activation else x


def _batch_norm(x, name: str):
    """With the numbers that the ImageNet weights were trained with."""
    return BatchNormalization(momentum=0.99, epsilon=1e-3, name=name)(x)
