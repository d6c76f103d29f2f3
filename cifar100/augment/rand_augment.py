"""RandAugment: each picture gets two operations of its own, drawn from fourteen.

Cubuk et al. 2020 (arXiv:1909.13719), section 3: N = 2, and M = 3 on a scale whose 10 is
the end of AutoAugment's ranges (Cubuk et al. 2019, arXiv:1805.09501, table 6), with
translations of at most 10 pixels, as its authors have for pictures of 32. Each range
goes from doing nothing to its end; moves and blends take either sign. The paper finds
that small networks and small data sets want a small M (section 4); 3 of 10 is also what
torchvision has by default, as 9 of 30.

Operations are dealt like cards. Each stands on equally many cards of a deck that is
just large enough for the batch, and every picture takes one. So each picture by itself
gets any operation with the same chance, as in the paper; but no operation is in a batch
more often than it has cards. All shapes are fixed then, and each operation works on
its own few pictures only, which is what makes this fast.

All functions here take and return uint8 (B, 32, 32, 3), and do what Pillow does.
"""

import numpy as np
from keras import ops

from cifar100.augment.drawing import OPERATIONS, SIZE, cards_each
from cifar100.augment.geometry import first_pixels, sources
from cifar100.augment.painting import FILL

STRENGTH = 0.3  # M = 3 of 10
DEGREES, SHEAR, PIXELS = 30.0, 0.3, 10.0
FACTOR = 0.9  # blends: 0.1 to 1.9
SOLARIZED = round(256 * (1 - STRENGTH))  # this grey and all lighter ones
POSTERIZED = 2 ** round(4 * STRENGTH)  # greys to a step, up to 4 bits of 8
GREYS = np.arange(256, dtype=np.float32)


def rand_augmented(images, drawn):
    """The operations `drawn`, one after the other, int32 (B, N, 2): cards and signs."""
    for number in range(drawn.shape[1]):
        images = operated(images, drawn[:, number, 0], drawn[:, number, 1])
    return images


def operated(images, cards, signs):
    """One operation on each picture. `cards` int32 (B,), no two alike, from 0 to
    `14 * cards_each(B) - 1`; `signs` int32 (B,), 1 or -1."""
    count = images.shape[0]
    each = cards_each(count)
    pictures = ops.arange(count, dtype="int32")
    # Cards that stay in the deck go to the first picture, and nobody looks at those.
    holders = ops.scatter(cards[:, None], pictures, (each * len(OPERATIONS),))
    held = ops.take(images, holders, axis=0)
    amounts = STRENGTH * ops.cast(ops.take(signs, holders), "float32")
    done, first = [], 0
    for names, operation in GROUPS:
        last = first + each * len(names)
        done.append(operation(held[first:last], amounts[first:last]))
        first = last
    return ops.take(ops.concatenate(done, axis=0), cards, axis=0)


def _move(images, amounts):
    """The five moves, on equally many pictures each: one look-up for all.

    A shear leaves the upper or left edge where it is, half a pixel outside of the
    middle of the first row or column.
    """
    rotated, *rest = ops.split(amounts, len(MOVES))
    angle = rotated * np.float32(np.deg2rad(DEGREES))
    cosine, sine, middle = ops.cos(angle), ops.sin(angle), (SIZE - 1) / 2
    shear_x, shear_y = (SHEAR * amount for amount in rest[:2])
    shift_x, shift_y = (PIXELS * amount for amount in rest[2:])
    one, zero = ops.ones_like(sine), ops.zeros_like(sine)
    moves = (
        (cosine, -sine, middle * (1 - cosine + sine)),
        (sine, cosine, middle * (1 - cosine - sine)),
        *((one, shear_x, shear_x / 2), (zero, one, zero)),
        *((one, zero, zero), (shear_y, one, shear_y / 2)),
        *((one, zero, shift_x), (zero, one, zero)),
        *((one, zero, zero), (zero, one, shift_y)),
    )
    values = ops.stack([value for row in moves for value in row], axis=1)
    each = ops.reshape(values, (-1, len(MOVES), 2, 3))
    return _nearest(images, ops.reshape(ops.swapaxes(each, 0, 1), (-1, 2, 3)))


