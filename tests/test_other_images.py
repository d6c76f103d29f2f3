"""The choice of validation images as a second source of error, on real records."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from cifar100 import evidence, records
from cifar100.evidence.paired import with_errors
from tests.ladders import ladder


@pytest.fixture(scope="module")
def judged():
    """Each claim with an effect, and the same with both errors."""
    claims = [e for e in evidence.recorded_effects() if e.kind == "confirmatory"]
    wider = evidence.on_other_images(claims, records.list_records())
    return list(zip(claims, wider, strict=True))


def right(name):
    return {r.seed: r.val()["rank"] == 0 for r in records.list_records(name)}


def test_the_shared_part_is_what_more_seeds_do_not_shrink():
    """Gains with a part of the seed, of the image and of both, all known."""
    rng = np.random.default_rng(0)
    seeds, images, repeats = 5, 400, 300
    shared, total, truth = [], [], []
    for _ in range(repeats):
        of_image, of_seed = rng.normal(0, 2, images), rng.normal(0, 0.05, (seeds, 1))
        gains = of_image + of_seed + rng.normal(0, 3, (seeds, images))
        child, parent = dict(enumerate(gains)), dict.fromkeys(range(seeds), np.zeros(1))
        shared.append(evidence.shared_image_error(child, parent) ** 2)
        seed_error = gains.mean(axis=1).var(ddof=1) / seeds
        total.append(seed_error + shared[-1])
        truth.append(gains.mean() ** 2)
    assert np.mean(shared) == pytest.approx(2**2 / images, rel=0.05)
    # Seeds' error and the shared part are all that moves the mean, and nothing twice.
    expected = 2**2 / images + 0.05**2 / seeds + 3**2 / (seeds * images)
    assert np.mean(total) == pytest.approx(expected, rel=0.05)
    assert np.mean(truth) == pytest.approx(expected, rel=0.25)


def test_a_shared_part_is_never_negative_and_needs_two_seeds():
    rng = np.random.default_rng(1)
    noise = {seed: rng.random(300) < 0.5 for seed in range(5)}
    other = {seed: rng.random(300) < 0.5 for seed in range(5)}
    assert 0 <= evidence.shared_image_error(noise, other) < 0.03
    assert np.isnan(evidence.shared_image_error({0: noise[0]}, other))


def test_the_shared_part_is_added_to_the_error_of_the_seeds(judged):
    assert len(judged) >= 10
    for claim, wider in judged[:6]:
        images = evidence.shared_image_error(right(claim.child), right(claim.parent))
        seeds, both = claim.standard_error**2, claim.standard_error**2 + images**2
        degrees = both**2 / (seeds**2 / claim.degrees)  # Satterthwaite
        assert wider.standard_error == pytest.approx(np.sqrt(both), rel=1e-12)
        low, high = stats.t.interval(0.95, degrees, claim.mean, np.sqrt(both))
        assert (wider.moderated_low, wider.moderated_high) == pytest.approx((low, high))
        assert (wider.mean, wider.n, wider.low) == (claim.mean, claim.n, claim.low)


def test_p_is_corrected_for_all_claims_that_were_planned(judged):
    t = [abs(wider.mean) / wider.standard_error for _, wider in judged]
    degrees = [wider.degrees for _, wider in judged]
    done = [claim.n >= claim.seeds for claim, _ in judged]
    p = np.where(done, 2 * stats.t.sf(t, degrees), 1.0)
    planned = sum(c.kind == "confirmatory" for c in evidence.contrasts())
    adjusted = multipletests([*p, *np.ones(planned - len(p))], method="holm")[1]
    for (_, wider), is_done, value in zip(judged, done, adjusted, strict=False):
        assert wider.p_adjusted == (pytest.approx(value) if is_done else None)


def test_without_a_further_error_every_word_stays():
    values, asked = ladder([0.02, 0.0, -0.03])
    found = evidence.effects(values, asked)
    same = with_errors(found, [0.0] * len(found), len(found))
    assert [e.word for e in same] == [e.word for e in found]
    assert [e.p for e in same] == pytest.approx([e.p for e in found])
    lost = with_errors(found, [0.1] * len(found), len(found))
    assert {e.word for e in lost} == {"not decidable"}


def test_no_spread_and_no_further_error_is_no_evidence():
    values, asked = ladder([0.02])
    still = replace(evidence.effects(values, asked)[0], standard_error=0.0, p=1.0)
    assert with_errors([still], [0.0], 1)[0].word == "not decidable"
    known = with_errors([still], [0.005], 1)[0]  # all error is known: a normal test
    assert known.p == pytest.approx(2 * stats.norm.sf(0.02 / 0.005))
