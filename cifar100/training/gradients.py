"""Gradients outside of training, on either engine."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


def loss_and_gradients(
    model: keras.Model, loss_of: Callable[[keras.Model], Any]
) -> tuple[float, list[np.ndarray]]:
    """`loss_of(model)`, a scalar, and its gradient for each trainable variable, in the
    variables' shapes, float32. The network stays as it is, moving statistics too.

    Raises `ValueError` on a backend that is neither TensorFlow nor JAX.
    """
    kept = [np.array(v.value) for v in model.non_trainable_variables]
    match keras.backend.backend():
        case "tensorflow":
            loss, gradients = _tensorflow(model, loss_of)
        case "jax":
            loss, gradients = _jax(model, loss_of)
        case other:
            raise ValueError(f"no gradients on {other}; use tensorflow or jax")
    for variable, value in zip(model.non_trainable_variables, kept, strict=True):
        variable.assign(value)
    return float(loss), [np.array(gradient) for gradient in gradients]


def _tensorflow(model, loss_of):
    import tensorflow as tf

    variables = [v.value for v in model.trainable_variables]
    with tf.GradientTape() as tape:
        loss = loss_of(model)
    return loss, tape.gradient(loss, variables)


def _jax(model, loss_of):
    import jax

    def loss_with(values):
        given = zip(model.trainable_variables, values, strict=True)
        with keras.StatelessScope(state_mapping=[*given]):
            return loss_of(model)

    values = [v.value for v in model.trainable_variables]
    return jax.jit(jax.value_and_grad(loss_with))(values)
