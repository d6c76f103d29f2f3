"""Training throughput beside plain Keras and PyTorch, all in one run, in turns.

    python benchmarks/training.py --torch-python ~/torch/bin/python --rounds 3

PyTorch is no dependency of the course: make an environment with torch and numpy and
name its interpreter. Without it, PyTorch is left out. torch.compile needs g++.
"""

import argparse
import contextlib
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import measure
import numpy as np
from measure import Learner, pictures, standardized

from cifar100.training import environment

SHAPES = (("resnet20", 128), ("resnet20", 256), ("simple_cnn", 128))
ARCHITECTURES = {"resnet20": "resnet", "simple_cnn": "simple_cnn"}  # depth 20
EPOCH_IMAGES = {"resnet20": 1_024, "simple_cnn": 7_680}  # about two seconds each
SCORED = 1_500  # images of one measurement of the evaluation, three of its batches
LOSS_RANGE = 1.0  # nats between contenders in the first epoch; guessing costs 4.6
RATE = 1e-3
OURS = ("engine", "engine, flip and crop", "bare step", "evaluation")
Answer = Callable[[str, float], dict[str, Any]]  # (kind, seconds) -> speed and about


def engine(network: str, batch: int, threads: int) -> Answer:
    """Our engine through its contract; its compiled step alone; its evaluation."""
    import tensorflow as tf

    from cifar100.experiments import Experiment
    from cifar100.models import cost
    from cifar100.training.engine import create
    from cifar100.training.plan import plan_epoch

    images, labels = pictures(EPOCH_IMAGES[network], batch)
    settings = {"architecture": ARCHITECTURES[network], "batch_size": batch}
    plain = Experiment(name="plain", **settings)
    moved = Experiment(name="moved", augmentation=("flip", "crop"), **settings)
    plan, moving = (
        plan_epoch(e, 0, 1, images=len(images), epochs=1) for e in (plain, moved)
    )
    made = create(plain, threads)
    made.start(0)
    learner = Learner(len(images), cost.parameters(made.model), tf.__version__)

    def epoch(plan):
        losses, _ = made.train_epoch(images, labels, plan)
        return losses.mean()

    ready = [
        tuple(map(tf.constant, (images[rows], labels[rows], np.float32(RATE))))
        for rows in plan.order
    ]

    def bare():
        for pixels, classes, rate in ready:
            made._step(pixels, classes, {}, rate)
        return len(images)

    scored = np.resize(images, (SCORED, *images.shape[1:]))

    def score():
        made.logits(scored)
        return SCORED

    works = {
        "engine": partial(learner.learn, partial(epoch, plan)),
        "engine, flip and crop": partial(learner.learn, partial(epoch, moving)),
        "bare step": bare,
        "evaluation": score,
    }
    works["engine"]()
    made.train_epoch(images, labels, moving[:1])
    made._step(*ready[0][:2], {}, ready[0][2])  # tensors may need their own trace
    made.logits(images[:1])
    return lambda kind, seconds: learner.speed(works[kind], seconds)


