"""The JAX engine beside TensorFlow's and Keras' own `fit`, and several seeds at once.

    python benchmarks/engines.py --rounds 3
    python benchmarks/engines.py --gpu --torch-python python3

Where TensorFlow is not installed, it is left out. PyTorch comes in by `--torch-python`:
compiled, channels last, on the GPU in bfloat16 where our network is. Seeds are trained
in three ways: one after the other, in processes side by side, and in one process by
`jax.vmap`, all networks in one program. `cifar100 record` does what wins.
"""

import argparse
import contextlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import measure
import numpy as np

from cifar100.experiments import Experiment
from cifar100.training import environment

BATCH, SEEDS = 128, 3
RATE = 1e-3
EPOCH_IMAGES = {"cpu": 512, "gpu": 44_928}
SHAPES = {
    "cpu": (("simple_cnn", "float32"), ("resnet20", "float32")),
    "gpu": (
        ("simple_cnn", "float32"),
        ("baseline", "float32"),
        ("resnet20", "float32"),
        ("resnet18", "mixed_bfloat16"),
    ),
}
NETWORKS = {
    "simple_cnn": {"architecture": "simple_cnn"},
    "baseline": {"architecture": "baseline"},
    "resnet20": {"architecture": "resnet"},
    "resnet18": {"architecture": "resnet", "arguments": {"depth": 18}},
}
Work = Callable[[], int]  # one epoch; how many images it trained on


def engine(experiment: Experiment, threads: int, kind: str) -> Work:
    """An epoch of our engine through its contract."""
    from cifar100.training.engine import create
    from cifar100.training.plan import plan_epoch

    images, labels = measure.pictures(EPOCH_IMAGES[kind], BATCH)
    made = create(experiment, threads)
    made.start(0)
    plan = plan_epoch(experiment, 0, 1, images=len(images), epochs=1)

    def epoch():
        made.train_epoch(images, labels, plan)
        return len(images)

    return epoch


def vmapped(experiment: Experiment, threads: int, kind: str) -> Work:
    """An epoch of SEEDS networks in one program, each with its own order of images."""
    import jax

    from cifar100.training import jax as engines
    from cifar100.training.plan import plan_epoch

    images, labels = measure.pictures(EPOCH_IMAGES[kind], BATCH)
    made, states, rows = engines.JaxEngine(experiment, threads), [], []
    for seed in range(SEEDS):
        made.start(seed)
        states.append(made.values())
        plan = plan_epoch(experiment, seed, 1, images=len(images), epochs=1)
        rows.append(engines.rows_of(plan))
    state = jax.tree.map(lambda *leaves: np.stack(leaves), *states)
    order = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    placed, numbers = made.placed(images, labels), made.numbers()
    steps = len(rows[0]["order"])
    over_seeds = {"in_axes": (0, None, None, 0), "axis_size": SEEDS}
    if kind == "gpu":
        whole = jax.jit(
            jax.vmap(lambda *a: made.epoch(*a, steps, numbers), **over_seeds)
        )
    else:
        step = jax.jit(jax.vmap(lambda *a: made.step(*a, numbers), **over_seeds))

        def whole(state, images, labels, rows):
            for place in range(steps):
                row = {key: value[:, place] for key, value in rows.items()}
                state, *result = step(state, images, labels, row)
            return state, *result

    def epoch():
        nonlocal state
        state, losses, _ = whole(state, *placed, order)
        jax.block_until_ready(losses)
        return SEEDS * len(images)

    return epoch


def keras_fit(experiment: Experiment, _threads: int, kind: str) -> Work:
    """`compile` and `fit` as Keras comes, on the same backend and network."""
    import keras

    from cifar100 import models

    images, labels = measure.pictures(EPOCH_IMAGES[kind], BATCH)
    inputs, model = measure.standardized(images), models.build(experiment)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATE), loss)

    def epoch():
        model.fit(inputs, labels, batch_size=BATCH, verbose=0)
        return len(images)

    return epoch


