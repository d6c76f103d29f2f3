"""Networks to look at, and what there is to see."""

import functools
import math

from keras import layers

from cifar100.experiments import get
from cifar100.models import MODELS, build


@functools.cache
def network(architecture, num_classes=100, **arguments):
    """A network by its function; tests only look at it."""
    return MODELS[architecture](num_classes, **arguments)


@functools.cache
def of(name):
    """The network of an experiment; tests only look at it."""
    return build(get(name))


def kinds(model):
    """Kinds of layers, first to last, without dropout that drops nothing."""
    return [type(x).__name__ for x in model.layers if getattr(x, "rate", 1) != 0]


def every(kind, model):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def convolutions(model, size=None):
    found = every(layers.Conv2D, model)
    return [c for c in found if size is None or c.kernel_size == (size, size)]


def maps(kind, model):
    """Height and width of what each layer of that kind gives."""
    return [layer.output.shape[1:3] for layer in every(kind, model)]


def weights_in(parts):
    return sum(math.prod(weight.shape) for part in parts for weight in part.weights)
