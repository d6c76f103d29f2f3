"""Augmentation is drawn from (seed, epoch) and moves the pixels that it says."""

import subprocess
import sys
from typing import get_args

import cv2
import numpy as np
import pytest
from keras import ops

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import augment, data
from cifar100.experiments.experiment import Augmentation

EVERY = get_args(Augmentation)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def photographs():
    return np.array(data.load("train").images[:64])


def applied(images, **parameters):
    return ops.convert_to_numpy(augment.apply(images, parameters))


def drawn(*transforms, count=1280, batch_size=128, seed=0):
    return augment.draw(
        transforms, count, seed, 1, crop_padding=4, batch_size=batch_size
    )


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


@pytest.mark.parametrize("transform", EVERY)
def test_every_transform_draws_the_same_for_the_same_seed_only(transform):
    first, again, other = (drawn(transform, seed=seed) for seed in (0, 0, 1))
    for key, values in first.items():
        assert len(values) == 1280
        np.testing.assert_array_equal(values, again[key])
        assert not np.array_equal(values, other[key])


@pytest.mark.parametrize("transform", EVERY)
def test_draws_do_not_depend_on_what_else_is_in_the_recipe(transform):
    """With mixup and CutMix together each batch takes one, and a picture has one kind
    of flip: what excludes each other is left out here."""
    aside = {"mixup", "cutmix", transform}
    aside |= {"flip", "alternating_flip"} if "flip" in transform else {"flip"}
    rest = [name for name in EVERY if name not in aside]
    for key, values in drawn(transform).items():
        np.testing.assert_array_equal(values, drawn(*rest, transform)[key])


@pytest.mark.data
@pytest.mark.parametrize("transform", EVERY)
def test_every_transform_changes_pictures_and_leaves_the_given_ones_alone(
    transform, photographs
):
    before = photographs.copy()
    result = applied(photographs, **drawn(transform, count=64, batch_size=64))
    assert result.dtype == np.uint8
    assert result.shape == photographs.shape
    assert (result != photographs).any(axis=(1, 2, 3)).mean() > 0.4
    np.testing.assert_array_equal(photographs, before)


def test_drawing_does_not_load_keras():
    code = "import sys; from cifar100 import augment; assert 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


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


@pytest.mark.data
def test_order_of_the_transforms_is_that_of_the_docstring(photographs):
    """All at once is one after the other, in this order."""
    parameters = drawn(*EVERY, count=64, batch_size=64)
    one_by_one = photographs
    for keys in (
        *(["crop", "flip"], ["affine"], ["rand_augment"], ["brightness"], ["cutout"]),
        ["mixup", "cutmix", "partner", "share"],
    ):
        one_by_one = applied(one_by_one, **{key: parameters[key] for key in keys})
    np.testing.assert_array_equal(applied(photographs, **parameters), one_by_one)


# Affine moves


def moved(images, *, degrees=0.0, shifts=(0, 0), zooms=(1, 1)):
    """All images by the same move."""
    one = np.full(1, degrees), np.array([shifts]), np.array([zooms])
    matrix = augment.affine_matrices(*one)
    return applied(images, affine=np.repeat(matrix, len(images), axis=0))


def test_affine_move_by_nothing_returns_the_picture(images):
    np.testing.assert_array_equal(moved(images), images)


def test_whole_pixel_shift_moves_pixels_and_repeats_the_border(images):
    result = moved(images, shifts=(2, -3))
    rows, columns = np.arange(32) - 3, np.arange(32) + 2
    expected = images[:, rows.clip(0, 31)][:, :, columns.clip(0, 31)]
    np.testing.assert_array_equal(result, expected)


def test_quarter_turns_are_those_of_numpy(images):
    for turns, degrees in ((1, 90), (2, 180), (3, 270)):
        result = moved(images, degrees=degrees).astype(int)
        expected = np.rot90(images, turns, axes=(1, 2))
        assert np.abs(result - expected).max() <= 1


def test_zoom_above_one_makes_things_smaller(images):
    wide = np.zeros_like(images)
    wide[:, 8:24, 8:24] = 255
    area = [(moved(wide, zooms=(zoom, zoom)) > 127).sum() for zoom in (0.9, 1.0, 1.1)]
    assert area[0] > area[1] > area[2]


@pytest.mark.data
def test_affine_moves_are_those_of_opencv(photographs):
    matrices = augment.draw(("affine",), 64, 0, 1, crop_padding=4)["affine"]
    result = applied(photographs, affine=matrices)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = {"borderMode": cv2.BORDER_REPLICATE}
    expected = [
        cv2.warpAffine(image, matrix, (32, 32), flags=flags, **border)
        for image, matrix in zip(photographs, matrices, strict=True)
    ]
    difference = np.abs(result.astype(int) - np.array(expected))
    assert difference.max() <= 2
    assert difference.mean() < 0.05


@pytest.mark.data
def test_flipped_and_moved_is_the_flipped_picture_moved(photographs):
    parameters = drawn("flip", "affine", count=64, batch_size=64)
    both = applied(photographs, **parameters).astype(int)
    flipped = applied(photographs, flip=parameters["flip"])
    after = applied(flipped, affine=parameters["affine"])
    assert np.abs(both - after).max() <= 1
    assert (both == after).mean() > 0.999


def test_drawn_moves_stay_within_their_limits_and_reach_them():
    """A matrix taken apart: its columns are the rotated axes times the zooms."""
    matrices = augment.draw(("affine",), 20_000, 0, 1, crop_padding=4)["affine"]
    zooms = np.linalg.norm(matrices[:, :, :2], axis=1)
    degrees = np.rad2deg(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    middle = matrices @ np.array([15.5, 15.5, 1])  # where the centre comes from
    shifts = np.linalg.norm(middle - 15.5, axis=1)
    assert zooms.min() == pytest.approx(0.9, abs=1e-3)
    assert zooms.max() == pytest.approx(1.1, abs=1e-3)
    assert np.abs(degrees).max() == pytest.approx(15, abs=0.02)
    assert shifts.max() == pytest.approx(3.2 * np.sqrt(2), abs=0.05)
    assert np.abs(middle - 15.5).mean(axis=0) == pytest.approx([1.6, 1.6], abs=0.05)


# Brightness and cutout


def test_brightness_multiplies_and_stops_at_white(images):
    factors = np.array([0.8, 0.9, 1.0, 1.1, 1.2, 1.15], np.float32)
    result = applied(images, brightness=factors).astype(float)
    exact = np.minimum(images * factors[:, None, None, None], 255)
    assert np.abs(result - exact).max() <= 0.5 + 1e-3
    np.testing.assert_array_equal(result[2], images[2])


def test_cutout_is_one_square_of_the_mean_colour(images):
    """Whole inside, half at an edge, a quarter in the corner."""
    centres = np.array([[16, 16], [4, 28], [0, 9], [20, 0], [0, 0], [31, 31]], np.int32)
    result = applied(images, cutout=centres)
    mean = np.round(255 * data.MEAN)
    for picture, before, (row, column) in zip(result, images, centres, strict=True):
        square = np.zeros((32, 32), bool)
        square[max(row - 4, 0) : row + 4, max(column - 4, 0) : column + 4] = True
        np.testing.assert_array_equal(picture[~square], before[~square])
        np.testing.assert_array_equal(picture[square], np.tile(mean, (square.sum(), 1)))
    black = applied(np.zeros_like(images), cutout=centres)
    areas = (black > 0).all(axis=3).sum(axis=(1, 2))
    assert areas.tolist() == [64, 64, 32, 32, 16, 25]
