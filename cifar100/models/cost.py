"""What a network costs: parameters and multiply-adds."""

import math

import keras
from keras import layers


def parameters(model: keras.Model) -> int:
    """Trainable parameters."""
    return sum(math.prod(v.shape) for v in model.trainable_variables)


def macs(model: keras.Model, side: int = 32) -> int:
    """Multiply-adds of one forward pass of one image, of `side` pixels where the
    network takes any size.

    Convolutions and dense layers only, as papers count them: normalisation, activation
    and pooling are left out. Raises `TypeError` for a layer with weights that it does
    not know, so that a new kind of layer can't be counted as free.
    """
    if None in model.input_shape[1:]:
        images = keras.Input((side, side, 3))
        model = keras.models.clone_model(model, input_tensors=images)
    return sum(_layer_macs(layer) for layer in model.layers)


def _layer_macs(layer: keras.Layer) -> int:
    match layer:
        case keras.Model():
            return macs(layer)
        case layers.DepthwiseConv2D():
            positions = math.prod(layer.output.shape[1:])
            return positions * math.prod(layer.kernel_size)
        case layers.Conv2D():
            height, width, channels, filters = layer.kernel.shape
            positions = math.prod(layer.output.shape[1:3])
            return positions * height * width * channels * filters
        case layers.Dense():
            positions = math.prod(layer.output.shape[1:-1])
            return positions * math.prod(layer.kernel.shape)
        case layers.BatchNormalization():
            return 0
        case _ if layer.weights:
            raise TypeError(f"macs: add {type(layer).__name__} to the cost model")
        case _:
            return 0
