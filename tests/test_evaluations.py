"""Other ways to score a trained network do what they say, and leave it as it was."""

import numpy as np
import pytest

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import data
from cifar100.experiments import Experiment
from cifar100.training import evaluations
from cifar100.training.engine import create
from cifar100.training.scores import metrics, per_image

pytestmark = pytest.mark.data

# Dropout stands before two of its batch norms, and before a dense layer.
ARGUMENTS = {
    "filters": (8, 16, 16),
    "dense_units": 32,
    "dropout_position": "before_pool",
}


def engine_of(*asked, dropout=0.5, seed=0, augmentation=()):
    experiment = Experiment(
        name="small",
        architecture="baseline",
        arguments=ARGUMENTS,
        dropout=dropout,
        augmentation=augmentation,
        evaluations=asked,
    )
    engine = create(experiment, 2)
    engine.start(seed)
    return engine


def statistics(engine):
    """All moving means and variances, one after the other."""
    found = [(x.moving_mean, x.moving_variance) for x in engine.batch_norms]
    return np.concatenate([np.array(value) for pair in found for value in pair])


@pytest.fixture
def train(home_with_data):
    split = data.load("train")
    return data.Split(split.images[:256], split.fine[:256], split.coarse[:256])


@pytest.fixture
def val(home_with_data):
    split = data.load("val")
    return data.Split(split.images[:100], split.fine[:100], split.coarse[:100])


def evaluated(engine, weights, train, val):
    found = evaluations.evaluate(engine, 0, weights, train, val, lambda scored: scored)
    (figures,) = found.values()
    return figures


def figures_of(probabilities, val):
    with np.errstate(divide="ignore"):
        return metrics(per_image(np.log(probabilities), val.fine))


def test_reestimated_statistics_are_those_of_images_without_dropout(train):
    dropped, whole = engine_of(), engine_of(dropout=0.0)
    whole.set_weights(dropped.weights())
    before = statistics(dropped)
    for engine in (dropped, whole):
        evaluations.reestimate_batch_norm(engine, train.images)
    assert len(dropped.batch_norms) == 3
    assert np.abs(statistics(dropped) - before).max() > 0.1
    np.testing.assert_allclose(statistics(dropped), statistics(whole), rtol=1e-4)


def test_statistics_of_augmented_images_are_of_versions_that_the_recipe_draws(
    train, val
):
    engine = engine_of("batch_norm_augmented", augmentation=("flip", "affine"))
    found = evaluated(engine, engine.weights(), train, val)
    changed = evaluations.unseen_versions(engine.experiment, 0, train.images)
    for images, same in ((changed, True), (train.images, False)):
        evaluations.reestimate_batch_norm(engine, images)
        figures = figures_of(evaluations.probabilities(engine, val.images), val)
        assert (found == pytest.approx(figures, rel=1e-5)) is same


def test_with_dropout_left_on_batch_norm_keeps_to_its_moving_statistics(val):
    engine = engine_of()
    before, found = statistics(engine), []
    for others in (val.images[20:60], 255 - val.images[40:80]):
        engine.seed_dropout(0, 1)  # the same masks
        together = np.concatenate([val.images[:20], others])
        found.append(engine.logits(together, "dropout")[:20])
    np.testing.assert_allclose(*found, atol=1e-5)
    np.testing.assert_array_equal(statistics(engine), before)
    assert not np.allclose(found[0], engine.logits(val.images[:20]), atol=1e-3)


def test_averaged_masks_are_the_mean_over_ten_of_them(train, val):
    engine, total = engine_of("dropout_averaged"), 0.0
    for mask in range(10):
        engine.seed_dropout(0, 0, mask)
        total = total + evaluations.probabilities(engine, val.images, "dropout")
    found = evaluated(engine, engine.weights(), train, val)
    assert found == pytest.approx(figures_of(total / 10, val), rel=1e-6)


def test_a_weight_average_is_scored_with_its_own_weights_and_statistics(train, val):
    engine, other = engine_of("weight_average"), engine_of(seed=1)
    found = evaluated(engine, other.weights(), train, val)
    evaluations.reestimate_batch_norm(other, train.images)
    expected = figures_of(evaluations.probabilities(other, val.images), val)
    assert found == pytest.approx(expected, rel=1e-5)


def test_both_views_are_those_of_a_picture_and_its_mirror_image(train, val):
    engine = engine_of("flip_tta")
    views = [val.images, val.images[:, :, ::-1]]
    mean = sum(evaluations.probabilities(engine, np.array(v)) for v in views) / 2
    found = evaluated(engine, engine.weights(), train, val)
    assert found == pytest.approx(figures_of(mean, val), rel=1e-6)


@pytest.mark.parametrize(
    "name", ["weight_average", "batch_norm_reestimated", "batch_norm_augmented"]
)
def test_an_evaluation_leaves_the_network_as_it_was(train, val, name):
    engine = engine_of(name)
    before = engine.weights()
    evaluated(engine, engine_of(seed=1).weights(), train, val)
    for one, other in zip(before, engine.weights(), strict=True):
        np.testing.assert_array_equal(one, other)
