"""Residual networks for small images, and the same ones without shortcuts."""

import keras
from keras import layers

from cifar100.models.layers import classifier, conv_bn

# Blocks in each stage of the form that the paper has for small images.
BLOCKS = {20: (3, 3, 3), 32: (5, 5, 5), 44: (7, 7, 7), 56: (9, 9, 9), 18: (2, 2, 2, 2)}


def resnet(
    num_classes: int = 100,
    *,
    depth: int = 20,
    width: int | None = None,
    shortcuts: bool = True,
    dropout: float = 0.0,
) -> keras.Model:
    """A residual network: (B, 32, 32, 3) float32 -> (B, num_classes) logits.

    He et al. 2015 (arXiv:1512.03385). `depth` 20, 32, 44 and 56 are section 4.2: three
    stages of filters `width` (16), 2 and 4 * `width`. 18 is section 4.1 with its four
    stages of `width` (64) to 8 * `width`, and a 3x3 convolution as stem, without the
    pooling that 224-pixel images need. Without `shortcuts` it is the paper's "plain"
    network.

    Differs from the paper's figures in the shortcuts where the shape changes, a 1x1
    projection (option B; table 2 and section 4.2 pad with zeros, option A), and in the
    optional dropout before the classifier. Raises `ValueError` for another depth.
    """
    if depth not in BLOCKS:
        raise ValueError(f"ResNet-{depth} is none of {', '.join(map(str, BLOCKS))}")
    if width is None:
        width = 64 if depth == 18 else 16
    images = keras.Input((32, 32, 3), name="images")
    x = layers.ReLU()(conv_bn(images, width))  # (B, 32, 32, width)
    for stage, blocks in enumerate(BLOCKS[depth]):
        for block in range(blocks):
            strides = 2 if stage > 0 and block == 0 else 1
            x = residual_block(x, width * 2**stage, strides, shortcut=shortcuts)
    logits = classifier(x, num_classes, (), dropout)  # of (B, 8, 8, C), (B, 4, 4, C)
    return keras.Model(
        images, logits, name=f"{'resnet' if shortcuts else 'plain'}{depth}"
    )


def residual_block(x, filters: int, strides: int, *, shortcut: bool = True):
    """Two convolutions and a shortcut: (B, H, W, C) -> (B, H/s, W/s, filters).

    He et al. 2015, section 3.2 and figure 2.
    """
    y = layers.ReLU()(conv_bn(x, filters, strides=strides))
    y = conv_bn(y, filters)
    if shortcut:
        if strides != 1 or x.shape[-1] != filters:
            x = conv_bn(x, filters, kernel_size=1, strides=strides)
        y = layers.Add()([y, x])
    return layers.ReLU()(y)
