"""The student's steps, in the order in which they were taken.

The student's own recipe is the root of all: Adam at a constant rate of 1e-3, batches of
128, no augmentation, no weight decay. What the student's text leaves open was assumed
once, for all runs: 15 epochs, and networks small enough for a laptop. One module for
one or two notebooks; each experiment changes one setting of its parent.
"""

from cifar100.experiments.ladder import (
    augmentation,
    baseline,
    classics,
    deep,
    dropout,
    first,
    schedules,
    shapes,
)

LADDER = (
    *first.EXPERIMENTS,
    *classics.EXPERIMENTS,
    *baseline.EXPERIMENTS,
    *dropout.EXPERIMENTS,
    *schedules.EXPERIMENTS,
    *shapes.EXPERIMENTS,
    *deep.EXPERIMENTS,
    *augmentation.EXPERIMENTS,
)
