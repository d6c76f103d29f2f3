"""Online augmentation beside the layers of Keras and KerasCV, and in a training step.

    python benchmarks/augmentation.py --rounds 5

Batches of 128 uint8 pictures. Ours counts the draw on the host too, for as many batches
as an epoch of this benchmark has; layers draw inside. All run in one `tf.function`
each, as one would use them, in turns. The training step is ResNet-20's, with and
without what it augments.

The rivals do not always do the same work, or the right one. As read in Keras 3.15 and
KerasCV 0.9:

- Keras' RandomCrop takes one place for the whole batch; so its RandomTranslation stands
  here, with whole pixels asked for (it blurs unless told `interpolation="nearest"`).
- Keras' RandAugment draws one list of operations for the whole batch and works all
  eleven out, twice; KerasCV's has no rotation, sharpness or posterize. Both draw the
  strength anew for each picture.
- Keras' CutMix never lets a box cross the border, and takes the label's share from the
  box before its corners fall on pixels; KerasCV's takes it from the box before it is
  cut off at the border. Either way the label's share is not that of the pixels.
- Both brightness layers add to a picture, ours multiplies it (ImageDataGenerator).
- Rotation, shift and zoom are three layers, so three times interpolated.
- CutMix and MixUp want a dict of float pictures and one-hot float labels. Both draw a
  weight for each picture, ours one for the batch, as in the papers' code.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import measure
import numpy as np

from cifar100.training import environment

BATCH, STEPS = 128, 8
ROWS = {
    "flip and crop": ("flip", "crop"),
    "flip, rotation, shift, zoom": ("flip", "affine"),
    "brightness": ("brightness",),
    "cutout": ("cutout",),
    "mixup": ("mixup",),
    "CutMix": ("cutmix",),
    "RandAugment": ("rand_augment",),
}
GOALS = ("flip and crop", "RandAugment", "CutMix")  # at least the best of the others
GOAL_SHARE = 0.1  # of ResNet-20's training step, at most
NOTHING = "nothing"
Answer = Callable[[str, float], dict[str, Any]]


def rivals(library: str) -> dict[str, tuple]:
    """The layers of one library by row; those of a tuple one after the other."""
    import keras
    import keras_cv

    plain, extra = keras.layers, keras_cv.layers
    layers = {"Keras": plain, "KerasCV": extra}[library]
    flip = layers.RandomFlip("horizontal")
    nearest = {"fill_mode": "nearest"}
    whole = {"fill_mode": "reflect", "interpolation": "nearest"}
    apart = {
        "Keras": {
            "flip and crop": (flip, plain.RandomTranslation(4 / 32, 4 / 32, **whole)),
            "cutout": (plain.RandomErasing(1.0, scale=(1 / 16, 1 / 16), fill_value=0),),
            "CutMix": (plain.CutMix(),),
            "RandAugment": (plain.RandAugment((0, 255), num_ops=2, factor=0.9),),
        },
        "KerasCV": {
            "flip and crop": (flip, plain.ZeroPadding2D(4), extra.RandomCrop(32, 32)),
            "cutout": (extra.RandomCutout(8 / 32, 8 / 32),),
            "CutMix": (extra.CutMix(alpha=1.0),),
            "RandAugment": (extra.RandAugment((0, 255), 2, magnitude=0.9),),
        },
    }
    return apart[library] | {
        "flip, rotation, shift, zoom": (
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(15 / 360, **nearest),
            layers.RandomTranslation(0.1, 0.1, **nearest),
            layers.RandomZoom(0.1, 0.1, **nearest),
        ),
        "brightness": (layers.RandomBrightness(0.2),),
        "mixup": (layers.MixUp(alpha=1.0),),
    }


def work_of_layers(row: str, layers: tuple) -> Callable[[], int]:
    """Augment every batch by Keras layers; how many pictures that were."""
    import tensorflow as tf

    images, labels = measure.pictures(STEPS * BATCH, BATCH)
    batches = list(images.reshape(STEPS, BATCH, 32, 32, 3))
    if row in ("mixup", "CutMix"):
        classes = np.eye(100, dtype=np.float32)[labels].reshape(STEPS, BATCH, 100)
        pairs = zip(batches, classes, strict=True)
        batches = [{"images": np.float32(i), "labels": c} for i, c in pairs]

    @tf.function
    def augmented(batch):
        for layer in layers:
            batch = layer(batch, training=True)
        return batch

    def work():
        for batch in batches:
            augmented(batch)
        return STEPS * BATCH

    return work


def work_of_ours(transforms: tuple[str, ...]) -> Callable[[], int]:
    """Draw an epoch and augment its batches; how many pictures that were."""
    import tensorflow as tf

    from cifar100 import augment

    images, _ = measure.pictures(STEPS * BATCH, BATCH)
    batches = images.reshape(STEPS, BATCH, 32, 32, 3)
    augmented = tf.function(augment.apply)

    def work():
        drawn = augment.draw(
            transforms, STEPS * BATCH, 0, 1, crop_padding=4, batch_size=BATCH
        )
        for step, batch in enumerate(batches):
            here = slice(step * BATCH, (step + 1) * BATCH)
            augmented(batch, {key: values[here] for key, values in drawn.items()})
        return STEPS * BATCH

    return work


def layers_alone(threads: int) -> Answer:
    """Ours, Keras' and KerasCV's in one process: `row|who` -> pictures a second."""
    import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)

    set_threads(threads)
    works = {f"{row}|ours": work_of_ours(names) for row, names in ROWS.items()}
    for library in ("Keras", "KerasCV"):
        for row, layers in rivals(library).items():
            works[f"{row}|{library}"] = work_of_layers(row, layers)
    for work in works.values():
        work()
    return lambda kind, seconds: {"speed": speed(works[kind], seconds)}


def training_step(threads: int) -> Answer:
    """ResNet-20's compiled step with each set of transforms: pictures a second."""
    from cifar100.experiments import Experiment
    from cifar100.training.engine import create
    from cifar100.training.plan import plan_epoch

    images, labels = measure.pictures(STEPS * BATCH, BATCH)
    made = create(Experiment(name="step", architecture="resnet"), threads)
    made.start(0)

    def steps(plan):
        made.train_epoch(images, labels, plan)
        return plan.order.size

    works = {}
    for row, transforms in ({NOTHING: ()} | ROWS).items():
        one = Experiment(name="one", architecture="resnet", augmentation=transforms)
        plan = plan_epoch(one, 0, 1, images=len(images), epochs=1)[:2]
        works[row] = partial(steps, plan)
        works[row]()
    return lambda kind, seconds: {"speed": speed(works[kind], seconds)}


