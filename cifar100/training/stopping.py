"""Early stopping that does not score itself on the images that it stopped on."""

from typing import Any

import numpy as np

from cifar100.experiments import Experiment
from cifar100.training.scores import metrics


def first_half(labels: np.ndarray) -> np.ndarray:
    """Boolean (N,): every other image of each class, starting with its first."""
    half = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        half[np.flatnonzero(labels == label)[::2]] = True
    return half


class Stopping:
    """Stops when the loss on the first half of val has not improved for `patience`
    epochs; what is reported comes from the second half (Prechelt 1998, section 2).

    Without `early_stopping` nothing stops and all of val counts. It has no state: all
    it needs stands in the history, as `stopping_loss`.
    """

    def __init__(self, experiment: Experiment, labels: np.ndarray):
        self.patience = experiment.early_stopping
        self.half = first_half(labels)

    @property
    def on(self) -> bool:
        """Whether the experiment stops early."""
        return self.patience is not None

    def counted(self, scored: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The images that are scored: all of val, or its second half."""
        return _where(scored, ~self.half) if self.on else scored

    def second_half(self, scored: dict[str, np.ndarray]) -> dict[str, float]:
        """The metrics on the second half alone: what a run without early stopping is
        compared by with one that stopped early."""
        return metrics(_where(scored, ~self.half))

    def loss(self, scored: dict[str, np.ndarray]) -> float:
        """The loss to watch, on the first half."""
        return metrics(_where(scored, self.half))["loss"]

    def improved(self, history: list[dict[str, Any]]) -> bool:
        """Whether the last epoch has the lowest loss so far."""
        return self.on and self._age(history) == 0

    def over(self, history: list[dict[str, Any]]) -> bool:
        """Whether patience has run out."""
        return self.on and bool(history) and self._age(history) >= self.patience

    def _age(self, history: list[dict[str, Any]]) -> int:
        losses = [row["stopping_loss"] for row in history]
        return len(losses) - 1 - int(np.argmin(losses))


def _where(scored: dict[str, np.ndarray], mask: np.ndarray) -> dict[str, np.ndarray]:
    return {key: value[mask] for key, value in scored.items()}
