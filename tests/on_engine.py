"""What the engine that KERAS_BACKEND names makes of fixed input: `on_engine.py OUT`.

Run as a script, once for each engine, since a process has only one of them.
"""

import sys

import keras
import numpy as np

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import augment, data
from cifar100.experiments import Experiment
from cifar100.models.resnet import BLOCKS
from cifar100.training.engine import Engine, create
from cifar100.training.plan import plan_epoch

SEED, STEPS, BATCH = 5, 20, 32
TRANSFORMS = {
    "flip": ("flip",),
    "alternating_flip": ("alternating_flip",),
    "crop": ("flip", "crop"),
    "cutout": ("crop", "cutout"),
    "cutmix": ("cutmix",),
    "affine": ("flip", "affine"),
    "brightness": ("brightness",),
    "mixup": ("mixup",),
    "rand_augment": ("rand_augment",),
}
# All kinds of layers and of losses; dropout masks are the engine's own. Factors are
# sums of powers of two: Keras casts them, and TensorFlow's cast goes by way of float32.
RECIPES = {
    "resnet": {
        "architecture": "resnet",
        "arguments": {"depth": 8, "width": 8},
        "augmentation": ("flip", "crop", "cutmix"),
        "optimizer": "sgd",
        "learning_rate": 1e-3,
        "momentum": 0.875,
        "weight_decay": 2**-10,
        "schedule": "one_cycle",
        "label_smoothing": 0.1,
    },
    "baseline": {
        "architecture": "baseline",
        "arguments": {"batch_norm": "after_activation", "shortcut": True},
        "augmentation": ("mixup",),
        "learning_rate": 2e-5,
    },
    "alexnet": {
        "architecture": "alexnet",
        "arguments": {"filters": (8, 16, 16, 16, 16), "dense_units": (64, 64)},
        "optimizer": "adam",
        "learning_rate": 1e-4,
        "weight_decay": 0.125,
    },
    "lenet5": {"architecture": "lenet5"},
    "fast": {
        "architecture": "fast",
        "arguments": {
            "filters": (16, 24, 32),
            "inner": (8, 8, 16),
            "batch_norm_momentum": 0.875,
            "logit_scale": 0.125,
        },
        "augmentation": ("alternating_flip", "crop"),
        "image_sizes": ((16, 0.25), (32, 1)),
        "optimizer": "muon",
        "learning_rate": 2**-5,
        "momentum": 0.875,
        "muon_learning_rate": 2**-7,
        "muon_momentum": 0.625,
        "lookahead": 0.875,
        "schedule": "one_cycle",
        "label_smoothing": 0.25,
    },
}


def engine_of(name: str, precision: str) -> Engine:
    """The engine with one of RECIPES in this precision, from its first step."""
    # A ResNet-8 has all that a ResNet-20 has, and compiles sooner.
    BLOCKS.setdefault(8, (1, 1, 1))
    experiment = Experiment(name=name, batch_size=BATCH, **RECIPES[name])
    object.__setattr__(experiment, "precision", precision)  # float64 is for tests only
    engine = create(experiment, 1)
    if hasattr(engine.optimizer, "beta_1"):
        engine.optimizer.beta_1, engine.optimizer.beta_2 = 1 - 2**-3, 1 - 2**-10
    engine.start(SEED, data.load("train").images[:200])
    return engine


def compute_in(precision: str) -> None:
    """Make Keras, and JAX below it, use this precision throughout."""
    keras.config.set_floatx(precision)
    if keras.backend.backend() == "jax":
        import jax
        from keras.src.backend.common import dtypes

        jax.config.update("jax_enable_x64", precision == "float64")
        # Keras has JAX compute in 32 bits, whatever it is given.
        dtypes.BIT64_TO_BIT32_DTYPE["float64"] = precision


def pictures(images: np.ndarray) -> dict[str, np.ndarray]:
    """The images as each of TRANSFORMS makes them, uint8."""
    made = {}
    for name, transforms in TRANSFORMS.items():
        drawn = augment.draw(transforms, len(images), SEED, 1, crop_padding=4)
        made[f"pictures/{name}"] = np.array(augment.apply(images, drawn))
    return made


def training(images: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Initial weights, losses of the first steps, and what the network says then."""
    found = {}
    for precision in ("float32", "float64"):
        compute_in(precision)
        for name in RECIPES:
            engine = engine_of(name, precision)
            key = f"{precision}/{name}"
            for place, value in enumerate(engine.weights()):
                found[f"weights/{key}/{place}"] = value
            whole = plan_epoch(engine.experiment, SEED, 1, images=len(images), epochs=2)
            plan = whole[:STEPS]
            found[f"losses/{key}"], found[f"correct/{key}"] = engine.train_epoch(
                images, labels, plan
            )
            found[f"logits/{key}"] = engine.logits(images[:100])
            engine.batch_statistics(images[:BATCH])
            found[f"statistics/{key}"] = engine.logits(images[:100])
    return found


if __name__ == "__main__":
    split = data.load("train")
    images = np.array(split.images[: STEPS * BATCH])
    found = pictures(images[:128]) | training(images, split.fine[: len(images)])
    np.savez(sys.argv[1], **found)
