"""Each profile trains as much as it says, of every experiment."""

import pytest

from cifar100.costs import macs_by_experiment
from cifar100.errors import UserError
from cifar100.experiments import EXPERIMENTS
from cifar100.training.profiles import QUICK_FLOP, Scale, scale

TRAIN = 45_000  # images
FEWEST = 8  # batches of a quick epoch, whatever they cost


@pytest.fixture(scope="module")
def macs():
    return macs_by_experiment()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_quick_run_stays_within_its_budget_or_at_eight_batches(name, macs):
    experiment = EXPERIMENTS[name]
    found = scale("quick", experiment, macs[name])
    assert found.epochs == min(3, experiment.epochs)
    whole_batches = found.train_images % experiment.batch_size == 0
    assert whole_batches or found.train_images == TRAIN
    cost = 6 * macs[name] * found.train_images * found.epochs
    fewest = FEWEST * experiment.batch_size
    assert cost <= QUICK_FLOP or found.train_images <= min(fewest, TRAIN)
    assert experiment.batch_size <= found.train_images <= TRAIN


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_smoke_run_makes_at_least_two_steps_an_epoch(name, macs):
    found = scale("smoke", EXPERIMENTS[name], macs[name])
    assert found.train_images >= max(256, 2 * EXPERIMENTS[name].batch_size)
    assert found.epochs <= 2


def test_a_full_run_is_everything():
    experiment = EXPERIMENTS["simple_cnn"]
    assert scale("full", experiment, 1) == Scale(epochs=experiment.epochs)


def test_nothing_can_be_trained_in_read():
    with pytest.raises(UserError, match="unknown profile 'read'"):
        scale("read", EXPERIMENTS["simple_cnn"], 1)
