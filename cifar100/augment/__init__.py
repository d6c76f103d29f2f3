"""Online augmentation: parameters drawn per (seed, epoch), applied by array code.

The draw is NumPy's and happens on the host, so that both engines see the same pictures;
`apply` is `keras.ops` code, so that it runs where the network runs. Drawing alone does
not load Keras.
"""

from cifar100.augment.drawing import (
    SIZE,
    affine_matrices,
    draw,
    generator,
    order,
    resizing_matrix,
    spared,
)

__all__ = [
    "SIZE",
    "affine_matrices",
    "apply",
    "draw",
    "generator",
    "order",
    "resizing_matrix",
    "spared",
    "standardize",
]


def apply(images, parameters: dict):
    """Augmented copies of `images`, uint8 (B, 32, 32, 3) -> uint8 (B, 32, 32, 3), or
    with `resize` in Keras' `floatx` (B, side, side, 3).

    `parameters` is what `draw` gives for these pictures, a whole batch of them where
    they are mixed or RandAugment is among the transforms. The order is fixed, however
    the recipe names them: crop, flip, affine, RandAugment, brightness, cutout, then
    mixup or CutMix, so that what is mixed are finished pictures, and at last resizing.
    """
    from cifar100.augment import geometry, mixing, painting, rand_augment

    images = geometry.moved(images, parameters)
    if "rand_augment" in parameters:
        images = rand_augment.rand_augmented(images, parameters["rand_augment"])
    if "brightness" in parameters:
        images = painting.brightened(images, parameters["brightness"])
    if "cutout" in parameters:
        images = painting.cut_out(images, parameters["cutout"])
    if "partner" in parameters:
        images = mixing.mixed(images, parameters)
    if "resize" in parameters:
        images = geometry.resized(images, parameters["resize"])
    return images


def standardize(images, mean, std):
    """uint8 or float (B, H, W, 3) -> (pixel / 255 - mean) / std per channel, same
    shape, in Keras' `floatx`. Features of pictures, float (B, F), stay what they are.
    """
    from keras import config, ops

    dtype = config.floatx()
    if len(images.shape) == 2:
        return ops.cast(images, dtype)
    scale = ops.convert_to_tensor(1.0 / (255.0 * std), dtype)
    shift = ops.convert_to_tensor(-mean / std, dtype)
    return ops.cast(images, dtype) * scale + shift
