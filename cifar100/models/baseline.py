"""The networks that the student built by hand."""

import keras
from keras import layers

from cifar100.models.arguments import check_word
from cifar100.models.layers import (
    BatchNormalization,
    Dropout,
    SpatialDropout2D,
    classifier,
    conv_bn,
    convolution,
    logits_of,
)

BATCH_NORM = ("before_activation", "after_activation", "none")
DROPOUT_POSITION = ("before_pool", "before_pool_matched", "after_pool")


def simple_cnn(
    num_classes: int = 100,
    *,
    filters: tuple[int, ...] = (32, 64),
    dense_units: int = 128,
    dropout: float = 0.0,
) -> keras.Model:
    """The simplest CNN: (B, 32, 32, 3) float32 -> (B, num_classes) logits.

    One 3x3 convolution, ReLU and 2x2 max-pooling for each entry of `filters`, then a
    dense layer, dropout in front of the classifier. The student's first step; the
    shape is the usual first network of a tutorial, with no source of its own.
    """
    images = keras.Input((32, 32, 3), name="images")
    x = images
    for count in filters:
        x = layers.Conv2D(count, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)  # halves height and width
    x = layers.Flatten()(x)  # (B, 8 * 8 * 64)
    x = layers.Dense(dense_units, activation="relu", name="features")(x)
    x = Dropout(dropout)(x)
    logits = logits_of(x, num_classes)
    return keras.Model(images, logits, name="simple_cnn")


def baseline(
    num_classes: int = 100,
    *,
    filters: tuple[int, ...] = (16, 32, 64),
    convolutions: int = 1,
    kernel_size: int | tuple[int, ...] = 3,
    batch_norm: str = "before_activation",
    dropout: float = 0.0,
    dropout_kind: str = "unit",
    dropout_position: str = "after_pool",
    pool_size: int = 2,
    pool_stride: int = 2,
    dense_units: int = 512,
    shortcut: bool = False,
) -> keras.Model:
    """The student's own network: (B, 32, 32, 3) float32 -> (B, num_classes) logits.

    A block for each entry of `filters`: `convolutions` times convolution, batch norm
    and ReLU, then max-pooling, which divides height and width by `pool_stride`. After
    the blocks the map is flattened and goes through a dense layer of `dense_units`;
    with 0 of them there is global average pooling instead (Lin et al. 2014,
    arXiv:1312.4400, section 3.2).

    `kernel_size` is one number, or one for each block. `batch_norm` stands
    "before_activation" (Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.2),
    "after_activation", or is "none". `dropout` drops units (Srivastava et al. 2014) or
    with `dropout_kind` "spatial" whole channels (Tompson et al. 2015, arXiv:1411.4280,
    section 3.2); in each block it stands "before_pool", "after_pool", or
    "before_pool_matched": before pooling, with the rate at which as many pooled units
    become zero as after it. `shortcut` adds the input of a block, projected by a 1x1
    convolution, to what its last ReLU would get (He et al. 2015, arXiv:1512.03385,
    section 3.2); where batch norm stands before that ReLU, the projection has one too
    (section 3.4). Without it, what is added would grow from block to block.

    Raises `ValueError` for a word that it does not know, for no convolution, and
    for other than one kernel a block.
    """
    check_word("batch_norm", batch_norm, BATCH_NORM)
    check_word("dropout_kind", dropout_kind, ("unit", "spatial"))
    check_word("dropout_position", dropout_position, DROPOUT_POSITION)
    if convolutions < 1:
        raise ValueError(f"{convolutions} convolutions: a block has one at least")
    spatial = dropout_kind == "spatial"
    window = 1 if spatial else pool_size**2  # a channel is dropped as a whole
    before, after = _rates(dropout, dropout_position, window)
    drop = SpatialDropout2D if spatial else Dropout

    images = keras.Input((32, 32, 3), name="images")
    x = images
    for count, kernel in zip(filters, _kernels(kernel_size, filters), strict=True):
        start = x
        for number in range(1, convolutions + 1):
            added = start if shortcut and number == convolutions else None
            x = _convolution(x, count, kernel, batch_norm, added)
        x = drop(before)(x)
        x = layers.MaxPooling2D(pool_size, pool_stride, padding="same")(x)
        x = drop(after)(x)
    logits = classifier(x, num_classes, (dense_units,) if dense_units else ())
    return keras.Model(images, logits, name="baseline")


def _kernels(kernel_size: int | tuple[int, ...], filters) -> tuple[int, ...]:
    """The kernel size of each block."""
    if isinstance(kernel_size, int):
        return (kernel_size,) * len(filters)
    if len(kernel_size) != len(filters):
        raise ValueError(f"{len(kernel_size)} kernels for {len(filters)} blocks")
    return kernel_size


def _convolution(x, filters: int, kernel_size: int, batch_norm: str, added):
    """Convolution, batch norm and ReLU in the wanted order; `added` is the shortcut."""
    bias = batch_norm != "before_activation"  # else batch norm would undo it
    x = convolution(x, filters, kernel_size, use_bias=bias)
    if batch_norm == "before_activation":
        x = BatchNormalization()(x)
    if added is not None:
        project = conv_bn if batch_norm == "before_activation" else convolution
        x = layers.Add()([x, project(added, filters, kernel_size=1)])
    x = layers.ReLU()(x)
    return BatchNormalization()(x) if batch_norm == "after_activation" else x


def _rates(dropout: float, position: str, window: int) -> tuple[float, float]:
    """Rates of the dropout before and after pooling; a pooled unit sees `window`
    masks."""
    match position:
        case "before_pool":
            return dropout, 0.0
        case "before_pool_matched":
            # A pooled unit is zero when the whole window is: rate ** window.
            return dropout ** (1 / window), 0.0
        case _:
            return 0.0, dropout
