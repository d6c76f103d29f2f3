"""What holds for any seed and epoch: augmentation, stored copies, an epoch's order."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import augment, offline
from cifar100.experiments import Experiment, get
from cifar100.experiments.experiment import STORABLE, Augmentation
from cifar100.training.plan import plan_epoch
from tests.strategies import SEEDS, quick

EPOCHS = st.integers(1, 300)
EVERY = Augmentation.__args__


def drawn(transforms, seed, epoch, *, steps=2, batch=8):
    options = {"crop_padding": 4, "batch_size": batch}
    return augment.draw(tuple(transforms), steps * batch, seed, epoch, **options)


RECIPES = st.sets(st.sampled_from(EVERY)).filter(
    lambda names: not {"flip", "alternating_flip"} <= names
)


@quick
@given(RECIPES, SEEDS, EPOCHS)
def test_what_is_drawn_stays_within_its_limits_and_repeats(transforms, seed, epoch):
    found, again = (drawn(sorted(transforms), seed, epoch) for _ in range(2))
    assert found.keys() == again.keys()
    for key, values in found.items():
        np.testing.assert_array_equal(values, again[key])
        assert len(values) == 16
        assert np.isfinite(values).all()
    assert abs(found.get("crop", np.zeros(1))).max() <= 4
    assert abs(found.get("brightness", np.ones(1)) - 1).max() <= 0.2 + 1e-6
    if "partner" in found:
        pairs = found["partner"].reshape(2, 8)
        np.testing.assert_array_equal(np.sort(pairs, axis=1), [np.arange(8)] * 2)
        assert 0 <= found["share"].min() <= found["share"].max() <= 1
    if "cutmix" in found:
        first, last = found["cutmix"][:, :2], found["cutmix"][:, 2:]
        assert 0 <= first.min() <= last.max() <= 32
        assert (first <= last).all()


PICTURES = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)


@settings(quick, max_examples=15)
@given(RECIPES, SEEDS, EPOCHS)
def test_augmented_pictures_are_pictures_and_the_originals_stay(
    transforms, seed, epoch
):
    before = PICTURES.copy()
    parameters = drawn(sorted(transforms), seed, epoch, steps=1)
    shown = np.array(augment.apply(PICTURES, parameters))
    assert (shown.shape, shown.dtype) == (PICTURES.shape, np.uint8)
    np.testing.assert_array_equal(PICTURES, before)


@quick
@given(SEEDS, EPOCHS)
def test_flips_and_crops_only_move_pixels(seed, epoch):
    """Every colour of the new picture was in the old one; a flip undoes itself."""
    parameters = drawn(["flip", "crop"], seed, epoch, steps=1)
    shown = np.array(augment.apply(PICTURES, parameters))
    for old, new in zip(PICTURES, shown, strict=True):
        colours = {tuple(c) for c in old.reshape(-1, 3)}
        assert {tuple(c) for c in new.reshape(-1, 3)} <= colours
    flip = {"flip": parameters["flip"]}
    twice = augment.apply(np.array(augment.apply(PICTURES, flip)), flip)
    np.testing.assert_array_equal(np.array(twice), PICTURES)


@quick
@given(SEEDS, st.integers(1, 6), st.integers(8, 40))
def test_stored_copies_are_drawn_as_online_ones(seed, epoch, count):
    found = offline.draw(("flip", "affine"), count, seed, epoch)
    online = augment.draw(("flip", "affine"), count, seed, epoch, crop_padding=0)
    order = augment.order(count, seed, epoch)
    for key, values in online.items():
        np.testing.assert_array_equal(found[key][order], values)


@quick
@given(SEEDS, st.integers(1, 6), st.sampled_from([0.0, 0.25, 1.0]))
def test_unchanged_pictures_stay_and_the_others_are_drawn_as_ever(seed, epoch, share):
    amounts = {"images": 400, "epochs": 6}
    recipe = Experiment(name="x", architecture="simple_cnn", augmentation=STORABLE)
    before = flat(plan_epoch(recipe, seed, epoch, **amounts))
    after = flat(plan_epoch(replace(recipe, unchanged=share), seed, epoch, **amounts))
    kept = after["brightness"] == 1
    assert abs(kept.mean() - share) < 0.15
    for key, values in before.items():
        assert after[key].dtype == values.dtype
        np.testing.assert_array_equal(after[key][~kept], values[~kept])
    images = PICTURES[np.arange(len(kept)) % len(PICTURES)]
    shown = np.array(augment.apply(images, after))
    np.testing.assert_array_equal(shown[kept], images[kept])


def flat(plan):
    """What a plan draws for each picture of its epoch, one after the other."""
    return {k: v.reshape(-1, *v.shape[2:]) for k, v in plan.parameters.items()}


@quick
@given(SEEDS, st.integers(1, 20), st.sampled_from([7, 16, 33]))
def test_an_epoch_shows_each_image_once_at_most(seed, epoch, batch_size):
    experiment = replace(get("simple_cnn"), batch_size=batch_size)
    plan = plan_epoch(experiment, seed, epoch, images=100, epochs=20)
    shown = plan.order.ravel()
    assert len(set(shown.tolist())) == len(shown) == 100 // batch_size * batch_size
    assert set(shown.tolist()) <= set(range(100))
