"""Early stopping watches one half of val and is scored on the other."""

import numpy as np
import pytest

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import data
from cifar100.experiments import Experiment
from cifar100.training.loop import train
from cifar100.training.stopping import Stopping, first_half

pytestmark = pytest.mark.data


def test_early_stopping_keeps_the_best_epoch_and_scores_the_other_half(home_with_data):
    stopped = Experiment(
        name="e",
        architecture="simple_cnn",
        epochs=2,
        early_stopping=1,
        learning_rate=0.05,
        evaluations=("dropout_averaged",),  # without dropout it is the plain score
    )
    run = train(stopped, [0], profile="smoke")[0]
    assert run.facts["val_scored"] == "second half"
    losses = [row["stopping_loss"] for row in run.history]
    best = run.history[int(np.argmin(losses))]
    assert run.metrics["val_loss"] == best["val_loss"]
    assert run.metrics["val_second_half_top1"] == run.metrics["val_top1"]
    assert run.evaluations["dropout_averaged"]["top1"] == run.metrics["val_top1"]


def test_patience_counts_epochs_without_a_lower_loss():
    experiment = Experiment(name="e", architecture="simple_cnn", early_stopping=2)
    stopping = Stopping(experiment, np.repeat(np.arange(5), 4))
    history = [{"stopping_loss": loss} for loss in (3.0, 2.0, 2.5, 2.1)]
    assert not stopping.over(history[:3])
    assert stopping.over(history)
    assert stopping.improved(history[:2])
    assert not stopping.improved(history[:3])


def test_halves_of_val_are_balanced():
    labels = np.asarray(data.load("val").fine)
    half = first_half(labels)
    assert (np.bincount(labels[half]) == 25).all()
    assert (np.bincount(labels[~half]) == 25).all()
