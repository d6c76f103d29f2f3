"""How much of an experiment a profile trains."""

from dataclasses import dataclass

from cifar100.errors import UserError, suggestion
from cifar100.experiments import Experiment

PROFILES = ("read", "smoke", "quick", "full")
TRAINING_PROFILES = PROFILES[1:]  # `read` trains nothing

# FLOP that a quick run may spend, a forward and a backward pass being 6 for each
# multiply-add: 30 s at 60 GFLOP/s, well under what two quiet cores do with the simple
# CNN (benchmarks/training.py).
QUICK_FLOP = 1.8e12


@dataclass(frozen=True)
class Scale:
    """Images and epochs of a run; `None` is all of them."""

    train_images: int | None = None
    val_images: int | None = None
    test_images: int | None = None
    epochs: int | None = None


def check_profile(profile: str, valid: tuple[str, ...] = PROFILES) -> str:
    """`profile`, or `UserError` with the nearest valid name."""
    if profile not in valid:
        hint = suggestion(str(profile), valid) or f"; one of {', '.join(valid)}"
        raise UserError(f"unknown profile '{profile}'{hint}")
    return profile


def scale(profile: str, experiment: Experiment, macs: int) -> Scale:
    """What `profile` trains of `experiment`, whose network costs `macs` an image.

    `full` is everything and alone counts as evidence. `quick` is three epochs on as
    many images as the budget allows, `smoke` one or two on a few hundred.
    """
    match check_profile(profile, TRAINING_PROFILES):
        case "full":
            return Scale(epochs=experiment.epochs)
        case "quick":
            epochs = min(3, experiment.epochs)
            images = int(QUICK_FLOP / (6 * macs * epochs))
            batches = min(45_000, images) // experiment.batch_size
            images = max(8, batches) * experiment.batch_size
            return Scale(min(images, 45_000), 2_000, 100, epochs)
        case _:
            images = max(256, 2 * experiment.batch_size)
            return Scale(images, 200, 100, min(2, experiment.epochs))
