"""Keras' optimisers, set up from an experiment."""

import keras

from cifar100.experiments import Experiment

UNDECAYED = ["bias", "gamma", "beta"]  # decay pulls on weights, not on offsets, scales


def optimizer(experiment: Experiment, model: keras.Model) -> keras.optimizers.Optimizer:
    """The optimiser of an experiment, built for the variables of `model`.

    Adam (Kingma & Ba 2015, arXiv:1412.6980), AdamW (Loshchilov & Hutter 2019,
    arXiv:1711.05101) or SGD with Nesterov momentum (Sutskever et al. 2013). Keras'
    decay is decoupled for all three, so Adam with a `weight_decay` *is* AdamW.
    """
    settings = {
        "learning_rate": experiment.learning_rate,
        "weight_decay": experiment.weight_decay or None,
    }
    match experiment.optimizer:
        case "adam":
            chosen = keras.optimizers.Adam(**settings)
        case "adamw":
            settings["weight_decay"] = experiment.weight_decay  # None would be 0.004
            chosen = keras.optimizers.AdamW(**settings)
        case _:
            chosen = keras.optimizers.SGD(
                momentum=experiment.momentum, nesterov=True, **settings
            )
    if experiment.weight_decay:
        chosen.exclude_from_weight_decay(var_names=UNDECAYED)
    chosen.build(model.trainable_variables)
    return chosen
