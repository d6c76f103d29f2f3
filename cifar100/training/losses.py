"""The loss, as array code for both engines."""

from keras import ops


def cross_entropy(labels, logits, label_smoothing: float | None = None, weights=None):
    """Mean cross-entropy in nats: labels int (B,), logits float (B, classes) -> scalar.

    With smoothing the target is `1 - label_smoothing` on the true class plus an equal
    share of `label_smoothing` on every class (Szegedy et al. 2016, arXiv:1512.00567,
    section 7). `weights` float (B,), if given, multiply each image's cross-entropy.
    """
    loss = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    if label_smoothing is not None:
        uniform = -ops.mean(ops.log_softmax(logits, axis=-1), axis=-1)
        loss = (1 - label_smoothing) * loss + label_smoothing * uniform
    return ops.mean(loss if weights is None else weights * loss)


def batch_loss(labels, logits, parameters: dict, label_smoothing: float | None = None):
    """Mean cross-entropy of an augmented batch, a scalar.

    `parameters` of the augmentation say whether images were mixed: then an image counts
    `share` for its own label and the rest for its partner's (Zhang et al. 2018,
    arXiv:1710.09412, section 2: the loss is linear in the labels).
    """
    if "partner" not in parameters:
        return cross_entropy(labels, logits, label_smoothing)
    share = ops.cast(parameters["share"], logits.dtype)
    others = ops.take(labels, parameters["partner"])
    own = cross_entropy(labels, logits, label_smoothing, share)
    return own + cross_entropy(others, logits, label_smoothing, 1 - share)


def count_correct(labels, logits, parameters: dict):
    """How many images of an augmented batch got the right label, int32 scalar. A mixed
    image has the label with the larger share; its own, where they are equal."""
    if "partner" in parameters:
        others = ops.take(labels, parameters["partner"])
        labels = ops.where(parameters["share"] >= 0.5, labels, others)
    correct = ops.argmax(logits, axis=1) == labels
    return ops.sum(ops.cast(correct, "int32"))
