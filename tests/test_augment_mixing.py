"""Mixed pictures, their labels, and what the loss makes of both."""

import keras
import numpy as np
import pytest
from keras import ops

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import augment, data
from cifar100.experiments import Experiment
from cifar100.training.engine import create
from cifar100.training.losses import batch_loss, count_correct
from cifar100.training.plan import plan_epoch

BATCH, STEPS = 64, 200


@pytest.fixture
def images():
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (BATCH, 32, 32, 3), dtype=np.uint8)


def drawn(*transforms, steps=STEPS):
    """Drawn parameters by batch: each (steps, BATCH, …)."""
    count = steps * BATCH
    parameters = augment.draw(transforms, count, 0, 1, crop_padding=4, batch_size=BATCH)
    return {k: v.reshape(steps, BATCH, *v.shape[1:]) for k, v in parameters.items()}


def step_of(parameters, step):
    return {key: values[step] for key, values in parameters.items()}


def applied(images, parameters):
    return ops.convert_to_numpy(augment.apply(images, parameters))


def pasted_pixels(parameters):
    """(steps,): how many pixels come from the partner, by applying CutMix to pictures
    that say who they are."""
    pictures = np.zeros((BATCH, 32, 32, 3), np.uint8)
    pictures[:] = np.arange(BATCH)[:, None, None, None]
    counts = []
    for step in range(len(parameters["partner"])):
        one = step_of(parameters, step)
        result = applied(pictures, one)
        own = result[..., 0] == pictures[..., 0]
        partners = result[..., 0] == one["partner"][:, None, None]
        assert (own | partners).all()
        moved = one["partner"] != np.arange(BATCH)
        counts.append((~own).sum(axis=(1, 2))[moved])
    return counts


def test_partners_are_a_permutation_of_each_batch():
    for name in ("mixup", "cutmix"):
        partner = drawn(name)["partner"]
        np.testing.assert_array_equal(
            np.sort(partner, axis=1), np.tile(np.arange(BATCH), (STEPS, 1))
        )
        assert not np.array_equal(partner[0], partner[1])


@pytest.mark.parametrize("names", [("mixup",), ("cutmix",), ("mixup", "cutmix")])
def test_one_share_from_0_to_1_serves_a_batch(names):
    share = drawn(*names)["share"]
    assert share.dtype == np.float32
    assert (share >= 0).all()
    assert (share <= 1).all()
    np.testing.assert_array_equal(share, share[:, :1].repeat(BATCH, axis=1))
    assert len(np.unique(share)) > STEPS / 2


def test_mixup_weights_are_even_between_0_and_1():
    """Beta(1, 1) is the uniform distribution."""
    weights = drawn("mixup", steps=5_000)["mixup"][:, 0]
    counts, _ = np.histogram(weights, 10, (0, 1))
    assert counts.min() > 400
    assert counts.max() < 600


def test_mixup_is_the_weighted_mean_of_both_pictures(images):
    parameters = step_of(drawn("mixup"), 0)
    result = applied(images, parameters)
    weight = parameters["share"][:, None, None, None]
    exact = weight * images + (1 - weight) * images[parameters["partner"]]
    assert np.abs(result - exact).max() <= 0.5 + 1e-3


def test_share_of_a_cutmix_label_is_exactly_the_share_of_its_pixels():
    parameters = drawn("cutmix", steps=60)
    counts = pasted_pixels(parameters)
    for step, pixels in enumerate(counts):
        assert (parameters["share"][step] == np.float32(1 - pixels[0] / 1024)).all()
        assert (pixels == pixels[0]).all()
    shares = parameters["share"][:, 0]
    assert shares.min() < 0.3
    assert shares.max() > 0.9


def test_cutmix_boxes_are_squares_of_the_drawn_area_cut_off_at_the_border():
    """A side r = 32 sqrt(u), u even in [0, 1], around an even centre keeps r - r² / 128
    of its length: E (r - r² / 128)² = 328.5 pixels, less what rounding r down takes."""
    parameters = drawn("cutmix", steps=20_000)
    box, share = parameters["cutmix"][:, 0], parameters["share"][:, 0]
    assert box.min() == 0
    assert box.max() == 32
    inside = (box[:, :2] > 0).all(axis=1) & (box[:, 2:] < 32).all(axis=1)
    sides = (box[:, 2:] - box[:, :2])[inside]
    np.testing.assert_array_equal(sides[:, 0], sides[:, 1])
    assert 1024 * (1 - share.mean()) == pytest.approx(328.5 - 15, abs=10)