def set_threads(threads: int) -> None:
    """As the engine has it, but without its deterministic kernels: layers that draw
    inside do not run with those."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def speed(work: Callable[[], int], seconds: float) -> float:
    """Pictures a second of as many calls of `work` as start within `seconds`."""
    began, pictures = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds or not pictures:
        pictures += work()
    return pictures / spent


CONTENDERS = {"layers": layers_alone, "step": training_step}


def serve(name: str) -> None:
    """Be one process: answer `kind:seconds` with its speed."""
    answer = CONTENDERS[name](environment.cores())

    def answered(question: str) -> dict[str, Any]:
        kind, seconds = question.split(":")
        return answer(kind, float(seconds))

    measure.serve(answered)


def measured(rounds: int, seconds: float) -> tuple[measure.Repeats, measure.Repeats]:
    """Pictures a second: of `row|who` alone, and of the training step by row."""

    def ask(process, kind, seconds):
        return process.ask(f"{kind}:{seconds}")["speed"]

    kinds = [f"{row}|{who}" for row in ROWS for who in ("ours", "Keras", "KerasCV")]
    command = [sys.executable, __file__, "--serve"]
    with (
        measure.Contender([*command, "layers"]) as layers,
        measure.Contender([*command, "step"]) as step,
    ):
        ask(layers, kinds[0], 0)  # warm before anything is measured
        ask(step, NOTHING, 0)
        alone = {kind: partial(ask, layers, kind, seconds) for kind in kinds}
        # A step takes long, and a difference of a few percent is looked for.
        steps = {row: partial(ask, step, row, 3 * seconds) for row in (NOTHING, *ROWS)}
        found = measure.in_turns(alone | steps, rounds)
    return tuple({k: found[k] for k in part} for part in (alone, steps))


def summed_up(alone: measure.Repeats, steps: measure.Repeats) -> dict[str, Any]:
    """Speeds by row, ours against the faster rival, and our share of the step."""
    found: dict[str, Any] = {"pictures_per_second": {}, "ours_to_best": {}}
    for row in ROWS:
        mine = {who: alone[f"{row}|{who}"] for who in ("ours", "Keras", "KerasCV")}
        best = max(("Keras", "KerasCV"), key=lambda who: statistics.median(mine[who]))
        found["pictures_per_second"][row] = measure.summary(mine, "ours")
        found["ours_to_best"][row] = measure.ratio(mine["ours"], mine[best])
    found["training_step"] = measure.summary(steps, NOTHING)
    found["share_of_step"] = {
        row: 1 - found["training_step"][row][f"ratio to {NOTHING}"] for row in ROWS
    }
    return found


def show(found: dict[str, Any]) -> None:
    """The table, and the goals that were missed."""
    print(f"\n{'pictures a second':28}    ours   Keras KerasCV  to best  of the step")
    for row, speeds in found["pictures_per_second"].items():
        three = "".join(f"{one['median']:8.0f}" for one in speeds.values())
        best, share = found["ours_to_best"][row], found["share_of_step"][row]
        print(f"{row:28}{three}{best:8.2f}x{share:12.1%}")
        if row in GOALS and best < 1:
            print(f"  missed: {row} is slower than the best of the others")
        if share > GOAL_SHARE:
            print(f"  missed: {row} takes more than {GOAL_SHARE:.0%} of the step")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="a measurement")
    parser.add_argument("--serve", choices=CONTENDERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return serve(given.serve)
    found = summed_up(*measured(given.rounds, given.seconds))
    show(found)
    return measure.write("augmentation", found)


if __name__ == "__main__":
    main()
