"""The JAX engine: the data set on the device, an epoch is one compiled program.

What differs from one experiment to the next in numbers only (rates, decay, smoothing,
the number of steps) is an argument of the program, not a constant in it. So the same
program serves them all, and a second process finds it in the persistent cache.
"""

import contextlib
import functools
import os
from collections.abc import Iterator
from typing import Any

# Sums whose order does not depend on the race of threads; read when JAX finds a GPU.
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "") + " --xla_gpu_deterministic_ops=true"
).strip()

import jax
import keras
import numpy as np
from jax import lax
from jax import numpy as jnp

from cifar100 import augment, data, paths
from cifar100.training.devices import Devices, fix_host_threads, host
from cifar100.training.engine import EVALUATION_BATCH, Engine
from cifar100.training.losses import batch_loss, count_correct
from cifar100.training.modes import dropout_off, statistics_fixed, statistics_of_batch
from cifar100.training.plan import Plan, plan_epoch

CAPACITY = 45_000  # images on the device: one shape for every profile


class JaxEngine(Engine):
    """`lax.fori_loop` over Keras' stateless calls; what training changes is donated.

    On a processor the loop is Python's, over one compiled step: inside of a compiled
    loop XLA takes 200 times as long for a convolution there (jaxlib 0.10.2).
    Evaluation is a program of its own: all recipes of a network share it.
    """

    name = "jax"

    def __init__(self, experiment, threads):
        fix_host_threads(threads)
        self.devices = Devices(experiment.batch_size)
        self._evaluation_batch = self.devices.multiple(EVALUATION_BATCH)
        # Keras builds a network by many small operations. On a GPU each of them would
        # be compiled; the arrays move there with the first epoch.
        with jax.default_device(host()), self.devices.scope():
            super().__init__(experiment, threads)
        self._sent, self._on_device = (None, None), ()
        model, optimizer = self.model, self.optimizer
        # Lists of our own: some ways to run a network change those of the network.
        self._weights = list(model.trainable_variables)
        self._others = list(model.non_trainable_variables)
        self._variables = self._weights, self._others, list(optimizer.variables)
        self._dropouts = [x for x in model.layers if hasattr(x, "seed_generator")]
        self._rate = next(
            place
            for place, variable in enumerate(optimizer.variables)
            if variable is optimizer.learning_rate
        )
        self._loop = jax.devices()[0].platform != "cpu"
        self._programs = {
            "step": jax.jit(self.step, donate_argnums=0),
            "epoch": jax.jit(self.epoch, donate_argnums=0),
            "inference": jax.jit(functools.partial(self._forward, training=False)),
            "dropout": jax.jit(functools.partial(self._forward, training=True)),
            "statistics": jax.jit(self._statistics),
        }

    def configure(self, threads):
        """Full float32 products (TensorFloat-32 off), a persistent compilation cache,
        and fixed threads; the last only before JAX's first operation in a process."""
        jax.config.update("jax_default_matmul_precision", "highest")
        jax.config.update("jax_compilation_cache_dir", str(paths.cache() / "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
        return {"intra": fix_host_threads(threads), "inter": 1}

    @property
    def device(self):
        return self.devices.described

    def train_steps(self, images, labels, plan: Plan):
        state = self.values()
        rows = rows_of(plan)
        run = self._whole_epoch if self._loop else self._step_by_step
        state, losses, correct = run(state, *self.placed(images, labels), rows)
        for variables, values in zip(self._variables, state, strict=True):
            _assign(variables, values)
        return np.array(losses), np.array(correct)

    def values(self) -> tuple[list, list, list]:
        """What training changes: weights, other variables, those of the optimiser."""
        return tuple(_values(group) for group in self._variables)

    def lowered(self) -> dict[str, jax.stages.Lowered]:
        """The programs of a run by name, traced for this device, not yet compiled."""
        experiment, numbers = self.experiment, self.numbers()
        plan = plan_epoch(experiment, 0, 1, images=CAPACITY, epochs=1)
        state = self.values()
        images = jax.ShapeDtypeStruct((CAPACITY, 32, 32, 3), np.uint8)
        labels = jax.ShapeDtypeStruct((CAPACITY,), np.int32)
        few = jax.ShapeDtypeStruct((self._evaluation_batch, 32, 32, 3), np.uint8)
        batch = jax.ShapeDtypeStruct((experiment.batch_size, 32, 32, 3), np.uint8)
        rows = rows_of(plan)
        row = {key: value[0] for key, value in rows.items()}
        training = {
            "epoch": (state, images, labels, rows, len(plan.order), numbers),
            "step": (state, images, labels, row, numbers),
        }
        name = "epoch" if self._loop else "step"
        arguments = {name: training[name], "inference": (*state[:2], few, numbers)}
        if "dropout_averaged" in experiment.evaluations and experiment.dropout:
            arguments["dropout"] = arguments["inference"]
        anew = {"batch_norm_reestimated", "batch_norm_augmented", "weight_average"}
        if anew & {*experiment.evaluations}:
            arguments["statistics"] = (*state[:2], batch)
        return {key: self._programs[key].lower(*a) for key, a in arguments.items()}

    def _step_by_step(self, state, images, labels, rows):
        results, numbers, program = [], self.numbers(), self._programs["step"]
        for step in range(len(rows["order"])):
            row = {key: value[step] for key, value in rows.items()}
            state, *result = program(state, images, labels, row, numbers)
            results.append(result)
        return state, *zip(*results, strict=True)

    def _whole_epoch(self, state, images, labels, rows):
        """A plan of fewer steps than an epoch of all images has is filled up with steps
        that are not taken, so that the program stays the same."""
        steps = len(rows["order"])
        whole = max(CAPACITY // self.experiment.batch_size, steps)
        padded = {key: _filled(value, whole) for key, value in rows.items()}
        state, losses, correct = self._programs["epoch"](
            state, images, labels, padded, steps, self.numbers()
        )
        return state, losses[:steps], correct[:steps]

    def numbers(self) -> dict[str, Any]:
        """The numbers of the recipe that a program takes as arguments. Python's floats:
        JAX then computes with them in the precision of what they meet."""
        smoothing = self.experiment.label_smoothing or None
        return {
            "label_smoothing": smoothing,
            "weight_decay": self.optimizer.weight_decay,
            "dropout": [float(layer.rate) for layer in self._dropouts],
        }

    @contextlib.contextmanager
    def _given(self, numbers: dict[str, Any]) -> Iterator[None]:
        """The network and its optimiser have `numbers` while a program is traced."""
        layers, decay = self._dropouts, self.optimizer.weight_decay
        rates = [layer.rate for layer in layers]
        try:
            self.optimizer.weight_decay = numbers["weight_decay"]
            for layer, rate in zip(layers, numbers["dropout"], strict=True):
                layer.rate = rate
            yield
        finally:
            self.optimizer.weight_decay = decay
            for layer, rate in zip(layers, rates, strict=True):
                layer.rate = rate

    def placed(self, images, labels) -> tuple:
        """The training images and labels on the device, sent once."""
        if self._sent[0] is not images or self._sent[1] is not labels:
            capacity = max(CAPACITY, len(images))
            whole = images, labels.astype(np.int32)
            filled = (jnp.asarray(_filled(x, capacity)) for x in whole)
            self._on_device = tuple(self.devices.copy(x) for x in filled)
            self._sent = images, labels
        return self._on_device

    def epoch(self, state, images, labels, rows, steps, numbers):
        """The steps of an epoch as one loop, to be compiled.

        `state` is that of `values`, `images` (N, 32, 32, 3) uint8, `labels` (N,) int32.
        Of `rows`, as `rows_of` gives them, the first `steps` are taken. Returns the new
        state, and of each step its loss and how many were right; zeros in the others.
        """
        whole = len(rows["order"])
        losses, correct = jnp.zeros(whole, keras.config.floatx()), jnp.zeros(whole, int)

        def body(step, carried):
            state, losses, correct = carried
            row = {key: value[step] for key, value in rows.items()}
            state, loss, hits = self.step(state, images, labels, row, numbers)
            return state, losses.at[step].set(loss), correct.at[step].set(hits)

        return lax.fori_loop(0, steps, body, (state, losses, correct))

    def step(self, state, images, labels, row, numbers):
        """One step, to be compiled: `epoch` with one row, whose images are looked up in
        the whole set. Returns the new state, the loss and how many were right."""
        trainable, others, optimizer = state
        parameters = {
            key.removeprefix("augmentation/"): value
            for key, value in row.items()
            if key.startswith("augmentation/")
        }
        order = self.devices.split(row["order"])
        labels, images = labels[order], self.devices.split(images[order])
        images = augment.apply(images, parameters)
        images = augment.standardize(images, data.MEAN, data.STD)

        def loss_of(trainable):
            logits, new = self._call(trainable, others, images, training=True)
            loss = batch_loss(labels, logits, parameters, numbers["label_smoothing"])
            return loss, (new, count_correct(labels, logits, parameters))

        optimizer = list(optimizer)
        optimizer[self._rate] = jnp.asarray(row["rate"], optimizer[self._rate].dtype)
        with self._given(numbers):
            grad = jax.value_and_grad(loss_of, has_aux=True)
            (loss, (others, hits)), gradients = grad(trainable)
            trainable, optimizer = self.optimizer.stateless_apply(
                optimizer, gradients, trainable
            )
        return (trainable, others, optimizer), loss, hits

    def logits(self, images, mode="inference"):
        forward = self._programs[mode]
        weights, state = _values(self._weights), _values(self._others)
        numbers, parts = self.numbers(), []
        for first in range(0, len(images), self._evaluation_batch):
            batch = images[first : first + self._evaluation_batch]
            padded = _filled(np.asarray(batch), self._evaluation_batch)
            # The state goes from batch to batch: each takes other dropout masks.
            found, state = forward(weights, state, padded, numbers)
            parts.append(found)
        if mode == "dropout":
            _assign(self._others, state)
        return np.concatenate([np.array(part) for part in parts])[: len(images)]

    def _forward(self, weights, state, images, numbers, *, training: bool):
        images = self.devices.split(images)
        images = augment.standardize(images, data.MEAN, data.STD)
        with self._given(numbers), statistics_fixed(self.model):
            return self._call(weights, state, images, training=training)

    def batch_statistics(self, images):
        values = _values(self._weights), _values(self._others), np.asarray(images)
        _assign(self._others, self._programs["statistics"](*values))
        return [
            (np.array(layer.moving_mean.value), np.array(layer.moving_variance.value))
            for layer in self.batch_norms
        ]

    def _statistics(self, weights, state, images):
        images = augment.standardize(images, data.MEAN, data.STD)
        with dropout_off(self.model), statistics_of_batch(self.model):
            return self._call(weights, state, images, training=True)[1]

    def _call(self, weights, state, images, *, training: bool):
        """The network with these values of its variables: logits, and the values that
        its state has afterwards. Keras' `stateless_call` with the lists kept."""
        given = [*zip(self._weights, weights, strict=True)]
        given += zip(self._others, state, strict=True)
        with keras.StatelessScope(state_mapping=given) as scope:
            logits = self.model(images, training=training)
        return logits, [scope.get_current_value(v) for v in self._others]


def rows_of(plan: Plan) -> dict[str, np.ndarray]:
    """What each step takes of the plan, a row a step."""
    rows = {f"augmentation/{key}": value for key, value in plan.parameters.items()}
    order = plan.order.astype(np.int32)
    return rows | {"order": order, "rate": plan.learning_rates}


def _values(variables) -> list:
    return [variable.value for variable in variables]


def _assign(variables, values) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _filled(rows: np.ndarray, count: int) -> np.ndarray:
    """`rows` with zeros after them, `count` in all."""
    lacking = count - len(rows)
    return (
        np.pad(rows, [(0, lacking)] + [(0, 0)] * (rows.ndim - 1)) if lacking else rows
    )


engine = JaxEngine

assert keras.backend.backend() == "jax", "KERAS_BACKEND names another engine"
