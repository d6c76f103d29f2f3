"""Variances of a few seeds each, steadied by one another (empirical Bayes).

Five paired seeds give a variance that may be wrong by a factor of five. Smyth 2004
("Linear models and empirical Bayes methods for assessing differential expression in
microarray experiments", Stat. Appl. Genet. Mol. Biol. 3(1), article 3) shrinks each
variance towards what all of them have in common, by as much as they agree; the t test
then gains degrees of freedom. The same procedure is known as limma's `squeezeVar`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, polygamma

FEWEST = 3  # fewer variances cannot tell how much variances differ


class Moderated(NamedTuple):
    """Posterior variances (k,), prior variance s0², its degrees of freedom d0."""

    variances: np.ndarray
    prior_variance: float
    prior_degrees: float


def trigamma_inverse(x: float) -> float:
    """The y > 0 with trigamma(y) = x, for x > 0, to about 1e-15 of y.

    Newton's method on 1/trigamma, which is convex and nearly linear, from a start below
    the solution: it rises monotonically (Smyth 2004, appendix).
    """
    if x > 1e7:  # trigamma(y) -> 1/y² as y -> 0
        return float(1 / np.sqrt(x))
    if x < 1e-6:  # trigamma(y) -> 1/y as y -> infinity
        return float(1 / x)
    y = 0.5 + 1 / x
    for _ in range(50):
        value = polygamma(1, y)
        step = value * (1 - value / x) / polygamma(2, y)
        y += step
        if abs(step) < 1e-8 * y:  # convergence is quadratic: the next step is nothing
            break
    return float(y)


def moderate(variances: ArrayLike, degrees: ArrayLike) -> Moderated:
    """Shrink sample variances (k,) with `degrees` (k,) or () of freedom, each >= 1.

    The prior is fitted to the mean and variance of the log variances (Smyth 2004,
    section 6.2). A posterior variance is (d0 s0² + d s²) / (d0 + d); its t statistic
    has d0 + d degrees of freedom (and no more than all d together, which is for the
    caller to see to, as in limma). When the variances differ by no more than chance, d0
    is infinite and each posterior is the prior: exp of the mean corrected log, as in
    the paper. (limma has taken the plain mean since 2017; simulated for our ladder,
    that lets the family-wise error pass 5 %, see benchmarks/evidence_simulation.py.)

    Variances of exactly zero take no part in the fit: their logarithm would outweigh
    all others, and they mean that two runs agreed to the last image rather than that
    noise is small. They are shrunk like the rest. With fewer than three positive
    variances there is nothing to learn from: d0 = 0, s0² is nan, each stays as it is.

    Raises `ValueError` for negative or non-finite variances, or degrees below 1.
    """
    s2 = np.asarray(variances, float)
    d = np.broadcast_to(np.asarray(degrees, float), s2.shape)
    if not (np.isfinite(s2) & (s2 >= 0) & (d >= 1)).all():
        raise ValueError("variances must be finite and >= 0, degrees of freedom >= 1")
    positive = s2 > 0
    if positive.sum() < FEWEST:
        return Moderated(s2.copy(), np.nan, 0.0)
    s0, d0 = _prior(s2[positive], d[positive])
    if np.isinf(d0):
        return Moderated(np.full_like(s2, s0), s0, d0)
    return Moderated((d0 * s0 + d * s2) / (d0 + d), s0, d0)


def _prior(s2: np.ndarray, d: np.ndarray) -> tuple[float, float]:
    """s0² and d0 from positive variances: moments of log s², corrected for d."""
    e = np.log(s2) - digamma(d / 2) + np.log(d / 2)
    excess = e.var(ddof=1) - polygamma(1, d / 2).mean()
    if excess <= 0:
        return float(np.exp(e.mean())), np.inf
    half = trigamma_inverse(excess)
    return float(np.exp(e.mean() + digamma(half) - np.log(half))), 2 * half
