"""The TensorFlow engine: one traced function a step, on CPU or GPU."""

import contextlib
import logging

import keras
import numpy as np
import tensorflow as tf

from cifar100 import augment, cache, data
from cifar100.training import environment
from cifar100.training.engine import EVALUATION_BATCH, Engine
from cifar100.training.losses import batch_loss, count_correct
from cifar100.training.modes import dropout_off, statistics_fixed, statistics_of_batch
from cifar100.training.plan import Plan

# TensorFlow takes the functions of several networks in one process for retracing.
logging.getLogger("tensorflow").addFilter(
    lambda record: "tf.function retracing" not in record.getMessage()
)


class TensorFlowEngine(Engine):
    """Batches are gathered on the host and augmented, standardised and learnt from in
    one `tf.function`: no tf.data, whose autotuning holds up the end of each epoch."""

    name = "tensorflow"

    def __init__(self, experiment, threads):
        super().__init__(experiment, threads)
        self._step = tf.function(self._train_step)
        self._forward = {}

    def configure(self, threads):
        """Fixed threads and deterministic kernels; TensorFlow takes threads only before
        its first operation in a process, later the ones it has stay."""
        with contextlib.suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.experimental.enable_op_determinism()
        return {
            "intra": tf.config.threading.get_intra_op_parallelism_threads(),
            "inter": tf.config.threading.get_inter_op_parallelism_threads(),
        }

    @property
    def device(self):
        gpus = tf.config.list_physical_devices("GPU")
        if not gpus:
            return {"kind": "cpu", **environment.processor()}
        details = tf.config.experimental.get_device_details(gpus[0])
        return {"kind": "gpu", "name": details.get("device_name", "unknown")}

    def train_steps(self, images, labels, plan: Plan):
        results = []
        for step, batch in enumerate(plan.order):
            parameters = {key: v[step] for key, v in plan.parameters.items()}
            rate = plan.learning_rates[step]
            pixels = images[batch]
            cache.release(images)
            results.append(self._step(pixels, labels[batch], parameters, rate))
        losses, correct = zip(*results, strict=True)
        return np.array(tf.stack(losses)), np.array(tf.stack(correct))

    def _train_step(self, images, labels, parameters, learning_rate):
        images = augment.apply(images, parameters)
        images = augment.standardize(images, data.MEAN, data.STD)
        labels = tf.cast(labels, tf.int32)
        with tf.GradientTape() as tape:
            logits = self.model(images, training=True)
            smoothing = self.experiment.label_smoothing or None
            loss = batch_loss(labels, logits, parameters, smoothing)
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.learning_rate.assign(learning_rate)
        self.optimizer.apply(gradients, variables)
        return loss, count_correct(labels, logits, parameters)

    def logits(self, images, mode="inference"):
        forward = self._forward.get(mode)
        if forward is None:
            forward = self._forward[mode] = tf.function(self._logits_of(mode))
        parts = []
        for first in range(0, len(images), EVALUATION_BATCH):
            batch = images[first : first + EVALUATION_BATCH]
            padding = EVALUATION_BATCH - len(batch)
            padded = np.pad(batch, [(0, padding)] + [(0, 0)] * (batch.ndim - 1))
            parts.append(np.array(forward(padded))[: len(batch)])
        return np.concatenate(parts)

    def _logits_of(self, mode):
        def forward(images):
            images = augment.standardize(images, data.MEAN, data.STD)
            with statistics_fixed(self.model):
                return self.model(images, training=mode == "dropout")

        return forward

    def batch_statistics(self, images):
        forward = self._forward.get("statistics")
        if forward is None:
            forward = self._forward["statistics"] = tf.function(self._statistics)
        forward(images)
        return [
            (layer.moving_mean.numpy(), layer.moving_variance.numpy())
            for layer in self.batch_norms
        ]

    def _statistics(self, images):
        images = augment.standardize(images, data.MEAN, data.STD)
        with dropout_off(self.model), statistics_of_batch(self.model):
            self.model(images, training=True)


engine = TensorFlowEngine

assert keras.backend.backend() == "tensorflow", "KERAS_BACKEND names another engine"
