"""Keras' and our side of benchmarks/training.py, one contender a process."""

import argparse
import json
import time

import numpy as np


def plain_fit(network: str, batch: int, seconds: float, threads: int) -> dict:
    """`compile` and `fit` as Keras comes: its own layers, its own defaults."""
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    model = plain_network(network)
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    pixels, labels = data(batch)
    images = pixels.astype("float32") / 255 - 0.5
    model.fit(images, labels, batch_size=batch, verbose=0)
    began, rounds = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        history = model.fit(images, labels, batch_size=batch, verbose=0)
        rounds += 1
    return report(
        rounds * len(images) / (time.perf_counter() - began),
        model,
        history.history["loss"][-1],
        rounds * 20,
    )


def plain_network(network: str):
    """Our function with Keras' own batch norm in the place of ours."""
    import keras

    from cifar100.models import MODELS, layers

    layers.BatchNormalization = keras.layers.BatchNormalization
    return MODELS[network]()


def engine(network: str, batch: int, seconds: float, threads: int, kind: str) -> dict:
    """Our engine through its contract; `bare` is its compiled step on ready tensors."""
    import tensorflow as tf

    from cifar100.experiments import Experiment
    from cifar100.training.engine import create
    from cifar100.training.plan import plan_epoch

    experiment = Experiment(
        name="benchmark",
        architecture=network,
        batch_size=batch,
        augmentation=("flip", "crop") if kind == "augmented" else (),
    )
    pixels, labels = data(batch)
    made = create(experiment, threads)
    made.start(0)
    plan = plan_epoch(experiment, 0, 1, images=len(pixels), epochs=1)
    made.train_epoch(pixels, labels, plan.first(6))
    ready = [
        (tf.constant(pixels[rows]), tf.constant(labels[rows]), tf.constant(1e-3))
        for rows in plan.order
    ]
    if kind == "bare":
        made._step(*ready[0][:2], {}, ready[0][2])  # traced for tensors too
    began, rounds = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        if kind == "bare":
            for images, classes, rate in ready:
                loss, _ = made._step(images, classes, {}, rate)
        else:
            losses, _ = made.train_epoch(pixels, labels, plan)
            loss = losses[-1]
        rounds += 1
    last = float(loss)
    speed = rounds * len(pixels) / (time.perf_counter() - began)
    found = report(speed, made.model, last, rounds * 20)
    if kind == "engine":
        found["evaluation_images_per_second"] = evaluation_speed(made)
    return found


def evaluation_speed(made) -> float:
    """Images a second when 5,000 images are scored."""
    images = np.random.default_rng(1).integers(0, 256, (5000, 32, 32, 3), np.uint8)
    made.logits(images[:500])
    began = time.perf_counter()
    made.logits(images)
    return len(images) / (time.perf_counter() - began)


def data(batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Twenty batches of noise; speed does not depend on what the pictures show."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (20 * batch, 32, 32, 3), dtype=np.uint8)
    return pixels, generator.integers(0, 100, len(pixels)).astype(np.uint8)


def report(speed: float, model, loss: float, steps: int) -> dict:
    """What the parent reads."""
    from cifar100.models import cost

    return {
        "images_per_second": speed,
        "parameters": cost.parameters(model),
        "loss": float(loss),
        "steps": steps,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contender", choices=["fit", "engine", "augmented", "bare"])
    parser.add_argument("network")
    parser.add_argument("batch", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("threads", type=int)
    given = parser.parse_args()
    arguments = given.network, given.batch, given.seconds, given.threads
    if given.contender == "fit":
        import os

        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
        found = plain_fit(*arguments)
    else:
        found = engine(*arguments, given.contender)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
