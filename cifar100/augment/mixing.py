"""Two pictures in one: mixup and CutMix. What becomes of their labels is the loss's."""

from keras import ops

from cifar100.augment.painting import chosen, within


def mixed(images, parameters: dict):
    """uint8 (B, 32, 32, 3) mixed with the pictures of the same batch that `partner`
    int32 (B,) names: by `mixup` float32 (B,), the weight of the picture itself, and
    by `cutmix` int32 (B, 4), a box (top, left, bottom, right) of the partner's pixels.

    Zhang et al. 2018 (arXiv:1710.09412), section 2; Yun et al. 2019
    (arXiv:1905.04899), section 3.1. Mixup is rounded to a whole grey.
    """
    partner = parameters["partner"]
    if "cutmix" in parameters:
        box = parameters["cutmix"]
        pasted = within(box[:, :2], box[:, 2:])
        images = chosen(pasted, ops.take(images, partner, axis=0), images)
    if "mixup" in parameters:
        weight = parameters["mixup"][:, None, None, None]
        own = ops.cast(images, "float32")
        other = ops.take(own, partner, axis=0)
        images = ops.cast(other + weight * (own - other) + 0.5, "uint8")
    return images
