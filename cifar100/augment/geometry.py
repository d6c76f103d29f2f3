"""Where each pixel of the new picture comes from: flip, crop and affine moves."""

from keras import config, ops

from cifar100.augment.drawing import SIZE

LAST = SIZE - 1


def moved(images, parameters: dict):
    """`crop`, `flip` and `affine` of uint8 (B, 32, 32, 3), in that order.

    Flip and crop only move pixels, so they become one look-up. An affine move takes a
    flip into its matrix.
    """
    if "affine" not in parameters:
        return _shifted(images, parameters.get("crop"), parameters.get("flip"))
    if "crop" in parameters:
        images = _shifted(images, parameters["crop"], parameters.get("flip"))
        return _warped(images, parameters["affine"])
    return _warped(images, parameters["affine"], parameters.get("flip"))


def _shifted(images, crop, flip):
    """Crop moves the window over the picture, whose border is reflected (the edge
    itself is not repeated); flip mirrors left and right. Either may be None.

    Integer crop and flip: He et al. 2015 (arXiv:1512.03385), section 4.2; there
    the usual code fills the border with zeros.
    """
    if crop is None and flip is None:
        return images
    rows = columns = ops.arange(SIZE, dtype="int32")[None, :]
    if crop is not None:
        rows = _reflect(rows + crop[:, 0:1])
        columns = _reflect(columns + crop[:, 1:2])
    if flip is not None:
        columns = ops.where(flip[:, None], ops.flip(columns, axis=1), columns)
    source = first_pixels(images) + rows[:, :, None] * SIZE + columns[:, None, :]
    return ops.take(ops.reshape(images, (-1, 3)), source, axis=0)


def _reflect(index):
    """Positions beyond the picture, mirrored at the first and the last pixel."""
    return LAST - ops.absolute(LAST - ops.absolute(index))


def resized(images, matrix):
    """uint8 (B, 32, 32, 3) -> Keras' `floatx` (B, side, side, 3) in grey levels, by a
    `resizing_matrix` (side, 32)."""
    images, matrix = (ops.cast(x, config.floatx()) for x in (images, matrix))
    return ops.einsum("yi,xj,bijc->byxc", matrix, matrix, images)


def _warped(images, matrices, flip=None):
    """Bilinear, rounded to the nearest grey level; beyond the border the nearest pixel,
    as ImageDataGenerator has it. `matrices` float32 (B, 2, 3) as `affine_matrices`."""
    if flip is not None:
        mirrored = ops.convert_to_tensor([0.0, 0.0, LAST]) - matrices[:, 0]
        column = ops.where(flip[:, None], mirrored, matrices[:, 0])
        matrices = ops.stack([column, matrices[:, 1]], axis=1)
    x, y = (ops.clip(place, 0.0, LAST) for place in sources(matrices))
    left, top = ops.floor(x), ops.floor(y)
    # The four neighbours of a pixel lie side by side, so that one look-up finds them.
    below = ops.concatenate([images[:, 1:], images[:, -1:]], axis=1)
    pairs = ops.concatenate([images, below], axis=3)  # (B, 32, 32, 6)
    right = ops.concatenate([pairs[:, :, 1:], pairs[:, :, -1:]], axis=2)
    fours = ops.concatenate([pairs, right], axis=3)  # (B, 32, 32, 12)
    source = first_pixels(images) + ops.cast(top * SIZE + left, "int32")
    near = ops.cast(ops.take(ops.reshape(fours, (-1, 12)), source, axis=0), "float32")
    columns = near[..., :6] + (near[..., 6:] - near[..., :6]) * (x - left)[..., None]
    rows = columns[..., 3:] - columns[..., :3]
    pixels = columns[..., :3] + rows * (y - top)[..., None]
    return ops.cast(pixels + 0.5, "uint8")  # never negative: the cast rounds down


def sources(matrices):
    """Where the pixels of the new picture come from: x and y, float32 (B, 32, 32)."""
    place = ops.arange(SIZE, dtype="float32")
    along, down = place[None, None, :], place[None, :, None]
    a, b, c, d, e, f = (
        matrices[:, i, j][:, None, None] for i in range(2) for j in range(3)
    )
    return a * along + (b * down + c), d * along + (e * down + f)


def first_pixels(images):
    """Places of the pictures' first pixels in their flattened pixels, (B, 1, 1)."""
    count = ops.shape(images)[0]
    return ops.arange(count, dtype="int32")[:, None, None] * (SIZE * SIZE)
