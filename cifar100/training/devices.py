"""One network over several devices: each has all weights, and a part of every batch."""

import contextlib
import os
from typing import Any

import jax
import keras
from keras.distribution import DataParallel, TensorLayout, distribute_tensor

from cifar100.training import environment


class Devices:
    """What the JAX engine trains on: all devices that JAX sees, or as many of them as
    divide a batch.

    Gradients and batch-norm statistics are those of the whole batch, so the losses are
    those of one device, but for the order of sums. `count` is how many there are.
    """

    def __init__(self, batch_size: int):
        seen = keras.distribution.list_devices()
        self.count = max(n for n in range(1, len(seen) + 1) if batch_size % n == 0)
        self.together = None
        if self.count > 1:
            self.together = DataParallel(devices=seen[: self.count])

    @property
    def described(self) -> dict[str, Any]:
        """Kind and name, and the number where there are several."""
        device = jax.devices()[0]
        number = {"count": self.count} if self.count > 1 else {}
        if device.platform == "cpu":
            return {"kind": "cpu", **environment.processor(), **number}
        return {"kind": device.platform, "name": device.device_kind, **number}

    def scope(self) -> contextlib.AbstractContextManager:
        """Variables that are made in it stand on all devices."""
        return self.together.scope() if self.together else contextlib.nullcontext()

    def multiple(self, size: int) -> int:
        """`size`, or the next larger number that the devices divide."""
        return -(-size // self.count) * self.count

    def split(self, batch):
        """A batch of any rank, a part of it on each device."""
        if self.together is None:
            return batch
        return distribute_tensor(batch, self.together.get_data_layout(batch.shape))

    def copy(self, array):
        """An array of any rank, all of it on each device."""
        if self.together is None:
            return array
        everywhere = TensorLayout([None] * array.ndim, self.together.device_mesh)
        return distribute_tensor(array, everywhere)


def host() -> jax.Device:
    """The processor, whatever else there is."""
    return jax.local_devices(backend="cpu")[0]


_threads: list[int] = []  # that JAX's client for the processor was started with


def fix_host_threads(wanted: int) -> int:
    """How many threads JAX has on the processor: what the first engine of a process
    wanted, since the client that JAX then starts keeps them."""
    if not _threads:
        _threads.append(wanted)
        os.environ["PJRT_NPROC"] = str(wanted)
    return _threads[0]