def _nearest(images, matrices):
    """The nearest pixel of the old picture, FILL where there is none."""
    x, y = (ops.floor(place + 0.5) for place in sources(matrices))
    inside = (x >= 0) & (x < SIZE) & (y >= 0) & (y < SIZE)
    place = first_pixels(images) + ops.cast(y * SIZE + x, "int32")
    pixels = ops.concatenate([ops.reshape(images, (-1, 3)), FILL[None]], axis=0)
    fill = ops.shape(pixels)[0] - 1
    return ops.take(pixels, ops.where(inside, place, fill), axis=0)


def _blend(pixels, other, amounts):
    """From `other` through `pixels` and on, both float32: Pillow's `Image.blend`."""
    factor = (1 + FACTOR * amounts)[:, None, None, None]
    return _uint8(other + factor * (pixels - other))


def _uint8(pixels):
    return ops.cast(ops.clip(pixels, 0.0, 255.0), "uint8")


def _brightness(images, amounts):
    return _blend(ops.cast(images, "float32"), 0.0, amounts)


def _contrast(images, amounts):
    """Around the mean grey of the picture."""
    pixels = ops.cast(images, "float32")
    mean = ops.mean(_grey(pixels), axis=(1, 2, 3), keepdims=True)
    return _blend(pixels, ops.floor(mean + 0.5), amounts)


def _color(images, amounts):
    pixels = ops.cast(images, "float32")
    return _blend(pixels, _grey(pixels), amounts)


def _sharpness(images, amounts):
    """Away from, or towards, Pillow's SMOOTH filter; the border stays as it is."""
    pixels = ops.cast(images, "float32")
    rows = pixels[:, :-2] + pixels[:, 1:-1] + pixels[:, 2:]
    nine = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    inner = pixels[:, 1:-1, 1:-1]
    change = ops.floor((nine + 4 * inner) / 13 + 0.5) - inner
    soft = pixels + ops.pad(change, [(0, 0), (1, 1), (1, 1), (0, 0)])
    return _blend(pixels, soft, amounts)


def _grey(pixels):
    """Whole numbers, float32 (B, 32, 32, 1): Pillow's mode L, to the last bit."""
    weights = 19_595 / 65_536, 38_470 / 65_536, 7_471 / 65_536
    parts = (pixels[..., i : i + 1] * weight for i, weight in enumerate(weights))
    return ops.floor(sum(parts) + 0.5)


def _autocontrast(images, _amounts):
    """Each channel stretched to all of 0 to 255."""
    pixels = ops.cast(images, "float32")
    low = ops.min(pixels, axis=(1, 2), keepdims=True)
    spread = ops.max(pixels, axis=(1, 2), keepdims=True) - low
    stretched = (pixels - low) * 255 / ops.maximum(spread, 1.0)
    return _uint8(ops.where(spread > 0, stretched, pixels))


def _solarize(images, _amounts):
    return ops.where(images < SOLARIZED, images, 255 - images)


def _posterize(images, _amounts):
    return images - images % POSTERIZED


def _equalize(images, _amounts):
    """Each channel by a table that uses all greys about equally often."""
    count = images.shape[0] * 3  # tables
    first = ops.reshape(ops.arange(count, dtype="int32") * 256, (-1, 1, 1, 3))
    cells = ops.cast(images, "int32") + first
    flat = ops.reshape(cells, (-1,))
    used = ops.segment_sum(ops.ones_like(flat), flat, num_segments=count * 256)
    used = ops.cast(ops.reshape(used, (count, 256)), "float32")
    below = ops.cumsum(used, axis=1) - used
    but_last = ops.max(ops.where(below < SIZE * SIZE, below, 0.0), axis=1)
    step = ops.floor(but_last / 255)[:, None]
    table = ops.floor((ops.floor(step / 2) + below) / ops.maximum(step, 1.0))
    table = _uint8(ops.where(step > 0, table, GREYS))
    return ops.take(ops.reshape(table, (-1,)), cells)


MOVES = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
GROUPS = (
    (("identity",), lambda images, _amounts: images),
    (MOVES, _move),
    (("brightness",), _brightness),
    (("contrast",), _contrast),
    (("color",), _color),
    (("sharpness",), _sharpness),
    (("autocontrast",), _autocontrast),
    (("solarize",), _solarize),
    (("posterize",), _posterize),
    (("equalize",), _equalize),
)
assert tuple(name for names, _ in GROUPS for name in names) == OPERATIONS
