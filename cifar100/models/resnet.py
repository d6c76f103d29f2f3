"""Residual networks for small images."""

import itertools

import keras
from keras import layers

from cifar100.models.layers import conv_bn


def resnet20(
    num_classes: int = 100, *, width: int = 16, dropout: float = 0.0
) -> keras.Model:
    """ResNet-20 for small images: (B, 32, 32, 3) float32 -> (B, num_classes) logits.

    He et al. 2015 (arXiv:1512.03385), section 4.2: three stages of three blocks.
    Differs from the paper in the shortcuts, a 1x1 projection where the shape changes
    (the paper pads with zeros), and in the optional dropout before the classifier.
    """
    images = keras.Input((32, 32, 3), name="images")
    x = layers.ReLU()(conv_bn(images, width))  # (B, 32, 32, width)
    for stage, block in itertools.product(range(3), range(3)):
        strides = 2 if stage > 0 and block == 0 else 1
        x = residual_block(x, width * 2**stage, strides)  # ends at (B, 8, 8, 4 * width)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(dropout)(x)
    logits = layers.Dense(num_classes, name="logits", dtype="float32")(x)
    return keras.Model(images, logits, name="resnet20")


def residual_block(x, filters: int, strides: int):
    """Two convolutions and a shortcut: (B, H, W, C) -> (B, H/s, W/s, filters).

    He et al. 2015, section 3.2 and figure 2.
    """
    shortcut = x
    if strides != 1 or x.shape[-1] != filters:
        shortcut = conv_bn(x, filters, kernel_size=1, strides=strides)
    y = layers.ReLU()(conv_bn(x, filters, strides=strides))
    y = conv_bn(y, filters)
    return layers.ReLU()(layers.Add()([y, shortcut]))
