"""Images and plain facts about them: sizes, counts, colours."""

from typing import NamedTuple

import numpy as np

from cifar100 import data


class OfficialTraining(NamedTuple):
    """Training images in the order of the official file."""

    images: np.ndarray  # (N, 32, 32, 3) uint8
    fine: np.ndarray  # (N,) uint8
    in_val: np.ndarray  # (N,) bool: which of them our split keeps for validation


def official_training(count: int | None = None) -> OfficialTraining:
    """The official 50,000 training images, train and val together; the first `count`.

    Raises like `data.load`.
    """
    indices = data.split_index()
    splits = data.load("train"), data.load("val")
    total = sum(map(len, indices))
    images = np.empty((total, 32, 32, 3), np.uint8)
    fine, in_val = np.empty(total, np.uint8), np.zeros(total, bool)
    for index, split in zip(indices, splits, strict=True):
        images[index], fine[index] = split.images, split.fine
    in_val[indices[1]] = True
    return OfficialTraining(images[:count], fine[:count], in_val[:count])


def split_sizes() -> list[dict]:
    """One row a split: number of images, shape, dtype, fewest and most of a class.

    The labels of the test split stay closed: its row has no counts of classes.
    """
    rows = []
    for name in data.SPLITS:
        split = data.load(name)
        row = {
            "split": name,
            "images": len(split.images),
            "shape": " × ".join(map(str, split.images.shape[1:])),
            "dtype": str(split.images.dtype),
        }
        if name != "test":
            counts = np.bincount(split.fine, minlength=100)
            row |= {"fewest of a class": int(counts.min())}
            row |= {"most of a class": int(counts.max())}
        rows.append(row)
    return rows


def one_of_each(fine: np.ndarray, place: int = 0) -> np.ndarray:
    """Index of the first image of each class, or of the one at `place`: (100,) int."""
    return np.array([np.flatnonzero(fine == label)[place] for label in range(100)])


def shrink(images: np.ndarray, side: int) -> np.ndarray:
    """Images averaged over square blocks: (N, 32, 32, 3) uint8 -> (N, side, side, 3)
    float32 in [0, 1]; `side` divides 32."""
    block, wide = 32 // side, 32 * 3
    rows = images.reshape(-1, block, wide).sum(1, dtype=np.float32)
    sums = rows.reshape(-1, block, 3).sum(1)
    return (sums / (255 * block * block)).reshape(-1, side, side, 3)


def colours() -> dict:
    """Mean and standard deviation of each channel over the official training images,
    and the mean colour of each class over the train split; lists of values in [0, 1].
    """
    images, train = official_training().images, data.load("train")
    rows = images.reshape(len(images), -1)
    parts = np.array_split(rows, 50)  # squares of all at once would take gigabytes
    squares = sum((part.astype(np.uint32) ** 2).sum(0) for part in parts)
    mean, square = (
        sums.reshape(-1, 3).mean(0) / len(images)  # over places, then over images
        for sums in (rows.sum(0, dtype=np.uint64) / 255, squares / 255**2)
    )
    image_means = shrink(train.images, 1).reshape(-1, 3)
    classes = [image_means[train.fine == label].mean(0) for label in range(100)]
    return {
        "mean": mean.tolist(),
        "std": np.sqrt(square - mean**2).tolist(),
        "classes": np.array(classes).tolist(),
    }
