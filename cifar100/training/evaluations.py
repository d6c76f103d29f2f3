"""What is computed once after training, within the run, since weights are not kept."""

from collections.abc import Callable

import numpy as np
from keras import ops

from cifar100 import augment
from cifar100.data import Split
from cifar100.experiments import Experiment
from cifar100.training.engine import EVALUATION_BATCH, Engine
from cifar100.training.scores import metrics, per_image

MASKS = 10  # dropout masks to average over
AVERAGED_SHARE = 0.25  # of the epochs, the last ones, that a weight average covers
Counted = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
MIXING = ("mixup", "cutmix")  # transforms that change labels too


def probabilities(engine: Engine, images: np.ndarray, mode: str = "inference"):
    """Softmax of the logits, float64 (N, 100)."""
    logits = engine.logits(images, mode).astype(np.float64)
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


def mirror_images(images: np.ndarray) -> np.ndarray:
    """Left and right exchanged: (N, H, W, C), same."""
    return np.ascontiguousarray(images[:, :, ::-1])


def flip_tta(engine: Engine, images: np.ndarray) -> np.ndarray:
    """Mean probability of each image and its mirror image, (N, 100)."""
    mirrored = probabilities(engine, mirror_images(images))
    return (probabilities(engine, images) + mirrored) / 2


def mirrored_logits(engine: Engine, val: Split) -> dict[str, np.ndarray]:
    """Logits (N, 100) of val's mirror images, by split, for ensembles of both views;
    none unless the experiment keeps logits and scores both. Those of the test images
    are not asked for anywhere, and git has to carry what is kept."""
    experiment = engine.experiment
    if not experiment.headline or "flip_tta" not in experiment.evaluations:
        return {}
    return {"val": engine.logits(mirror_images(val.images))}


def dropout_averaged(engine: Engine, images: np.ndarray, seed: int) -> np.ndarray:
    """Mean probability over `MASKS` dropout masks, batch norm in inference, (N, 100).

    Gal & Ghahramani 2016 (arXiv:1506.02142), section 4.
    """
    masks = MASKS if engine.experiment.dropout else 1  # without it all are alike
    total = 0.0
    for mask in range(masks):
        engine.seed_dropout(seed, 0, mask)
        total = total + probabilities(engine, images, "dropout")
    return total / masks


def reestimate_batch_norm(engine: Engine, images: np.ndarray) -> None:
    """Set the moving statistics to plain means over the batches of `images`, dropout
    off. Changes the network; a network without batch norm stays as it is."""
    if not engine.batch_norms:
        return
    size = min(engine.experiment.batch_size, len(images))
    starts = range(0, len(images) - size + 1, size)
    batches = [engine.batch_statistics(images[i : i + size]) for i in starts]
    for number, layer in enumerate(engine.batch_norms):
        means, variances = zip(*(batch[number] for batch in batches), strict=True)
        layer.moving_mean.assign(np.mean(means, axis=0))
        layer.moving_variance.assign(np.mean(variances, axis=0))


def unseen_versions(
    experiment: Experiment, seed: int, images: np.ndarray
) -> np.ndarray:
    """Pictures as the recipe augments them in epochs after all that were trained on or
    stored, uint8 (N, 32, 32, 3). Nothing is mixed: each keeps its label."""
    last = experiment.epochs + (experiment.stored_copies or 0)
    alone = tuple(t for t in experiment.augmentation if t not in MIXING)
    padding = experiment.crop_padding
    parts = []
    for first in range(0, len(images), EVALUATION_BATCH):
        part, epoch = images[first : first + EVALUATION_BATCH], last + len(parts) + 1
        drawn = augment.draw(alone, len(part), seed, epoch, crop_padding=padding)
        parts.append(ops.convert_to_numpy(augment.apply(part, drawn)))
    return np.concatenate(parts)


def average(
    mean: list[np.ndarray] | None, weights: list[np.ndarray], epoch: int, epochs: int
) -> list[np.ndarray] | None:
    """The mean of the weights after each of the last epochs, from `mean`, that of those
    before, and the `weights` after `epoch`; None before the last quarter."""
    number = epoch - (epochs - max(1, round(AVERAGED_SHARE * epochs)))
    if number <= 0:
        return None
    pairs = zip(mean or weights, weights, strict=True)
    return [old + (new - old) / number for old, new in pairs]


def evaluate(
    engine: Engine,
    seed: int,
    averaged: list[np.ndarray],
    train: Split,
    val: Split,
    counted: Counted,
) -> dict[str, dict[str, float]]:
    """`top1`, `top5`, `loss` on val for each of the experiment's `evaluations`.

    `averaged` are the weights of "weight_average", the mean after each of the last
    quarter of the epochs; batch-norm statistics are estimated anew for them (Izmailov
    et al. 2018, arXiv:1803.05407, section 3). `counted` leaves the val images that are
    scored: after early stopping not those that it watched.

    "batch_norm_reestimated" takes batch norm's statistics from the training pictures as
    they are, "batch_norm_augmented" from versions of them as the recipe draws them. The
    second cures the lag of moving averages and leaves what augmentation does to them.

    "augmented_before_split" is a WRONG protocol, kept to show how wrong: it scores as
    many training pictures as val has, in versions that were not trained on. That is
    what val would be had the pictures been augmented first and split afterwards: the
    network knows nearly each of them in another version. It says nothing of pictures
    that are new. All of its pictures are augmented, while a real split would set some
    aside as they are. "augmented_after_split" is its fair partner: the val pictures, in
    versions drawn in the same way. Between the two only the pictures differ, known ones
    and new ones.

    The network comes out as it went in.
    """
    found = {}
    for name in engine.experiment.evaluations:
        with engine.kept_weights():
            match name:
                case "flip_tta":
                    mean = flip_tta(engine, val.images)
                case "dropout_averaged":
                    mean = dropout_averaged(engine, val.images, seed)
                case "weight_average":
                    engine.set_weights(averaged)
                    reestimate_batch_norm(engine, train.images)
                    mean = probabilities(engine, val.images)
                case "batch_norm_reestimated":
                    reestimate_batch_norm(engine, train.images)
                    mean = probabilities(engine, val.images)
                case "batch_norm_augmented":
                    known = unseen_versions(engine.experiment, seed, train.images)
                    reestimate_batch_norm(engine, known)
                    mean = probabilities(engine, val.images)
                case "augmented_before_split":
                    found[name] = _before_split(engine, seed, train, len(val.fine))
                    continue
                case "augmented_after_split":
                    changed = unseen_versions(engine.experiment, seed, val.images)
                    mean = probabilities(engine, changed)
                case _:
                    raise ValueError(f"no evaluation '{name}'")
        found[name] = metrics(counted(_scored(mean, val.fine)))
    return found


def _before_split(
    engine: Engine, seed: int, train: Split, images: int
) -> dict[str, float]:
    known = train.images[:images]
    mean = probabilities(engine, unseen_versions(engine.experiment, seed, known))
    return metrics(_scored(mean, train.fine[:images]))


def _scored(mean: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    return per_image(np.log(mean + 1e-30), labels)
