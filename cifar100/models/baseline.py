"""The networks that the student built by hand."""

import keras
from keras import layers


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
    x = layers.Dropout(dropout)(x)
    logits = layers.Dense(num_classes, name="logits", dtype="float32")(x)
    return keras.Model(images, logits, name="simple_cnn")
