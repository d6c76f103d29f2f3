"""The loss, as array code for both engines."""

from keras import ops


def cross_entropy(labels, logits, label_smoothing: float = 0.0):
    """Mean cross-entropy in nats: labels int (B,), logits float (B, classes) -> scalar.

    With smoothing the target is `1 - label_smoothing` on the true class plus an equal
    share of `label_smoothing` on every class (Szegedy et al. 2016, arXiv:1512.00567,
    section 7).
    """
    loss = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    if label_smoothing:
        uniform = -ops.mean(ops.log_softmax(logits, axis=-1), axis=-1)
        loss = (1 - label_smoothing) * loss + label_smoothing * uniform
    return ops.mean(loss)
