"""From logits to what a record keeps of each image, and the metrics of that."""

import numpy as np


def per_image(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """What is stored of each image; `logits` float (N, 100), `labels` int (N,).

    `predictions` uint8: the class with the largest logit. `rank` uint8: classes ahead
    of the true one, 0 when it is predicted. float16: `probability` of the predicted
    class, `log_probability` of the true class in nats, `sum_squares` of all
    probabilities (the Brier score needs it).
    """
    logits = logits.astype(np.float64)
    labels = labels.astype(np.int64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p = np.exp(log_p)
    rows = np.arange(len(labels))
    own = logits[rows, labels][:, None]
    # A tie goes to the lower class, as argmax has it.
    tied_before = (logits == own) & (np.arange(logits.shape[1]) < labels[:, None])
    return {
        "predictions": logits.argmax(axis=1).astype(np.uint8),
        "rank": ((logits > own) | tied_before).sum(axis=1).astype(np.uint8),
        "probability": p.max(axis=1).astype(np.float16),
        "log_probability": log_p[rows, labels].astype(np.float16),
        "sum_squares": np.square(p).sum(axis=1).astype(np.float16),
    }


def metrics(scored: dict[str, np.ndarray]) -> dict[str, float]:
    """`top1`, `top5` (fractions) and `loss` (mean cross-entropy, nats).

    Computed from the stored arrays and not from the logits, so that anybody who has
    the record gets the same figures to the last digit.
    """
    rank = scored["rank"]
    return {
        "top1": float((rank == 0).mean()),
        "top5": float((rank < 5).mean()),
        "loss": float(-scored["log_probability"].astype(np.float64).mean()),
    }