def keras_fit(network: str, batch: int, _threads: int) -> Answer:
    """`compile` and `fit` as Keras comes: its own layers, its own defaults."""
    os.environ.pop("TF_ENABLE_ONEDNN_OPTS", None)  # the course sets it, Keras does not
    import keras
    import tensorflow as tf

    from cifar100.models import MODELS, layers

    layers.BatchNormalization = keras.layers.BatchNormalization
    model = MODELS[ARCHITECTURES[network]]()
    if any(type(layer).__module__.startswith("cifar100") for layer in model.layers):
        raise SystemExit("plain Keras was given a layer of ours")
    images, labels = pictures(EPOCH_IMAGES[network], batch)
    images = standardized(images)
    model.compile(
        keras.optimizers.Adam(RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    parameters = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    learner = Learner(len(images), parameters, tf.__version__)

    class StopAfter(keras.callbacks.Callback):
        """One call of `fit` as long as a measurement: its start is paid once."""

        def __init__(self, seconds):
            super().__init__()
            self.end = time.perf_counter() + seconds

        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = time.perf_counter() >= self.end

    def fit(seconds):
        history = model.fit(
            images,
            labels,
            batch_size=batch,
            epochs=1_000_000,
            verbose=0,
            callbacks=[StopAfter(seconds)],
        )
        learner.losses += history.history["loss"]
        return len(images) * len(history.epoch)

    fit(0.0)
    return lambda _, seconds: learner.speed(partial(fit, seconds), seconds)


def draw_as_keras(module: Any, nn: Any) -> None:
    """Initial weights with the distributions of ours, so that losses are alike."""
    if isinstance(module, nn.Conv2d) and module.bias is None:
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    elif isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        module.bias.zero_()


def pytorch(network: str, batch: int, threads: int, *, compiled: bool) -> Answer:
    """The same network in PyTorch, channels last, in the interpreter that has it."""
    import torch
    from pytorch_training import NETWORKS

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = NETWORKS[network]().to(memory_format=torch.channels_last)
    with torch.no_grad():
        for module in model.modules():
            draw_as_keras(module, torch.nn)
    run = torch.compile(model) if compiled else model
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    pixels, classes = pictures(EPOCH_IMAGES[network], batch)
    pixels = torch.from_numpy(standardized(pixels)).permute(0, 3, 1, 2)
    images = pixels.contiguous(memory_format=torch.channels_last).split(batch)
    labels = torch.from_numpy(classes.astype(np.int64)).split(batch)
    parameters = sum(p.numel() for p in model.parameters())
    learner = Learner(len(pixels), parameters, torch.__version__)

    def epoch():
        losses = []
        for inputs, targets in zip(images, labels, strict=True):
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(run(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses).mean()

    learner.learn(epoch)
    return lambda _, seconds: learner.speed(partial(learner.learn, epoch), seconds)


CONTENDERS = {
    "engine": engine,
    "keras fit": keras_fit,
    "pytorch eager": partial(pytorch, compiled=False),
    "pytorch compiled": partial(pytorch, compiled=True),
}


def serve(name: str, network: str, batch: str, threads: str) -> None:
    """Be one contender: answer `kind:seconds` with its speed."""
    answer = CONTENDERS[name](network, int(batch), int(threads))

    def answered(question: str) -> dict[str, Any]:
        kind, seconds = question.split(":")
        return answer(kind, float(seconds))

    measure.serve(answered)


def contender(
    name: str, network: str, batch: int, threads: int, python: str = sys.executable
) -> measure.Contender:
    """The process of one contender, in the interpreter `python`."""
    command = [python, __file__, "--serve", name, network, batch, threads]
    return measure.Contender(command, PYTHONPATH=str(measure.ROOT))


def compare(network: str, batch: int, given: argparse.Namespace) -> dict[str, Any]:
    """All contenders on one shape, in turns: images a second, ratios, what they are."""
    about: dict[str, dict] = {}

    def ask(process, kind):
        about[kind] = process.ask(f"{kind}:{given.seconds}")
        return about[kind].pop("speed")

    with contextlib.ExitStack() as stack:
        turns = {}
        for name in CONTENDERS:
            python = given.torch_python if "pytorch" in name else sys.executable
            if python is None:
                continue
            threads = environment.cores()
            process = contender(name, network, batch, threads, python)
            stack.enter_context(process)
            for kind in OURS if name == "engine" else (name,):
                turns[kind] = partial(ask, process, kind)
            process.ask(f"{name}:0")  # warm before the next one starts
        repeats = measure.in_turns(turns, given.rounds)
    check({name: about[name] for name in CONTENDERS if name in about})
    return {"contenders": about} | ratios(repeats)


def check(about: dict[str, dict]) -> None:
    """SystemExit unless all contenders are the same network and learn alike."""
    first, second = (
        {name: found["losses"][epoch] for name, found in about.items()}
        for epoch in range(2)
    )
    if len({found["parameters"] for found in about.values()}) > 1:
        raise SystemExit(f"the contenders differ in parameters: {about}")
    if max(first.values()) - min(first.values()) > LOSS_RANGE:
        raise SystemExit(f"the losses of the first epoch are too far apart: {first}")
    if any(second[name] > 0.9 * first[name] for name in first):
        raise SystemExit(f"a contender learns nothing: {first}, then {second}")


def ratios(repeats: measure.Repeats) -> dict[str, Any]:
    """What the goals are about."""
    rivals = [name for name in repeats if "pytorch" in name]
    ours = repeats["engine"]
    found = {"images_per_second": measure.summary(repeats, "keras fit")}
    if rivals:
        best = max(rivals, key=lambda name: statistics.median(repeats[name]))
        found["engine_to_best_pytorch"] = measure.ratio(ours, repeats[best])
    found["loop_adds"] = measure.ratio(repeats["bare step"], ours) - 1
    scored = measure.ratio(ours, repeats["evaluation"])
    return found | {"evaluation_share": scored * 5_000 / 45_000}


def show(name: str, found: dict[str, Any]) -> None:
    """One shape as a table."""
    print(f"\n{name:24} images/s  to Keras fit")
    for who, row in found["images_per_second"].items():
        print(f"  {who:22} {row['median']:8.0f} {row['ratio to keras fit']:11.2f}")
    if "engine_to_best_pytorch" in found:
        print(f"  engine to the best PyTorch: {found['engine_to_best_pytorch']:.2f}")
    print(f"  the loop adds {found['loop_adds']:.1%} to the bare step")
    print(f"  scoring 5,000 images takes {found['evaluation_share']:.1%} of an epoch")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch-python", help="interpreter that has PyTorch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.2, help="a measurement")
    parser.add_argument("--serve", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return serve(*given.serve)
    results: dict[str, Any] = {}
    for network, batch in SHAPES:
        name = f"{network}, batch {batch}"
        results[name] = compare(network, batch, given)
        show(name, results[name])
    return measure.write("training", results)


if __name__ == "__main__":
    main()
