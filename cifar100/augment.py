"""Online augmentation: parameters drawn per (seed, epoch), applied by array code.

The draw is NumPy's and happens on the host, so that both engines see the same pictures;
`apply` is `keras.ops` code, so that it runs where the network runs.
"""

import zlib

import numpy as np

SIZE = 32


def generator(seed: int, epoch: int, purpose: str) -> np.random.Generator:
    """The random stream of one purpose in one epoch of one run.

    Each purpose has its own: adding a crop to a recipe leaves its flips and its order
    of images as they were, and two such runs stay paired.
    """
    entropy = [seed, epoch, zlib.crc32(purpose.encode())]
    return np.random.default_rng(np.random.SeedSequence(entropy))


def order(count: int, seed: int, epoch: int) -> np.ndarray:
    """A permutation of `range(count)`, int64: the order of the images in an epoch."""
    return generator(seed, epoch, "order").permutation(count)


def draw(
    transforms: tuple[str, ...], count: int, seed: int, epoch: int, *, crop_padding: int
) -> dict[str, np.ndarray]:
    """Parameters of `transforms` for `count` images; keys are the transforms' names.

    `flip`: (count,) bool. `crop`: (count, 2) int32, rows and columns by which the
    window is moved, from -crop_padding to +crop_padding.
    """
    parameters = {}
    if "flip" in transforms:
        parameters["flip"] = generator(seed, epoch, "flip").random(count) < 0.5
    if "crop" in transforms:
        offsets = generator(seed, epoch, "crop").integers(
            -crop_padding, crop_padding, (count, 2), endpoint=True
        )
        parameters["crop"] = offsets.astype(np.int32)
    return parameters


def apply(images, parameters: dict):
    """Augmented copies of `images`, uint8 (B, 32, 32, 3) -> uint8 (B, 32, 32, 3).

    Crop moves the window over the picture, whose border is reflected (the edge itself
    is not repeated); flip mirrors left and right. Both only move pixels, so they become
    one look-up: where in the old picture each new pixel comes from. Integer crop and
    flip: He et al. 2015 (arXiv:1512.03385), section 4.2, there with zeros as border.
    """
    from keras import ops

    if not parameters:
        return images
    rows = columns = ops.arange(SIZE, dtype="int32")[None, :]
    if "crop" in parameters:
        rows = _reflect(rows + parameters["crop"][:, 0:1])
        columns = _reflect(columns + parameters["crop"][:, 1:2])
    if "flip" in parameters:
        flip = parameters["flip"][:, None]
        columns = ops.where(flip, ops.flip(columns, axis=1), columns)
    batch = ops.shape(images)[0]
    first = ops.arange(batch, dtype="int32")[:, None, None] * (SIZE * SIZE)
    source = first + rows[:, :, None] * SIZE + columns[:, None, :]  # (B, 32, 32)
    return ops.take(ops.reshape(images, (-1, 3)), source, axis=0)


def _reflect(index):
    """Positions beyond the picture, mirrored at the first and the last pixel."""
    from keras import ops

    last = SIZE - 1
    return last - ops.absolute(last - ops.absolute(index))


def standardize(images, mean, std):
    """uint8 (B, H, W, 3) -> (pixel / 255 - mean) / std per channel, same shape."""
    from keras import ops

    scale = ops.convert_to_tensor(1.0 / (255.0 * std), "float32")
    shift = ops.convert_to_tensor(-mean / std, "float32")
    return ops.cast(images, "float32") * scale + shift
