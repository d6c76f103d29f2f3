"""Which classes are taken for which, and how wrong the wrong answers are."""

from typing import Any

import numpy as np
import pandas as pd

from cifar100.calibration import probabilities
from cifar100.class_names import COARSE_NAMES, COARSE_OF_FINE, FINE_NAMES

CLASSES, SUPERCLASSES = len(FINE_NAMES), len(COARSE_NAMES)
# The 100 classes, those of a superclass beside each other.
BY_SUPERCLASS = np.argsort(COARSE_OF_FINE, kind="stable")
# The share of near errors, see `kinship`, where one guesses among the other classes.
NEAR_AT_RANDOM = (CLASSES // SUPERCLASSES - 1) / (CLASSES - 1)


def confusion(predictions: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How often each class (row) was called each class (column): (100, 100) int64.

    `predictions` and `labels` are class ids, (N,).
    """
    places = labels.astype(np.int64) * CLASSES + predictions
    return np.bincount(places, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def of_superclasses(counts: np.ndarray) -> np.ndarray:
    """The same counts for superclasses: (100, 100) -> (20, 20)."""
    member = np.eye(SUPERCLASSES, dtype=np.int64)[COARSE_OF_FINE]  # (100, 20)
    return member.T @ counts @ member


def confused_pairs(counts: np.ndarray, most: int = 10) -> list[dict[str, Any]]:
    """The pairs of classes that are taken for one another most often.

    A row each, the most errors first: `one`, `other` (names), `errors` (both ways),
    `one_as_other`, `other_as_one` (counts) and `same_superclass`.
    """
    both = np.triu(counts + counts.T, 1)
    order = np.argsort(-both, axis=None, kind="stable")[:most]
    pairs = zip(*np.unravel_index(order, both.shape), strict=True)
    return [
        {
            "one": FINE_NAMES[a],
            "other": FINE_NAMES[b],
            "errors": int(both[a, b]),
            "one_as_other": int(counts[a, b]),
            "other_as_one": int(counts[b, a]),
            "same_superclass": bool(COARSE_OF_FINE[a] == COARSE_OF_FINE[b]),
        }
        for a, b in pairs
        if both[a, b]
    ]


def by_class(counts: np.ndarray) -> pd.DataFrame:
    """Top-1 of each class, the lowest first: `name`, `superclass`, `top1`."""
    right = np.diag(counts) / np.maximum(counts.sum(axis=1), 1)
    table = pd.DataFrame(
        {
            "name": FINE_NAMES,
            "superclass": [COARSE_NAMES[group] for group in COARSE_OF_FINE],
            "top1": right,
        }
    )
    return table.sort_values("top1", kind="stable", ignore_index=True)


def kinship(counts: np.ndarray) -> dict[str, float]:
    """Shares of all images: `right`, `near` (wrong, the superclass right) and `far`.

    `near_of_errors` is the share of the wrong answers that are near; of answers drawn
    at random from the other classes it would be `NEAR_AT_RANDOM`, 4 of 99.
    """
    total, right = counts.sum(), np.trace(counts)
    near = np.trace(of_superclasses(counts)) - right
    wrong = total - right
    return {
        "right": float(right / total),
        "near": float(near / total),
        "far": float((wrong - near) / total),
        "near_of_errors": float(near / wrong) if wrong else 0.0,
    }


def guesses(
    scored: dict[str, np.ndarray], image: int, most: int = 3
) -> list[tuple[str, float]]:
    """The likeliest classes of one image with their probabilities, the first one first.

    All `most` of them where `scored` has `logits`; else only the class predicted, which
    is all that a record without logits knows.
    """
    if "logits" not in scored:
        label = int(scored["predictions"][image])
        return [(FINE_NAMES[label], float(scored["probability"][image]))]
    p = probabilities(scored["logits"][[image]])[0]
    return [(FINE_NAMES[i], float(p[i])) for i in np.argsort(-p, kind="stable")[:most]]


def surest_errors(scored: dict[str, np.ndarray], most: int) -> np.ndarray:
    """Indices of the wrong predictions with the highest probability, the highest first;
    at most `most` of them. `scored` is what `scores.per_image` gives."""
    wrong = np.flatnonzero(scored["rank"] > 0)
    order = np.argsort(-scored["probability"][wrong].astype(np.float64), kind="stable")
    return wrong[order[:most]]
