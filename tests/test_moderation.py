"""Variances that lean on each other, against direct computations and limma."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

from cifar100.evidence import (
    effects,
    moderate,
)
from cifar100.evidence.moderation import trigamma_inverse
from tests.ladders import NOISE, ladder, random_ladder


def fitted_directly(s2, d):
    """s0², d0 from the formulas of Smyth 2004, section 6.2, by bracketing the root."""
    e = [np.log(s) - digamma(f / 2) + np.log(f / 2) for s, f in zip(s2, d, strict=True)]
    center = sum(e) / len(e)
    spread = sum((x - center) ** 2 for x in e) / (len(e) - 1)
    excess = spread - np.mean([polygamma(1, f / 2) for f in d])
    half = brentq(lambda y: polygamma(1, y) - excess, 1e-6, 1e6, xtol=1e-14, rtol=1e-15)
    return np.exp(center + digamma(half) - np.log(half)), 2 * half


@pytest.mark.parametrize("x", [1e-9, 1e-5, 0.01, 0.3, 1.0, 5.0, 200.0, 1e6, 1e9])
def test_trigamma_inverse_inverts_trigamma(x):
    assert polygamma(1, trigamma_inverse(x)) == pytest.approx(x, rel=1e-5)
    if 1e-6 < x < 1e7:  # outside, the leading term stands for the function
        assert polygamma(1, trigamma_inverse(x)) == pytest.approx(x, rel=1e-12)


def test_moderated_interval_and_p_are_those_of_a_direct_computation():
    values, asked = random_ladder(5, (5, 5, 3, 4, 5, 3, 5, 2))
    d = np.array([len(values[c.child]) - 1 for c in asked])
    differences = [
        np.subtract(*(list(values[name].values()) for name in (c.child, c.parent)))
        for c in asked
    ]
    s2 = np.array([x.var(ddof=1) for x in differences])
    prior, prior_degrees = fitted_directly(s2, d)
    assert 0.5 < prior_degrees < 50  # the case of interest: neither none nor infinite
    for effect, x, own, f in zip(
        effects(values, asked), differences, s2, d, strict=True
    ):
        variance = (prior_degrees * prior + f * own) / (prior_degrees + f)
        t = stats.t(f + prior_degrees, loc=x.mean(), scale=np.sqrt(variance / len(x)))
        expected = t.interval(0.95)
        found = effect.moderated_low, effect.moderated_high
        assert found == pytest.approx(expected, abs=1e-12)
        assert effect.interval(0.9) == pytest.approx(t.interval(0.9), abs=1e-12)
        assert effect.p == pytest.approx(2 * min(t.cdf(0), t.sf(0)), rel=1e-9)
        assert effect.prior_degrees == pytest.approx(prior_degrees, rel=1e-9)


def test_moderation_gives_the_figures_of_limma():
    """Figures that R's limma printed, quoted by two ports of it to other languages.

    The first set stands in InMoose's tests/limma/test_squeezeVar.py; the second was
    printed by `fitFDist(x, df1)` and `squeezeVar(x, df, legacy = TRUE)` for
    `i <- 1:24; x <- ((i * 37) %% 97 + 1) / 64`.
    """
    post, prior, degrees = moderate([0.5, 1.3, 7.8], 3)
    assert (prior, degrees) == pytest.approx((1.676927, 2.830777), abs=1e-6)
    assert post == pytest.approx([1.071385, 1.482994, 4.827317], abs=1e-6)

    x = (np.arange(1, 25) * 37 % 97 + 1) / 64
    post, prior, degrees = moderate(x, 4)
    assert prior == pytest.approx(0.6408375594922414, rel=1e-11)
    assert degrees == pytest.approx(8.773643845753776, rel=1e-11)
    first, last = 0.6260923356357317, 0.5184488146010445
    assert (post[0], post[-1]) == pytest.approx((first, last), rel=1e-11)

    post, prior, degrees = moderate(x, np.tile([2, 4, 7, 11], 6))
    assert prior == pytest.approx(0.6428534666574643, rel=1e-11)
    assert degrees == pytest.approx(8.830849273819364, rel=1e-11)
    first, last = 0.6337861321546828, 0.42494105788648984
    assert (post[0], post[-1]) == pytest.approx((first, last), rel=1e-11)


def corrected_log_mean(s2, d):
    """exp(mean e), written out from Smyth 2004, section 6.2."""
    e = [np.log(s) - digamma(f / 2) + np.log(f / 2) for s, f in zip(s2, d, strict=True)]
    return np.exp(np.mean(e))


def test_variances_that_agree_share_one():
    post, prior, degrees = moderate([1.0, 1.1, 0.9, 1.2], [4, 4, 2, 1])
    assert degrees == np.inf
    assert prior == pytest.approx(
        corrected_log_mean([1.0, 1.1, 0.9, 1.2], [4, 4, 2, 1])
    )
    assert post == pytest.approx([prior] * 4)

    values, asked = ladder([0.0, 0.01, 0.02, 0.03])
    found = effects(values, asked)
    scale = np.var(NOISE, ddof=1)
    shared = corrected_log_mean(
        [(1 + 0.1 * (i % 3)) ** 2 * scale for i in range(4)], [4] * 4
    )
    for effect in found:
        # Not the normal quantile: all variances together have 16 degrees of freedom.
        low, high = stats.t.interval(0.95, 16, effect.mean, np.sqrt(shared / 5))
        assert effect.prior_degrees == np.inf
        found_interval = effect.moderated_low, effect.moderated_high
        assert found_interval == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("variances", [[2.0], [2.0, 3.0], [2.0, 0.0, 3.0], [0.0] * 4])
def test_fewer_than_three_positive_variances_stay_as_they_are(variances):
    post, prior, degrees = moderate(variances, 4)
    assert post.tolist() == variances
    assert degrees == 0
    assert np.isnan(prior)


def test_a_single_contrast_is_judged_by_its_own_interval():
    values, asked = ladder([0.01])
    (effect,) = effects(values, asked)
    assert effect.moderated_low == pytest.approx(effect.low, abs=1e-15)
    own = stats.ttest_rel(list(values["c0"].values()), list(values["p0"].values()))
    assert effect.p == effect.p_adjusted == pytest.approx(own.pvalue)


def test_zero_variance_is_shrunk_but_does_not_drive_the_prior():
    s2 = [0.5, 1.3, 7.8, 2.0]
    _, prior, degrees = moderate(s2, 3)
    post, same_prior, same_degrees = moderate([*s2, 0.0], 3)
    assert (same_prior, same_degrees) == (prior, degrees)
    assert post[-1] == pytest.approx(degrees * prior / (degrees + 3))


def test_without_any_spread_nothing_is_decided():
    values, asked = ladder([0.02, 0.0], noise=(0.0, 0.0))
    for c in asked:  # exact zeros, not the rounding of 0.41 + 0.02 - 0.41
        values[c.parent] = {0: 0.5, 1: 0.5}
        values[c.child] = {0: 0.75, 1: 0.75} if c.child == "c0" else {0: 0.5, 1: 0.5}
    for effect in effects(values, asked):
        assert effect.p == 1
        assert effect.word == "not decidable"


@pytest.mark.parametrize(
    ("variances", "degrees"),
    [([1.0, -0.1], 2), ([1.0, np.nan], 2), ([1.0, np.inf], 2), ([1.0, 2.0], [2, 0])],
)
def test_impossible_variances_are_refused(variances, degrees):
    with pytest.raises(ValueError, match="finite"):
        moderate(variances, degrees)
