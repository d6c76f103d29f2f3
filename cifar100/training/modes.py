"""Ways to run a network that are neither training nor inference.

Keras has one switch, `training`, for dropout and batch norm together. To tell which of
the two does what, we need them apart. Each of these holds while the network is *called*
(or traced), and puts the layers back.
"""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def dropout_off(model: keras.Model) -> Iterator[None]:
    """Dropout layers pass everything, whatever `training` says."""
    with _set(model, "rate", 0.0, having="seed_generator"):
        yield


@contextlib.contextmanager
def statistics_fixed(model: keras.Model) -> Iterator[None]:
    """Batch norm uses its moving statistics, whatever `training` says."""
    with _set(model, "trainable", False, having="moving_mean"):
        yield


@contextlib.contextmanager
def statistics_of_batch(model: keras.Model) -> Iterator[None]:
    """Moving statistics become those of the batch: momentum 0."""
    with _set(model, "momentum", 0.0, having="moving_mean"):
        yield


@contextlib.contextmanager
def _set(model, attribute, value, *, having) -> Iterator[None]:
    layers = [layer for layer in model.layers if hasattr(layer, having)]
    kept = [getattr(layer, attribute) for layer in layers]
    for layer in layers:
        setattr(layer, attribute, value)
    try:
        yield
    finally:
        for layer, old in zip(layers, kept, strict=True):
            setattr(layer, attribute, old)
