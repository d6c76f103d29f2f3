"""The same small recipe, augmented online and on stored copies."""

from cifar100.experiments import Experiment

TRANSFORMS = ("flip", "affine", "brightness")
IMAGES = 300

SMALL = {
    "architecture": "simple_cnn",
    "arguments": {"filters": (16, 16), "dense_units": 64},
    "epochs": 2,
}
online = Experiment(name="online", augmentation=TRANSFORMS, **SMALL)
stored = Experiment(
    name="stored",
    augmentation=TRANSFORMS,
    stored_copies=2,
    evaluations=("augmented_before_split", "augmented_after_split"),
    **SMALL,
)
