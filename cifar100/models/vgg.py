"""VGG for small images."""

import keras
from keras import layers

from cifar100.models.layers import classifier, conv_bn

# Convolutions in each of the five blocks (Simonyan & Zisserman 2015, table 1).
CONVOLUTIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


def vgg(
    num_classes: int = 100,
    *,
    depth: int = 16,
    width: int = 64,
    blocks: int = 5,
    dense_units: tuple[int, ...] = (512, 512),
    dropout: float = 0.0,
) -> keras.Model:
    """VGG-11, -13, -16 or -19: (B, 32, 32, 3) float32 -> (B, num_classes) logits.

    Simonyan & Zisserman 2015 (arXiv:1409.1556), section 2.1 and table 1, columns A, B,
    D and E: 3x3 convolutions only, filters doubled from block to block up to
    8 * `width`, each block ended by 2x2 max-pooling. Differs from the paper in batch
    norm after each convolution, in two dense layers of 512 units for 32-pixel images
    where the paper has two of 4,096 (no units at all is global average pooling), and in
    `blocks`: with 4 the last block is left out and the map ends at 2x2, not 1x1.

    Raises `ValueError` for a depth that the paper does not have, and for other than one
    to five blocks.
    """
    if depth not in CONVOLUTIONS:
        raise ValueError(f"VGG-{depth} is none of {', '.join(map(str, CONVOLUTIONS))}")
    if blocks not in range(1, 6):
        raise ValueError(f"{blocks} blocks: there are 1 to 5 of them")
    images = keras.Input((32, 32, 3), name="images")
    x = images
    for block, convolutions in enumerate(CONVOLUTIONS[depth][:blocks]):
        for _ in range(convolutions):
            x = layers.ReLU()(conv_bn(x, width * min(2**block, 8)))
        x = layers.MaxPooling2D(2)(x)  # 16, 8, 4, 2, 1 pixels
    logits = classifier(x, num_classes, dense_units, dropout)
    return keras.Model(images, logits, name=f"vgg{depth}")
