"""The first step of a run: it compiles, and tells of a changed network or recipe."""

from dataclasses import replace
from typing import Any

import numpy as np

from cifar100.data import Split
from cifar100.models import cost
from cifar100.training.engine import Engine
from cifar100.training.plan import Plan, plan_first_step


def fingerprint(engine: Engine, split: Split) -> dict[str, Any]:
    """`parameters`, `macs` an image of 32 pixels, and `first_step_loss`, the loss of
    the very first training step with seed 0, of which `split` gives the images.

    Leaves the engine some steps on, and compiled for all sizes of its pictures.
    """
    first = first_step_loss(engine, split)
    sides = [side for side, _ in engine.experiment.image_sizes[1:]]
    for side in sides:  # each size is a program
        step = plan_first_step(engine.experiment, len(split.fine))
        _take(engine, split, replace(step, image_sizes=np.array([side])))
    parameters, macs = cost.parameters(engine.model), cost.macs(engine.model)
    return {"parameters": parameters, "macs": macs, "first_step_loss": first}


def first_step_loss(engine: Engine, split: Split) -> float:
    """That loss alone. Leaves the engine one step on, and compiled for it."""
    engine.start(0, split.images)
    engine.seed_dropout(0, 1)
    return _take(engine, split, plan_first_step(engine.experiment, len(split.fine)))


def _take(engine: Engine, split: Split, step: Plan) -> float:
    losses, _ = engine.train_epoch(split.images, split.fine, step)
    return float(losses[0])
