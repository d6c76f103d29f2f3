"""Probabilities that can be taken at their word: temperature, and a line for doubt."""

from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression, minimize_scalar
from scipy.special import log_softmax

BOUNDS = (0.01, 100.0)  # of temperatures; a network that learnt nothing ends at one


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Softmax of `logits / temperature`: float (N, C) -> float64 (N, C)."""
    return np.exp(_log_probabilities(logits, temperature))


def loss(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Mean cross-entropy in nats of logits (N, C), with labels int (N,)."""
    rows = np.arange(len(labels))
    return float(-_log_probabilities(logits, temperature)[rows, labels].mean())


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that makes the loss of logits (N, C) smallest, 0.01 to 100.

    Guo et al. 2017 (arXiv:1706.04599), section 4.2: one number divides all logits, so
    that no prediction changes, only how sure it is. `labels` int (N,) are of images
    that the network was not trained on. Above 1, the network was too sure of itself.
    """
    found = minimize_scalar(
        lambda log_t: loss(logits, labels, np.exp(log_t)),
        bounds=np.log(BOUNDS),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def doubt_below(probability: np.ndarray, correct: np.ndarray) -> float:
    """The top probability under which a prediction is more likely wrong than right.

    `probability` float (N,) is that of the predicted class, `correct` bool (N,). The
    share of right predictions is fitted as a rising function of the probability
    (isotonic regression, as in Zadrozny & Elkan, KDD 2002); we look where it
    reaches one half. 1.0 if it never does, 0.0 if it always has.
    """
    order = np.argsort(probability, kind="stable")
    share = isotonic_regression(correct[order].astype(np.float64)).x
    even = share >= 0.5
    if not even.any():
        return 1.0
    first = int(even.argmax())
    return float(probability[order][first]) if first else 0.0


def summary(logits: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """How right a network is, and what makes its probabilities honest.

    `logits` (N, C) and `labels` int (N,) of images that it was not trained on. Gives
    `temperature`, `doubt_below`, and as `val` images, top1 and top5 (fractions), loss
    (nats), loss_calibrated by the temperature, the share that is doubtful, and
    top1 among those, None if there are none.
    """
    labels = labels.astype(int)
    temperature = fit_temperature(logits, labels)
    calibrated = probabilities(logits, temperature)
    hit = np.argsort(-logits, axis=1, kind="stable")[:, :5] == labels[:, None]
    top, correct = calibrated.max(axis=1), hit[:, 0]
    limit = doubt_below(top, correct)
    doubtful = top < limit
    return {
        "temperature": temperature,
        "doubt_below": limit,
        "val": {
            "images": len(labels),
            "top1": float(correct.mean()),
            "top5": float(hit.any(axis=1).mean()),
            "loss": loss(logits, labels),
            "loss_calibrated": loss(logits, labels, temperature),
            "doubtful": float(doubtful.mean()),
            "doubtful_top1": float(correct[doubtful].mean())
            if doubtful.any()
            else None,
        },
    }


def _log_probabilities(logits: np.ndarray, temperature: float) -> np.ndarray:
    return log_softmax(logits.astype(np.float64) / temperature, axis=1)
