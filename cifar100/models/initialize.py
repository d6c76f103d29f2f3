"""Initial weights drawn by NumPy, so that every engine starts from the same ones."""

import keras
import numpy as np
from keras import initializers


def initialize(model: keras.Model, seed: int, images: np.ndarray | None = None) -> None:
    """Draw the weights of `model` anew from `seed`, in place.

    Each layer keeps the distribution that its `kernel_initializer` names (Keras' fan
    rules); a layer has a stream of its own, so that a change of one layer leaves the
    draws of those before it alone. Constant initialisers (zeros, ones) stay as built.
    A layer with a method `start_from` is given training `images`, uint8 (N, 32, 32, 3),
    where there are any, and makes its weights from them. Raises `TypeError` for a
    random initialiser that it can't reproduce.
    """
    for number, layer in enumerate(model.layers):
        if isinstance(layer, keras.Model):
            raise TypeError("initialize: nested models would share one stream")
        initializer = getattr(layer, "kernel_initializer", None)
        initializer = initializer or getattr(layer, "depthwise_initializer", None)
        if initializer is None or getattr(layer, "kernel", None) is None:
            continue
        generator = np.random.default_rng(np.random.SeedSequence([seed, number]))
        kernel = draw(initializer, tuple(layer.kernel.shape), generator)
        if isinstance(initializer, Dirac):
            kernel = initializer.over(kernel)
        layer.kernel.assign(kernel.astype("float32"))
        if images is not None and hasattr(layer, "start_from"):
            layer.start_from(images)


@keras.saving.register_keras_serializable("cifar100")
class Dirac(initializers.VarianceScaling):
    """PyTorch's default for convolutions, and the identity over the first filters: as
    many of them as there are inputs pass an input on as it is.

    Zagoruyko & Komodakis 2017 (arXiv:1706.00388); for the first filters only, Jordan
    2024 (arXiv:2404.00498), section 3.3.
    """

    def __init__(self):
        super().__init__(scale=1 / 3, mode="fan_in", distribution="uniform")

    def get_config(self):
        """What Keras needs to make another one: nothing."""
        return {}

    def over(self, kernel: np.ndarray) -> np.ndarray:
        """`kernel` (height, width, inputs, filters) with that identity."""
        height, width, inputs, filters = kernel.shape
        count = min(inputs, filters)
        kernel = kernel.copy()
        kernel[..., :count] = 0.0
        # The pixel itself: in a window of 2, "same" padding puts it first.
        centre = kernel[(height - 1) // 2, (width - 1) // 2]
        centre[range(count), range(count)] = 1.0
        return kernel


def draw(
    initializer: initializers.Initializer,
    shape: tuple[int, ...],
    generator: np.random.Generator,
) -> np.ndarray:
    """A float64 array with the distribution of a Keras variance-scaling initialiser."""
    if not isinstance(initializer, initializers.VarianceScaling):
        name = type(initializer).__name__
        raise TypeError(f"initialize: add {name} before a network uses it")
    receptive_field = int(np.prod(shape[:-2]))
    fan_in, fan_out = (receptive_field * n for n in shape[-2:])
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    variance = initializer.scale / max(1.0, fan[initializer.mode])
    match initializer.distribution:
        case "uniform":
            limit = np.sqrt(3 * variance)
            return generator.uniform(-limit, limit, shape)
        case "untruncated_normal":
            return generator.normal(0, np.sqrt(variance), shape)
        case _:  # truncated at two standard deviations, which shrinks the spread
            return _truncated_normal(generator, shape) * np.sqrt(variance) / 0.87962566


def _truncated_normal(generator: np.random.Generator, shape) -> np.ndarray:
    values = generator.normal(size=shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = generator.normal(size=outside.sum())
    return values
