"""What a network is given of each split: pictures, or features of a frozen network."""

import numpy as np

from cifar100 import data
from cifar100.data import Split
from cifar100.experiments import Experiment

SPLITS = ("train", "val", "test")


def load(experiment: Experiment, split: str) -> Split:
    """A split as the network of `experiment` takes it, of the training images those
    that it learns from. Raises like `data.load` and `features.features`."""
    found = data.load(split)
    if experiment.architecture == "linear_head":
        found = Split(_features(experiment, split), found.fine, found.coarse)
    if split == "train" and experiment.images_per_class is not None:
        found = _per_class(found, experiment.images_per_class)
    return found


def first(split: Split, count: int | None) -> Split:
    """The first `count` images of a split; `None` is all."""
    return _take(split, slice(None, count))


def _features(experiment: Experiment, split: str) -> np.ndarray:
    from cifar100.features import features  # here, since other runs need none

    arguments = dict(experiment.arguments)
    return features(arguments.get("variant", 0), arguments.get("image_size", 96), split)


def _per_class(split: Split, count: int) -> Split:
    """The first `count` images of each class, in the order of the split."""
    places = [np.flatnonzero(split.fine == label)[:count] for label in range(100)]
    return _take(split, np.sort(np.concatenate(places)))


def _take(split: Split, which) -> Split:
    return Split(split.images[which], split.fine[which], split.coarse[which])
