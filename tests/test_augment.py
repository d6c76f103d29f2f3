"""Augmentation is drawn from (seed, epoch) and moves the pixels that it says."""

import numpy as np
import pytest
from keras import ops

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import augment


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)


def applied(images, **parameters):
    return ops.convert_to_numpy(augment.apply(images, parameters))


def test_flip_mirrors_only_the_images_that_were_drawn(images):
    flip = np.array([True, False, True, False, False, True])
    result = applied(images, flip=flip)
    expected = np.where(flip[:, None, None, None], images[:, :, ::-1], images)
    np.testing.assert_array_equal(result, expected)


def test_crop_is_a_window_on_the_reflected_picture(images):
    """Against NumPy's own reflection and slicing, image by image."""
    offsets = np.array([[-4, -4], [4, 4], [0, 0], [-4, 3], [1, -2], [4, 0]], np.int32)
    result = applied(images, crop=offsets)
    padded = np.pad(images, [(0, 0), (4, 4), (4, 4), (0, 0)], mode="reflect")
    for i, (row, column) in enumerate(offsets + 4):
        window = padded[i, row : row + 32, column : column + 32]
        np.testing.assert_array_equal(result[i], window)


def test_crop_and_flip_together_flip_the_window(images):
    offsets = np.array([[2, -3]] * 6, np.int32)
    flip = np.ones(6, bool)
    both = applied(images, crop=offsets, flip=flip)
    np.testing.assert_array_equal(both, applied(images, crop=offsets)[:, :, ::-1])


def test_no_augmentation_leaves_the_images_alone(images):
    assert augment.apply(images, {}) is images


def test_draws_repeat_for_the_same_seed_and_epoch_and_differ_otherwise():
    def drawn(seed, epoch):
        parameters = augment.draw(("flip", "crop"), 500, seed, epoch, crop_padding=4)
        return np.concatenate([parameters["flip"], parameters["crop"].ravel()])

    np.testing.assert_array_equal(drawn(3, 2), drawn(3, 2))
    assert not np.array_equal(drawn(3, 2), drawn(3, 1))
    assert not np.array_equal(drawn(3, 2), drawn(4, 2))


def test_adding_a_transform_leaves_the_draws_of_the_others_alone():
    alone = augment.draw(("flip",), 500, 0, 1, crop_padding=4)
    both = augment.draw(("flip", "crop"), 500, 0, 1, crop_padding=4)
    np.testing.assert_array_equal(alone["flip"], both["flip"])


def test_offsets_cover_the_whole_range_evenly():
    crop = augment.draw(("crop",), 20_000, 0, 1, crop_padding=4)["crop"]
    values, counts = np.unique(crop, return_counts=True)
    np.testing.assert_array_equal(values, np.arange(-4, 5))
    assert counts.min() / counts.max() > 0.9


def test_order_is_a_permutation_that_changes_with_the_epoch():
    first, second = (augment.order(1000, 0, epoch) for epoch in (1, 2))
    np.testing.assert_array_equal(np.sort(first), np.arange(1000))
    assert not np.array_equal(first, second)


def test_standardized_pixels_have_the_mean_and_spread_that_were_given(images):
    flat = images.reshape(-1, 3) / 255.0
    result = ops.convert_to_numpy(
        augment.standardize(images, flat.mean(axis=0), flat.std(axis=0))
    )
    np.testing.assert_allclose(result.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(result.std(axis=(0, 1, 2)), 1, atol=1e-5)
