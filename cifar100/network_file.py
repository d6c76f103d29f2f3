"""The weights of a network as one .npz: plain arrays, in which nothing can run."""

import io
from typing import Any

import numpy as np

from cifar100 import pretrained
from cifar100.experiments import Experiment
from cifar100.npz import read_npz


def pack(model: Any, weights: list[np.ndarray]) -> bytes:
    """The file of `weights`, given in the order of `model.weights`.

    `model`, a `keras.Model`, gets them as they are stored: `storable`.
    """
    given = zip(_keys(model), weights, strict=True)
    arrays = {key: storable(value) for key, value in given}
    _assign(model, arrays)
    return _npz(arrays)


def unpack(model: Any, content: bytes) -> None:
    """Put the weights in a file's `content` into `model`; the reverse of `pack`.

    Raises `ValueError`, in one line, for what is no such file, and for one whose arrays
    don't fit.
    """
    try:
        arrays = read_npz(content, largest=len(content))  # `pack` does not compress
    except ValueError as error:
        raise ValueError(f"holds no weights: {error}") from None
    wanted = {key: tuple(v.shape) for key, v in _variables(model).items()}
    stored = {key: value.shape for key, value in arrays.items()}
    if stored != wanted:
        odd = min(key for key, _ in stored.items() ^ wanted.items())
        raise ValueError(
            f"is of another version of this network ({odd}: stored "
            f"{stored.get(odd)}, today {wanted.get(odd)})"
        )
    _assign(model, arrays)


def for_pictures(experiment: Experiment, model: Any) -> Any:
    """The network from pictures to logits, a `keras.Model` with the layers of `model`.

    That is `model` itself, but for a linear head, which takes features: it gets the
    backbone that they come from, with ImageNet weights; raises like `pretrained.load`.
    """
    if experiment.architecture != "linear_head":
        return model
    import keras

    from cifar100 import models

    given = dict(experiment.arguments).items()
    arguments = {key: value for key, value in given if key in ("variant", "image_size")}
    whole = Experiment(name="b", architecture="efficientnet_lite", arguments=arguments)
    backbone = models.build(whole)
    pretrained.load(backbone)
    features = backbone.get_layer("features").output
    return keras.Model(backbone.input, model(features), name=model.name)


def size_of(model: Any) -> int:
    """Bytes that `pack` will give, known before the training."""
    weights = _variables(model).items()
    empty = {key: storable(np.zeros(w.shape, np.float32)) for key, w in weights}
    return len(_npz(empty))


def storable(value: np.ndarray) -> np.ndarray:
    """An array as it is stored: float16 where that costs little, else as it is.

    float16 rounds to one part in 2,048, in numbers from 6e-5 to 65,504. Kernels can
    take that. Vectors stay in float32: batch norm's variances may lie outside of that
    range, and its means may be large against the spread that is left when they are
    subtracted. They are few. A kernel stays, too, when its largest entry is outside.
    """
    largest = np.abs(value).max(initial=0.0)
    limits = np.finfo(np.float16)
    inside = largest == 0 or limits.tiny <= largest <= limits.max
    if value.ndim > 1 and value.dtype == np.float32 and inside:
        return value.astype(np.float16)
    return value


def _keys(model: Any) -> list[str]:
    """Names in the file: place of a weight, and what it is. The paths that Keras gives
    count the layers of a whole session and say nothing to the next one."""
    return [f"{number:03}-{w.name}" for number, w in enumerate(model.weights)]


def _variables(model: Any) -> dict[str, Any]:
    return dict(zip(_keys(model), model.weights, strict=True))


def _assign(model: Any, arrays: dict[str, np.ndarray]) -> None:
    variables = _variables(model)
    for key, value in arrays.items():
        variables[key].assign(value.astype(variables[key].dtype))


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    """Uncompressed: trained weights are noise, and so the size is known beforehand."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()
