"""The plan of one epoch, drawn on the host from (seed, epoch)."""

from dataclasses import dataclass, replace

import numpy as np

from cifar100 import augment
from cifar100.experiments import Experiment
from cifar100.training.schedules import learning_rates


@dataclass(frozen=True)
class Plan:
    """`order` int (steps, batch): which images; `parameters` by transform, each (steps,
    batch, …); `learning_rates` float32 (steps,). The last partial batch is dropped."""

    order: np.ndarray
    parameters: dict[str, np.ndarray]
    learning_rates: np.ndarray

    def first(self, steps: int) -> "Plan":
        """The plan of the first `steps` steps only."""
        parameters = {key: value[:steps] for key, value in self.parameters.items()}
        rates = self.learning_rates[:steps]
        return replace(
            self, order=self.order[:steps], parameters=parameters, learning_rates=rates
        )


def steps_per_epoch(experiment: Experiment, images: int) -> int:
    """Full batches in an epoch."""
    return images // experiment.batch_size


def plan_epoch(
    experiment: Experiment, seed: int, epoch: int, *, images: int, epochs: int
) -> Plan:
    """Epoch `epoch` (from 1) of `epochs` over `images` training images."""
    steps = steps_per_epoch(experiment, images)
    shape = (steps, experiment.batch_size)
    count = steps * experiment.batch_size
    online = experiment.augmentation if experiment.stored_copies is None else ()
    drawn = augment.draw(
        online,
        count,
        seed,
        epoch,
        crop_padding=experiment.crop_padding,
        batch_size=experiment.batch_size,
    )
    rates = learning_rates(experiment, epochs * steps)
    return Plan(
        order=augment.order(images, seed, epoch)[:count].reshape(shape),
        parameters={k: v.reshape(*shape, *v.shape[1:]) for k, v in drawn.items()},
        learning_rates=rates[(epoch - 1) * steps : epoch * steps],
    )
