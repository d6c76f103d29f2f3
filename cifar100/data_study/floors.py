"""Classifiers without a network: what any network has to beat."""

from collections.abc import Callable

import numpy as np

from cifar100 import data
from cifar100.data_study.images import shrink


def class_means(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean feature vector of each of the 100 classes: (N, D) -> (100, D)."""
    return np.array([features[labels == label].mean(0) for label in range(100)])


def nearest_class(
    train: np.ndarray,
    labels: np.ndarray,
    new: np.ndarray,
) -> np.ndarray:
    """The class whose mean over `train` is nearest to a row of `new`: (N,) int."""
    return _squared_distances(new, class_means(train, labels)).argmin(1)


def neighbours_vote(
    train: np.ndarray, labels: np.ndarray, new: np.ndarray, k: int = 10
) -> np.ndarray:
    """For each row of `new`, the class that most of its `k` nearest rows of `train`
    have; among equals, the class of the nearest of them: (N,) int."""
    votes = []
    for start in range(0, len(new), 500):
        distances = _squared_distances(new[start : start + 500], train)
        nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
        order = np.take_along_axis(distances, nearest, 1).argsort(1)
        votes += map(_vote, labels[np.take_along_axis(nearest, order, 1)])
    return np.array(votes)


def score(predictions: np.ndarray, fine: np.ndarray) -> dict[str, float]:
    """Top-1 over the 100 classes and, from the same predictions, over the 20."""
    coarse = data.COARSE_OF_FINE
    return {
        "val_top1": float((predictions == fine).mean()),
        "val_coarse_top1": float((coarse[predictions] == coarse[fine]).mean()),
    }


def floors(count: int | None = None) -> list[dict]:
    """Scores on val of four classifiers that compare pixels with those of the first
    `count` train images (all): name, how many numbers it sees of an image, scores."""
    train, val = data.load("train"), data.load("val")
    labels = train.fine[:count]
    rules: list[tuple[str, int, Callable]] = [
        ("nearest class, mean colour", 1, nearest_class),
        ("nearest class, 8 × 8 pixels", 8, nearest_class),
        ("nearest class, all pixels", 32, nearest_class),
        ("10 nearest images, 8 × 8 pixels", 8, neighbours_vote),
    ]
    rows = []
    for name, side, rule in rules:
        known, new = (
            shrink(images, side).reshape(len(images), -1)
            for images in (train.images[:count], val.images)
        )
        result = score(rule(known, labels, new), val.fine)
        rows.append({"classifier": name, "numbers": known.shape[1], **result})
    return rows


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of all rows, to each other: (N, D), (M, D) -> (N, M)."""
    return (a * a).sum(1)[:, None] - 2 * a @ b.T + (b * b).sum(1)


def _vote(labels: np.ndarray) -> int:
    """The most frequent label; of equals the one that comes first."""
    counts = np.bincount(labels, minlength=100)
    return int(max(labels, key=counts.__getitem__))
