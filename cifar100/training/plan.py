"""The plan of one epoch, drawn on the host from (seed, epoch)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cifar100 import augment
from cifar100.errors import UserError
from cifar100.experiments import Experiment
from cifar100.training.schedules import learning_rates


@dataclass(frozen=True)
class Plan:
    """`order` int (steps, batch): which images; `parameters` by transform, each (steps,
    batch, …); `learning_rates` float32 (steps,); `image_sizes` int (steps,): the side
    of the pictures in pixels. The last partial batch is dropped."""

    order: np.ndarray
    parameters: dict[str, np.ndarray]
    learning_rates: np.ndarray
    image_sizes: np.ndarray

    def __getitem__(self, steps: slice) -> "Plan":
        """The plan of some of its steps."""
        return Plan(
            order=self.order[steps],
            parameters={key: value[steps] for key, value in self.parameters.items()},
            learning_rates=self.learning_rates[steps],
            image_sizes=self.image_sizes[steps],
        )

    def parts(self) -> Iterator["Plan"]:
        """The plan in parts of one image size each, with the matrices that resize to
        it among the parameters, (steps, side, 32)."""
        changes = np.flatnonzero(np.diff(self.image_sizes)) + 1
        for first, last in pairwise([0, *changes, len(self.order)]):
            part = self[first:last]
            if (side := int(part.image_sizes[0])) != augment.SIZE:
                matrix = augment.resizing_matrix(side)
                each = np.broadcast_to(matrix, (last - first, *matrix.shape))
                part.parameters["resize"] = each
            yield part


def steps_per_epoch(experiment: Experiment, images: int) -> int:
    """Full batches in an epoch; `UserError` if there is none."""
    if images < experiment.batch_size:
        raise UserError(
            f"{experiment.name}: {images} training images make no batch of "
            f"{experiment.batch_size}; make batch_size smaller"
        )
    return images // experiment.batch_size


def image_sizes(experiment: Experiment, steps: int) -> np.ndarray:
    """The side of the pictures in each of all `steps` of a run, in pixels (steps,)."""
    sides = np.full(steps, augment.SIZE)
    for side, share in reversed(experiment.image_sizes):
        sides[: round(share * steps)] = side
    return sides


def plan_epoch(
    experiment: Experiment, seed: int, epoch: int, *, images: int, epochs: int
) -> Plan:
    """Epoch `epoch` (from 1) of `epochs` over `images` training images."""
    steps = steps_per_epoch(experiment, images)
    shape = (steps, experiment.batch_size)
    count = steps * experiment.batch_size
    order = augment.order(images, seed, epoch)[:count]
    online = experiment.augmentation if experiment.stored_copies is None else ()
    drawn = augment.draw(
        online,
        count,
        seed,
        epoch,
        crop_padding=experiment.crop_padding,
        batch_size=experiment.batch_size,
        images=order,
    )
    if experiment.unchanged:
        chance = augment.generator(seed, epoch, "unchanged").random(count)
        drawn = augment.spared(drawn, chance < experiment.unchanged)
    here = slice((epoch - 1) * steps, epoch * steps)
    return Plan(
        order=order.reshape(shape),
        parameters={k: v.reshape(*shape, *v.shape[1:]) for k, v in drawn.items()},
        learning_rates=learning_rates(experiment, epochs * steps)[here],
        image_sizes=image_sizes(experiment, epochs * steps)[here],
    )


def plan_first_step(experiment: Experiment, images: int) -> Plan:
    """The very first step of seed 0 over `images` training images."""
    epochs = experiment.epochs
    return plan_epoch(experiment, 0, 1, images=images, epochs=epochs)[:1]
