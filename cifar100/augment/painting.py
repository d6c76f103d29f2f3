"""What changes the colours of pixels in place: brightness and cutout."""

import numpy as np
from keras import ops

from cifar100.augment.drawing import CUTOUT, SIZE
from cifar100.data import MEAN

FILL = np.round(255 * MEAN).astype(np.uint8)  # the data set's mean colour, (3,)


def brightened(images, factors):
    """uint8 (B, 32, 32, 3) times float32 (B,), cut off at 255, rounded to a grey."""
    pixels = ops.cast(images, "float32") * factors[:, None, None, None]
    return ops.cast(ops.minimum(pixels + 0.5, 255.0), "uint8")


def cut_out(images, centres):
    """A square of `FILL` in each picture, around `centres` int32 (B, 2), row before
    column; what lies beyond the border is cut off.

    DeVries & Taylor 2017 (arXiv:1708.04552), section 3.2, length 8 as for CIFAR-100.
    """
    first = centres - CUTOUT // 2
    fill = ops.broadcast_to(FILL, ops.shape(images))
    return chosen(within(first, first + CUTOUT), fill, images)


def within(first, last):
    """Which pixels lie in boxes from `first` up to, without, `last`, both int32 (B, 2),
    row before column: bool (B, 32, 96), each pixel three times, for its colours."""
    rows = ops.arange(SIZE, dtype="int32")[None, :]
    columns = ops.repeat(rows, 3, axis=1)
    rows = (rows >= first[:, 0:1]) & (rows < last[:, 0:1])
    columns = (columns >= first[:, 1:2]) & (columns < last[:, 1:2])
    return rows[:, :, None] & columns[:, None, :]


def chosen(mask, inside, outside):
    """Pixels of `inside` where `mask` says so, else of `outside`. Both are uint8
    (B, 32, 32, 3), compared by rows of 96 values: a mask without colours would have to
    be stretched for each pixel, which takes twice as long on a CPU."""
    inside, outside = (ops.reshape(x, (-1, SIZE, 3 * SIZE)) for x in (inside, outside))
    return ops.reshape(ops.where(mask, inside, outside), (-1, SIZE, SIZE, 3))
