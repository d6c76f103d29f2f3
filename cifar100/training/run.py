"""What one run hands over: its history and what it says of each image."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cifar100.experiments import Experiment


@dataclass
class Run:
    """One experiment trained with one seed.

    `history` holds a row per epoch: epoch (from 1), learning_rate (of its last step),
    train_loss and train_top1 (running, in training mode), val_loss, val_top1, seconds
    (of training), evaluation_seconds, and with early stopping stopping_loss. `val` and
    `test` hold what `scores.per_image` gives; `logits`, kept for headline experiments,
    what that was made from, (N, 100) by split, and `mirrored` the same of val's mirror
    images where those are scored too. `metrics` are the final figures,
    `val_second_half_top1` that on the half of val which early stopping does not watch;
    `evaluations` are those of the extra evaluations, `facts` everything else that a
    record states: device, versions, times, fingerprint. `weights` are those of the
    network, in the order of `model.weights`; no record has them.
    """

    experiment: Experiment
    seed: int
    profile: str
    history: list[dict[str, Any]]
    val: dict[str, np.ndarray]
    test: dict[str, np.ndarray]
    metrics: dict[str, float]
    evaluations: dict[str, dict[str, float]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    weights: list[np.ndarray] = field(default_factory=list, repr=False)
    logits: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    mirrored: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