def pytorch(experiment: Any, threads: int, kind: str) -> Work:
    """An epoch of the same network in PyTorch, compiled, channels last; its pictures
    stand on the device as the network wants them."""
    import torch
    from pytorch_training import NETWORKS as IN_PYTORCH

    torch.set_num_threads(threads)
    device = "cuda" if kind == "gpu" else "cpu"
    model = IN_PYTORCH[experiment.name]().to(device, memory_format=torch.channels_last)
    run, optimizer = torch.compile(model), torch.optim.Adam(model.parameters(), RATE)
    pixels, classes = measure.pictures(EPOCH_IMAGES[kind], BATCH)
    pixels = torch.from_numpy(measure.standardized(pixels)).permute(0, 3, 1, 2)
    images = pixels.to(device, memory_format=torch.channels_last).split(BATCH)
    labels = torch.from_numpy(classes.astype(np.int64)).to(device).split(BATCH)
    half = experiment.precision != "float32"

    def epoch():
        for inputs, targets in zip(images, labels, strict=True):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device, torch.bfloat16, enabled=half):
                loss = torch.nn.functional.cross_entropy(run(inputs), targets)
            loss.backward()
            optimizer.step()
        loss.item()  # waits for the device
        return len(pixels)

    return epoch


WORKS = {"engine": engine, "vmap": vmapped, "fit": keras_fit, "pytorch": pytorch}


def serve(work: str, network: str, precision: str, threads: str, kind: str) -> None:
    """Be one contender: answer a number of seconds with the images a second."""
    experiment = Experiment(
        name=network, batch_size=BATCH, precision=precision, **NETWORKS[network]
    )
    epoch = WORKS[work](experiment, int(threads), kind)
    epoch()  # compiles
    measure.serve(lambda seconds: {"speed": measure.speed(epoch, float(seconds))})


def contender(
    python: str, backend: str, *arguments: Any, **environ: str
) -> measure.Contender:
    """The process of one contender."""
    command = [python, __file__, "--serve", *arguments]
    environ |= {"KERAS_BACKEND": backend, "PYTHONPATH": str(measure.ROOT)}
    return measure.Contender(command, **environ)


def together(processes: Sequence[measure.Contender], seconds: float) -> float:
    """Images a second of all `processes`, working at once."""
    for process in processes:
        process.send(str(seconds))
    return sum(process.answer()["speed"] for process in processes)


def compare(network: str, precision: str, kind: str, given) -> dict[str, Any]:
    """Images a second of all ways to train this network, in turns."""
    cores = environment.cores()
    shape = network, precision
    share = max(1, cores // SEEDS)
    memory = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # many processes on one GPU
    ours, alone = (sys.executable, "jax"), (*shape, cores, kind)
    ways = {
        "jax engine": [(*ours, "engine", *alone)],
        "jax fit": [(*ours, "fit", *alone)],
        f"jax, {SEEDS} by vmap": [(*ours, "vmap", *alone)],
        f"jax, {SEEDS} side by side": SEEDS * [(*ours, "engine", *shape, share, kind)],
    }
    if importlib.util.find_spec("tensorflow"):
        ways["tensorflow engine"] = [(ours[0], "tensorflow", "engine", *alone)]
    if given.torch_python and network != "baseline":
        ways["pytorch"] = [(given.torch_python, "jax", "pytorch", *alone)]
    with contextlib.ExitStack() as stack:
        turns = {}
        for way, each in ways.items():
            processes = [stack.enter_context(contender(*one, **memory)) for one in each]
            together(processes, 0.0)  # warm before anything is measured
            turns[way] = partial(together, processes, given.seconds)
        return measure.summary(measure.in_turns(turns, given.rounds), "jax engine")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="a measurement")
    parser.add_argument("--torch-python", help="interpreter that has PyTorch")
    parser.add_argument("--gpu", action="store_true", help="the shapes for a GPU")
    parser.add_argument("--serve", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return serve(*given.serve)
    kind, results = "gpu" if given.gpu else "cpu", {}
    for network, precision in SHAPES[kind]:
        found = compare(network, precision, kind, given)
        results[f"{network}, {precision}"] = found
        print(f"\n{network}, {precision}: images/s, to the JAX engine alone")
        for way, row in found.items():
            print(f"  {way:24}{row['median']:9.0f}{row['ratio to jax engine']:8.2f}")
    name = "engines_on_gpu" if given.gpu else "engines"
    return measure.write(name, {"images_per_second": results})


if __name__ == "__main__":
    main()
