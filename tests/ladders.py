"""Accuracies and contrasts with differences that are known."""

import numpy as np

from cifar100.evidence import Contrast

NOISE = (-0.006, 0.003, 0.001, 0.004, -0.002)  # sums to 0; standard deviation 0.41 pp


def ladder(means, kinds=None, *, noise=NOISE, **story):
    """Accuracies and contrasts whose paired differences have exactly these means.

    The noise is turned and scaled from contrast to contrast: its variances differ.
    """
    values, asked = {}, []
    for index, mean in enumerate(means):
        difference = np.roll(noise, index) * (1 + 0.1 * (index % 3)) + mean
        parent = dict(enumerate([0.41, 0.42, 0.40, 0.43, 0.415][: len(noise)]))
        values[f"p{index}"] = parent
        values[f"c{index}"] = {k: parent[k] + difference[k] for k in parent}
        kind = kinds[index] if kinds else "confirmatory"
        asked.append(Contrast(f"c{index}", f"p{index}", kind, **story))
    return values, asked


def random_ladder(seed, counts, sd=0.005):
    rng = np.random.default_rng(seed)
    values = {}
    for index, n in enumerate(counts):
        scale = sd * rng.uniform(0.2, 3)
        values[f"p{index}"] = dict(enumerate(rng.normal(0.5, scale, n)))
        values[f"c{index}"] = dict(enumerate(rng.normal(0.51, scale, n)))
    asked = [Contrast(f"c{i}", f"p{i}", "confirmatory") for i in range(len(counts))]
    return values, asked
