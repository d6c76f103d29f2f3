"""AlexNet, cut to 32 pixels."""

import keras
from keras import layers

from cifar100.models.layers import BatchNormalization, classifier, convolution

POOLED = (1, 2, 5)  # the convolutions that pooling follows


def alexnet(
    num_classes: int = 100,
    *,
    filters: tuple[int, int, int, int, int] = (96, 256, 384, 384, 256),
    dense_units: tuple[int, ...] = (4096, 4096),
    batch_norm: bool = False,
    pool_size: int = 3,
    dropout: float = 0.0,
) -> keras.Model:
    """AlexNet for small images: (B, 32, 32, 3) float32 -> (B, num_classes) logits.

    Krizhevsky et al. 2012 (ImageNet classification with deep convolutional neural
    networks), sections 3.1 to 3.5 and figure 2: five convolutions, pooling after the
    first, second and fifth, two dense layers. Pooling has stride 2 and overlaps with
    `pool_size` 3 (section 3.4), not with 2; the maps are 16, 8 and 4 pixels either way.

    Differs from the paper for 32-pixel images: the first convolution is 5x5 with stride
    1 (there 11x11 with stride 4), the second 5x5 as there; one column instead of two
    GPUs; batch norm before each ReLU, or nothing, where the paper normalises over
    neighbouring channels; He's initial weights. `dropout`, in the paper 0.5, stands
    after each dense layer (section 4.2).
    """
    images = keras.Input((32, 32, 3), name="images")
    x = images
    for number, count in enumerate(filters, start=1):
        kernel_size = 5 if number <= 2 else 3
        x = convolution(x, count, kernel_size, use_bias=not batch_norm)
        x = BatchNormalization()(x) if batch_norm else x
        x = layers.ReLU()(x)
        if number in POOLED:
            x = layers.MaxPooling2D(pool_size, 2, padding="same")(x)
    logits = classifier(x, num_classes, dense_units, dropout)
    return keras.Model(images, logits, name="alexnet")
