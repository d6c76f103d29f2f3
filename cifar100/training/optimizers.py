"""Keras' optimisers, set up from an experiment."""

import keras
from keras import ops

from cifar100.experiments import Experiment
from cifar100.models.transfer import depths
from cifar100.training.muon import Muon

LOOKAHEAD_STEPS = 5
PRODUCTS = {"mixed_bfloat16": "bfloat16"}  # types that Muon computes in
UNDECAYED = ["bias", "gamma", "beta"]  # decay pulls on weights, not on offsets, scales


def optimizer(experiment: Experiment, model: keras.Model) -> keras.optimizers.Optimizer:
    """The optimiser of an experiment, built for the variables of `model`.

    Adam (Kingma & Ba 2015, arXiv:1412.6980), SGD with Nesterov momentum (Sutskever et
    al. 2013) or `Muon`. Keras' decay is decoupled, so Adam with a `weight_decay` *is*
    AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101).
    """
    settings = {
        "learning_rate": experiment.learning_rate,
        "weight_decay": experiment.weight_decay or None,
    }
    if experiment.lookahead is not None:
        settings |= {"use_ema": True, "ema_overwrite_frequency": LOOKAHEAD_STEPS}
    match experiment.optimizer:
        case "adam":
            chosen = keras.optimizers.Adam(**settings)
        case "muon":
            chosen = Muon(
                momentum=experiment.momentum,
                muon_learning_rate=experiment.muon_learning_rate,
                muon_momentum=experiment.muon_momentum,
                dtype=PRODUCTS.get(experiment.precision),
                **settings,
            )
        case _:
            chosen = keras.optimizers.SGD(
                momentum=experiment.momentum, nesterov=True, **settings
            )
    if experiment.weight_decay:
        chosen.exclude_from_weight_decay(var_names=UNDECAYED)
    chosen.build(model.trainable_variables)
    if experiment.lookahead is not None:
        _look_ahead(chosen, experiment.lookahead)
    if experiment.layer_decay != 1.0:
        _decay_by_layer(chosen, model, experiment.layer_decay)
    return chosen


def _look_ahead(chosen, kept: float) -> None:
    """Lookahead (Zhang et al. 2019, arXiv:1907.08610, algorithm 1): slow weights, which
    `chosen` puts in the place of the trained ones every few steps.

    Just before, they go towards the trained ones and keep the share `kept` of what they
    were. They start where the first step ends. Keras would move them in every step.
    """

    def move(variables):
        step = chosen.iterations + 1
        due = ops.where(ops.equal(step % LOOKAHEAD_STEPS, 0), 1.0 - kept, 0.0)
        share = ops.where(ops.equal(step, 1), 1.0, due)
        slow_weights = chosen._model_variables_moving_average
        for variable, slow in zip(variables, slow_weights, strict=True):
            slow.assign(slow + ops.cast(share, variable.dtype) * (variable - slow))

    chosen._update_model_variables_moving_average = move


def _decay_by_layer(chosen, model: keras.Model, decay: float) -> None:
    """Multiply the rate of a pretrained block by `decay` once for itself and once for
    each block above it (Howard & Ruder 2018, arXiv:1801.06146, section 3.2)."""
    found = depths(model)
    top = max(found.values(), default=0)
    by_path = {
        variable.path: decay ** (top + 1 - found[layer.name])
        for layer in model.layers
        if layer.name in found
        for variable in layer.trainable_variables
    }
    factors = [by_path.get(v.path, 1.0) for v in model.trainable_variables]
    step = chosen.update_step

    def update_step(gradient, variable, learning_rate):
        # By its place: TensorFlow hands over variables of its own, without a path.
        factor = factors[chosen._get_variable_index(variable)]
        step(gradient, variable, learning_rate * factor)

    chosen.update_step = update_step
