"""Probabilities that can be taken at their word: how far they can, and temperature.

What judges works on the arrays of `scores.per_image`, which every record keeps; what
changes probabilities needs logits. They meet in `per_image(logits / temperature, …)`.
"""

from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression, minimize_scalar
from scipy.special import log_softmax

from cifar100.training.scores import metrics, per_image

BINS = 15  # of equal width, as in Guo et al. 2017, table 1
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


def reliability(scored: dict[str, np.ndarray], bins: int = BINS) -> list[dict]:
    """Predictions sorted into `bins` by the probability of the predicted class.

    `scored` is what `scores.per_image` gives. A row each, from 0 to 1: `low`, `high`
    (a bin has its upper edge and not its lower one), `images`, `confidence` (their mean
    probability) and `top1`; both are None in an empty bin.
    """
    probability = scored["probability"].astype(np.float64)
    correct = scored["rank"] == 0
    place = np.clip(np.ceil(probability * bins).astype(int) - 1, 0, bins - 1)
    rows = []
    for number in range(bins):
        inside = place == number
        some = bool(inside.any())
        rows.append(
            {
                "low": number / bins,
                "high": (number + 1) / bins,
                "images": int(inside.sum()),
                "confidence": float(probability[inside].mean()) if some else None,
                "top1": float(correct[inside].mean()) if some else None,
            }
        )
    return rows


def errors(scored: dict[str, np.ndarray], bins: int = BINS) -> dict[str, float]:
    """How far probabilities can be taken at their word; 0 is best for each of them.

    `ece`: expected calibration error, the mean distance of confidence and accuracy over
    the bins of `reliability`, weighted by images (Guo et al. 2017, section 2). `nll`:
    mean negative log-probability of the true class, in nats. `brier`: mean squared
    distance of all probabilities from the truth, 0 to 2 (Brier 1950).

    A record keeps float16, so these are exact to about 0.0005.
    """
    rows = [row for row in reliability(scored, bins) if row["images"]]
    apart = [abs(row["confidence"] - row["top1"]) for row in rows]
    log_true = scored["log_probability"].astype(np.float64)
    squares = scored["sum_squares"].astype(np.float64)
    return {
        "ece": float(np.average(apart, weights=[row["images"] for row in rows])),
        "nll": metrics(scored)["loss"],
        "brier": float((squares - 2 * np.exp(log_true) + 1).mean()),
    }


def before_and_after(
    val_logits: np.ndarray, val: np.ndarray, logits: np.ndarray, labels: np.ndarray
) -> dict[str, Any]:
    """What a temperature fitted on val does for other images.

    Logits (N, 100) and labels int (N,) of either. `temperature`; then `before` and
    `after`, each with the values of `errors`, the `top1` and the `bins` of
    `reliability` for `logits`.
    """
    temperature = fit_temperature(val_logits, val)
    found: dict[str, Any] = {"temperature": temperature}
    for name, divisor in (("before", 1.0), ("after", temperature)):
        scored = per_image(logits.astype(np.float64) / divisor, labels)
        top1 = {"top1": metrics(scored)["top1"]}
        found[name] = top1 | errors(scored) | {"bins": reliability(scored)}
    return found


def doubt_below(probability: np.ndarray, correct: np.ndarray) -> float:
    """The top probability under which a prediction is more likely wrong than right.

    `probability` float (N,) is that of the predicted class, `correct` bool (N,). The
    share of right predictions is fitted as a rising function of the probability
    (isotonic regression, as in Zadrozny & Elkan, KDD 2002); we look where it
    reaches one half. 1.0 if it never does, 0.0 if it always has.
    """
    values, place, counts = np.unique(
        probability, return_inverse=True, return_counts=True
    )
    shares = np.bincount(place, correct) / counts  # of equal probabilities together
    even = isotonic_regression(shares, weights=counts).x >= 0.5
    if not even.any():
        return 1.0
    first = int(even.argmax())
    return float(values[first]) if first else 0.0


def summary(logits: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """How right a network is, and what makes its probabilities honest.

    `logits` (N, C) and `labels` int (N,) of images that it was not trained on. Gives
    `temperature`, `doubt_below`, and as `val` images, top1 and top5 (fractions), loss
    (nats), loss_calibrated by the temperature, the share that is doubtful, and
    top1 among those, None if there are none.
    """
    labels = labels.astype(int)
    temperature = fit_temperature(logits, labels)
    scored = per_image(logits, labels)
    found, correct = metrics(scored), scored["rank"] == 0
    top = probabilities(logits, temperature).max(axis=1)
    limit = doubt_below(top, correct)
    doubtful = top < limit
    return {
        "temperature": temperature,
        "doubt_below": limit,
        "val": {
            "images": len(labels),
            "top1": found["top1"],
            "top5": found["top5"],
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
