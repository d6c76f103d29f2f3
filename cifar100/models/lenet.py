"""LeNet-5, as it was and modernised step by step."""

import keras
from keras import layers

from cifar100.models.arguments import check_word
from cifar100.models.layers import BatchNormalization, Dropout, logits_of

POOLING = {"average": layers.AveragePooling2D, "max": layers.MaxPooling2D}


def lenet5(
    num_classes: int = 100,
    *,
    activation: str = "tanh",
    pooling: str = "average",
    batch_norm: bool = False,
    padding: str = "valid",
    filters: tuple[int, int] = (6, 16),
    dropout: float = 0.0,
) -> keras.Model:
    """LeNet-5: (B, 32, 32, 3) float32 -> (B, num_classes) logits.

    LeCun et al. 1998 (Gradient-based learning applied to document recognition), section
    II-B and figure 2: two 5x5 convolutions, each followed by 2x2 pooling, then dense
    layers of 120 and 84 units. With one grey channel and 10 classes it has the 61,706
    parameters of the usual modern count; the paper's own 60,000 have a sparse table of
    connections, trained pooling and no dense output layer. Differs from the paper in
    three colour channels, in that table, in pooling without trained scale and bias and
    without the squashing function behind it, in a plain tanh, and in a linear
    classifier where the paper has radial basis functions.

    The arguments are what later years changed: `activation` "relu", `pooling` "max",
    `batch_norm` before each activation of a convolution, `padding` "same", more
    `filters`. Dropout stands after each dense layer.

    Raises `ValueError` for another pooling.
    """
    check_word("pooling", pooling, POOLING)
    images = keras.Input((32, 32, 3), name="images")
    x = images
    for count in filters:
        x = layers.Conv2D(count, 5, padding=padding)(x)
        x = BatchNormalization()(x) if batch_norm else x
        x = layers.Activation(activation)(x)
        x = POOLING[pooling](2)(x)  # 14, then 5 pixels; with "same" 16, then 8
    x = layers.Flatten()(x)  # (B, 5 * 5 * 16)
    for units, name in ((120, None), (84, "features")):
        x = layers.Dense(units, activation=activation, name=name)(x)
        x = Dropout(dropout)(x)
    logits = logits_of(x, num_classes)
    return keras.Model(images, logits, name="lenet5")
