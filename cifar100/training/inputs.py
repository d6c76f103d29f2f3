"""What a network is given of each split: pictures, or features of a frozen network."""

import numpy as np

from cifar100 import data
from cifar100.data import Split
from cifar100.experiments import Experiment
from cifar100.training.plan import plan_first_step

SPLITS = ("train", "val", "test")


def load(experiment: Experiment, split: str) -> Split:
    """A split as the network of `experiment` takes it, of the training images those
    that it learns from. Raises like `data.load` and `features.features`."""
    found = data.load(split)
    if experiment.architecture == "linear_head":
        from cifar100.features import features  # here, since other runs need none

        seen = features(*_network(experiment), split)
        found = Split(seen, found.fine, found.coarse)
    if split == "train" and experiment.images_per_class is not None:
        found = _per_class(found, experiment.images_per_class)
    return found


def first(split: Split, count: int | None) -> Split:
    """The first `count` images of a split; `None` is all."""
    return _take(split, slice(None, count))


def for_first_step(experiment: Experiment) -> Split:
    """The training images as far as the first step of seed 0 needs them: as `load`
    gives them, but of features only those that the step takes, the others are 0.

    A few seconds, where the features of all images take minutes. Raises like `load`.
    """
    if experiment.architecture != "linear_head":
        return load(experiment, "train")
    from cifar100.features import FEATURES, features_of

    found = data.load("train")
    if experiment.images_per_class is not None:
        found = _per_class(found, experiment.images_per_class)
    count = len(found.fine)
    taken = plan_first_step(experiment, count).order[0]
    seen = np.zeros((count, FEATURES), np.float32)
    seen[taken] = features_of(*_network(experiment), found.images[taken])
    return Split(seen, found.fine, found.coarse)


def _network(experiment: Experiment) -> tuple[int, int]:
    """Variant and image size of the frozen network that features come from."""
    arguments = dict(experiment.arguments)
    return arguments.get("variant", 0), arguments.get("image_size", 96)


def _per_class(split: Split, count: int) -> Split:
    """The first `count` images of each class, in the order of the split."""
    places = [np.flatnonzero(split.fine == label)[:count] for label in range(100)]
    return _take(split, np.sort(np.concatenate(places)))


def _take(split: Split, which) -> Split:
    return Split(split.images[which], split.fine[which], split.coarse[which])