def test_with_mixup_and_cutmix_each_batch_takes_one_of_them():
    both, steps = drawn("mixup", "cutmix"), np.arange(STEPS)
    blended = both["mixup"][:, 0] < 1
    pasted = both["cutmix"][:, 0].any(axis=1)
    assert not (blended & pasted).any()
    assert (blended | pasted).mean() > 0.97  # a box may be empty
    assert 0.35 < blended.mean() < 0.65
    alone = {name: drawn(name) for name in ("mixup", "cutmix")}
    for step in steps:
        taken = alone["mixup"] if blended[step] else alone["cutmix"]
        if blended[step] or pasted[step]:
            np.testing.assert_array_equal(both["share"][step], taken["share"][step])
            np.testing.assert_array_equal(both["partner"][step], taken["partner"][step])


def by_hand(labels, logits, parameters, smoothing):
    """Cross-entropy against the mixed and smoothed distribution over classes."""
    classes = logits.shape[1]
    share = parameters["share"][:, None]
    own, other = (np.eye(classes)[x] for x in (labels, labels[parameters["partner"]]))
    target = share * own + (1 - share) * other
    np.testing.assert_allclose(target.sum(axis=1), 1, rtol=1e-6)
    target = (1 - smoothing) * target + smoothing / classes
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -(target * log_p).sum(axis=1).mean()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("names", [("mixup",), ("cutmix",), ("mixup", "cutmix")])
def test_loss_of_a_mixed_batch_is_that_against_the_mixed_labels(names, smoothing):
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(BATCH, 100)).astype(np.float32)
    labels = generator.integers(0, 100, BATCH).astype(np.int32)
    parameters = step_of(drawn(*names), 3)
    assert 0.05 < parameters["share"][0] < 0.95
    found = float(batch_loss(labels, logits, parameters, smoothing))
    exact = by_hand(labels, logits.astype(float), parameters, smoothing)
    assert found == pytest.approx(exact, rel=1e-5)


def test_mixed_image_counts_as_right_with_the_label_of_the_larger_share():
    labels = np.array([0, 1, 2, 3], np.int32)
    parameters = {
        "partner": np.array([1, 0, 3, 2], np.int32),
        "share": np.array([0.7, 0.2, 0.5, 0.4], np.float32),
    }
    for predicted, right in (([0, 0, 2, 2], 4), ([1, 1, 3, 3], 0), ([0, 1, 2, 3], 2)):
        logits = np.eye(4, dtype=np.float32)[predicted]
        assert int(count_correct(labels, logits, parameters)) == right
    assert int(count_correct(labels, np.eye(4, dtype=np.float32), {})) == 4


@pytest.mark.data
@pytest.mark.parametrize("transforms", [("mixup",), ("flip", "crop", "cutmix")])
def test_training_step_has_the_loss_computed_by_hand(transforms):
    """The first step: the loss of the initial weights on the mixed batch."""
    experiment = Experiment(
        name="mixed",
        architecture="simple_cnn",
        augmentation=transforms,
        batch_size=BATCH,
        label_smoothing=0.1,
    )
    split = data.load("train")
    engine = create(experiment, 2)
    engine.start(0)
    plan = plan_epoch(experiment, 0, 1, images=len(split.fine), epochs=1)[:1]
    batch, parameters = plan.order[0], step_of(plan.parameters, 0)
    assert 0.02 < parameters["share"][0] < 0.98
    images = applied(split.images[batch], parameters)
    logits = engine.logits(images)  # no dropout, no batch norm: as in training
    losses, correct = engine.train_epoch(split.images, split.fine, plan)
    labels = split.fine[batch].astype(np.int32)
    exact = by_hand(labels, logits.astype(float), parameters, 0.1)
    assert losses[0] == pytest.approx(exact, rel=1e-4)
    assert correct[0] == int(count_correct(labels, logits, parameters))


def test_step_without_mixing_has_the_loss_of_keras():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 100, BATCH).astype(np.int32)
    logits = generator.normal(size=(BATCH, 100)).astype(np.float32)
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert float(batch_loss(labels, logits, {})) == pytest.approx(
        float(theirs(labels, logits)), rel=1e-6
    )
