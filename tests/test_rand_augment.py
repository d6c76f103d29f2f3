"""RandAugment's operations are Pillow's, and are dealt as the docstring says."""

import numpy as np
import pytest
from keras import ops
from PIL import Image, ImageEnhance, ImageOps

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import augment, data
from cifar100.augment import rand_augment
from cifar100.augment.drawing import OPERATIONS, cards_each
from cifar100.augment.painting import FILL

EACH = 40  # pictures for each operation


def pillow(image, operation, sign):
    """What Pillow makes of uint8 (32, 32, 3), at three tenths of the full strength."""
    picture = Image.fromarray(image)
    fill = tuple(map(int, FILL))

    def moved(matrix):
        return picture.transform(
            (32, 32), Image.Transform.AFFINE, matrix, fillcolor=fill
        )

    def enhanced(kind):
        return getattr(ImageEnhance, kind)(picture).enhance(1 + sign * 0.27)

    result = {
        "identity": lambda: picture,
        "rotate": lambda: picture.rotate(sign * 9, fillcolor=fill),
        "shear_x": lambda: moved((1, sign * 0.09, 0, 0, 1, 0)),
        "shear_y": lambda: moved((1, 0, 0, sign * 0.09, 1, 0)),
        "translate_x": lambda: moved((1, 0, sign * 3, 0, 1, 0)),
        "translate_y": lambda: moved((1, 0, 0, 0, 1, sign * 3)),
        "brightness": lambda: enhanced("Brightness"),
        "contrast": lambda: enhanced("Contrast"),
        "color": lambda: enhanced("Color"),
        "sharpness": lambda: enhanced("Sharpness"),
        "autocontrast": lambda: ImageOps.autocontrast(picture),
        "solarize": lambda: ImageOps.solarize(picture, 179),
        "posterize": lambda: ImageOps.posterize(picture, 7),
        "equalize": lambda: ImageOps.equalize(picture),
    }
    return np.asarray(result[operation]()).astype(int)


@pytest.fixture(scope="module")
def compared():
    """By operation: the pictures before, ours and Pillow's after. One call for all,
    since that is how operations are dealt."""
    count = EACH * len(OPERATIONS)
    generator = np.random.default_rng(0)
    split = data.load("train").images
    images = split[np.sort(generator.choice(len(split), count, replace=False))]
    cards = generator.permutation(count).astype(np.int32)
    signs = generator.choice([-1, 1], count).astype(np.int32)
    after = rand_augment.operated(images, cards, signs)
    after = ops.convert_to_numpy(after).astype(int)
    found = {}
    for number, name in enumerate(OPERATIONS):
        mine = np.flatnonzero(cards // EACH == number)
        theirs = np.array([pillow(images[i], name, signs[i]) for i in mine])
        found[name] = images[mine], after[mine], theirs
    return found


@pytest.mark.data
@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_is_that_of_pillow(operation, compared):
    """To the last bit but for blends and autocontrast, where Pillow cuts off what our
    float32 may have rounded up to the next grey, in less than 2 % of all values."""
    before, ours, theirs = compared[operation]
    difference = np.abs(ours - theirs)
    rounded = ("brightness", "contrast", "color", "sharpness", "autocontrast")
    assert difference.max() <= (1 if operation in rounded else 0)
    assert (difference > 0).mean() < 0.02
    assert (theirs != before).any() == (operation != "identity")


def extreme(value):
    return np.full((len(OPERATIONS), 32, 32, 3), value, np.uint8)


@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_operations_on_a_flat_picture_are_those_of_pillow(value):
    """No spread, no histogram to equalise: where one divides by nothing."""
    images = extreme(value)
    count = len(OPERATIONS)
    cards, signs = np.arange(count, dtype=np.int32), np.ones(count, np.int32)
    after = ops.convert_to_numpy(rand_augment.operated(images, cards, signs))
    for name, image, result in zip(OPERATIONS, images, after, strict=True):
        difference = np.abs(result.astype(int) - pillow(image, name, 1))
        assert difference.max() <= 1, name


def cards_of(batch, steps, seed=0):
    """(steps, batch, rounds) cards and signs."""
    drawn = augment.draw(
        ("rand_augment",), batch * steps, seed, 1, crop_padding=4, batch_size=batch
    )["rand_augment"].reshape(steps, batch, 2, 2)
    return drawn[..., 0], drawn[..., 1]


@pytest.mark.parametrize("batch", [1, 8, 14, 128, 500])
def test_nobody_gets_a_card_twice_in_a_batch(batch):
    cards, signs = cards_of(batch, 20)
    assert cards.min() >= 0
    assert cards.max() < cards_each(batch) * 14
    ordered = np.sort(cards, axis=1)
    assert (np.diff(ordered, axis=1) > 0).all()
    assert set(np.unique(signs)) == {-1, 1}


def test_every_pair_of_operations_is_equally_likely_for_a_picture():
    cards, signs = cards_of(128, 400)
    first, second = (cards[..., i].ravel() // cards_each(128) for i in (0, 1))
    pairs = np.bincount(first * 14 + second, minlength=196)
    expected = 128 * 400 / 196
    assert np.abs(pairs - expected).max() < 5 * np.sqrt(expected)
    assert signs.mean() == pytest.approx(0, abs=0.02)


def test_two_rounds_are_two_operations_one_after_the_other():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    drawn = augment.draw(("rand_augment",), 8, 0, 1, crop_padding=4)["rand_augment"]
    both = augment.apply(images, {"rand_augment": drawn})
    after = images
    for number in range(2):
        cards, signs = drawn[:, number].T
        after = ops.convert_to_numpy(rand_augment.operated(after, cards, signs))
    np.testing.assert_array_equal(ops.convert_to_numpy(both), after)
