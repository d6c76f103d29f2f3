"""What both engines share: the network, its optimiser, its state, and the contract."""

import abc
import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from cifar100 import models, pretrained
from cifar100.experiments import Experiment
from cifar100.training.optimizers import optimizer
from cifar100.training.plan import Plan

OWN_STATE = ("model/", "optimizer/")  # keys of what `state` gives
EVALUATION_BATCH = 500  # one compiled shape; the last batch of a split is padded


class Engine(abc.ABC):
    """One network in training. A new engine fills in the abstract methods."""

    name: str

    def __init__(self, experiment: Experiment, threads: int):
        self.experiment = experiment
        self.threads = self.configure(threads)
        self.model = models.build(experiment)
        self.optimizer = optimizer(experiment, self.model)
        self._built = self.weights()
        self._fresh = _arrays(self.optimizer.variables)

    def start(self, seed: int, images: np.ndarray | None = None) -> None:
        """Back to the first step: the initial weights of `seed`, a fresh optimiser.
        `images` are what layers that start from data start from."""
        self.set_weights(self._built)
        models.initialize(self.model, seed, images)
        if dict(self.experiment.arguments).get("weights") == "imagenet":
            pretrained.load(self.model)
        for variable, value in zip(self.optimizer.variables, self._fresh, strict=True):
            variable.assign(value)

    def seed_dropout(self, *entropy: int) -> None:
        """Set each layer's mask generator from `entropy` and the layer's number."""
        for number, layer in enumerate(self.model.layers):
            if (state := getattr(layer, "seed_generator", None)) is not None:
                sequence = np.random.SeedSequence([*entropy, number])
                words = sequence.generate_state(2) >> 1  # fits signed 32 bits too
                state.state.assign(words.astype(state.state.dtype))

    @property
    def batch_norms(self) -> list:
        """The batch-norm layers of the network, first to last."""
        kind = keras.layers.BatchNormalization
        return [layer for layer in self.model.layers if isinstance(layer, kind)]

    def weights(self) -> list[np.ndarray]:
        """Copies of all weights of the network, moving statistics included."""
        return _arrays(self.model.weights)

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """The reverse of `weights`."""
        for variable, value in zip(self.model.weights, weights, strict=True):
            variable.assign(value)

    def state(self) -> dict[str, np.ndarray]:
        """Everything that training changes, by name. Dropout generators are set anew
        in each epoch and need no place here."""
        model = {f"model/{i:03}": v for i, v in enumerate(self.weights())}
        optimizer = enumerate(_arrays(self.optimizer.variables))
        return model | {f"optimizer/{i:03}": v for i, v in optimizer}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """The reverse of `state`."""
        for i, variable in enumerate(self.model.weights):
            variable.assign(state[f"model/{i:03}"])
        for i, variable in enumerate(self.optimizer.variables):
            variable.assign(state[f"optimizer/{i:03}"])

    def fits(self, state: dict[str, np.ndarray]) -> bool:
        """Whether `restore` can take these arrays: each has a place of its shape."""
        shapes = {key: value.shape for key, value in state.items()}
        own = {key: value.shape for key, value in self.state().items()}
        return own == {k: v for k, v in shapes.items() if k.startswith(OWN_STATE)}

    @contextlib.contextmanager
    def kept_weights(self) -> Iterator[None]:
        """Whatever the block does to the weights is undone at its end."""
        kept = self.weights()
        try:
            yield
        finally:
            self.set_weights(kept)

    @abc.abstractmethod
    def configure(self, threads: int) -> dict[str, int]:
        """Fix the threads of this process; they are then `{"intra": n, "inter": m}`."""

    def train_epoch(
        self, images: np.ndarray, labels: np.ndarray, plan: Plan
    ) -> tuple[np.ndarray, np.ndarray]:
        """Train on `images` uint8 (N, 32, 32, 3) and `labels` (N,) as planned; the loss
        of each step, float32 (steps,), and how many it got right, int (steps,)."""
        parts = [self.train_steps(images, labels, part) for part in plan.parts()]
        losses, correct = zip(*parts, strict=True)
        return np.concatenate(losses), np.concatenate(correct)

    @abc.abstractmethod
    def train_steps(
        self, images: np.ndarray, labels: np.ndarray, plan: Plan
    ) -> tuple[np.ndarray, np.ndarray]:
        """What `train_epoch` does, for steps with pictures of one size."""

    @abc.abstractmethod
    def logits(self, images: np.ndarray, mode: str = "inference") -> np.ndarray:
        """Logits, float32 (N, 100), of uint8 images. `mode` "dropout" leaves dropout on
        and batch norm in inference."""

    @abc.abstractmethod
    def batch_statistics(self, images: np.ndarray) -> list[tuple]:
        """Mean and variance of each batch-norm layer's input over one batch, dropout
        off; changes the moving statistics."""

    @property
    @abc.abstractmethod
    def device(self) -> dict[str, Any]:
        """`{"kind": "cpu" | "gpu", "name": …}`, with `instructions` of a processor and
        the `count` of several devices."""


def create(experiment: Experiment, threads: int) -> Engine:
    """The engine that `KERAS_BACKEND` names, with the network of `experiment`."""
    backend = keras.backend.backend()
    module = importlib.import_module(f"cifar100.training.{backend}")
    return module.engine(experiment, threads)


def is_out_of_memory(error: Exception) -> bool:
    """Whether it means that memory ran out; both engines have errors of their own."""
    kind, text = type(error).__name__, str(error)
    own = kind == "ResourceExhaustedError" or "RESOURCE_EXHAUSTED" in text
    return own or isinstance(error, MemoryError)


def _arrays(variables) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(v.value)) for v in variables]
