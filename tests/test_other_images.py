"""The choice of validation images as a second source of error, on real records."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from cifar100 import evidence, records
from cifar100.errors import UserError
from cifar100.evidence.paired import with_errors
from tests.ladders import ladder


@pytest.fixture(scope="module")
def judged():
    """Each claim with an effect, and the same with both errors."""
    claims = [e for e in evidence.recorded_effects() if e.kind == "confirmatory"]
    return list(zip(claims, evidence.on_other_images(), strict=True))


def right(name):
    return {r.seed: r.val()["rank"] == 0 for r in records.list_records(name)}


def test_both_errors_add_as_independent_ones_do(judged):
    assert len(judged) >= 10
    for claim, wider in judged[:6]:
        images = evidence.paired_image_error(right(claim.child), right(claim.parent))
        expected = np.sqrt(claim.standard_error**2 + images**2)
        assert wider.standard_error == pytest.approx(expected, rel=1e-12)
        low, high = stats.t.interval(0.95, claim.degrees, claim.mean, expected)
        assert (wider.moderated_low, wider.moderated_high) == pytest.approx((low, high))
        assert (wider.mean, wider.n, wider.low) == (claim.mean, claim.n, claim.low)


def test_p_is_corrected_for_all_claims_that_were_planned(judged):
    t = [abs(wider.mean) / wider.standard_error for _, wider in judged]
    degrees = [claim.degrees for claim, _ in judged]
    done = [claim.n >= claim.seeds for claim, _ in judged]
    p = np.where(done, 2 * stats.t.sf(t, degrees), 1.0)
    planned = sum(c.kind == "confirmatory" for c in evidence.contrasts())
    adjusted = multipletests([*p, *np.ones(planned - len(p))], method="holm")[1]
    for (_, wider), is_done, value in zip(judged, done, adjusted, strict=False):
        assert wider.p_adjusted == (pytest.approx(value) if is_done else None)


def test_a_larger_error_makes_no_word_clearer(judged):
    clear = {"held", "reversed"}
    for claim, wider in judged:
        assert wider.word not in clear or claim.word == wider.word


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
    still = replace(evidence.effects(values, asked)[0], standard_error=0.0)
    assert with_errors([still], [0.0], 1)[0].p == 1.0


def test_verdicts_mark_the_words_that_hang_on_the_images(judged):
    claims = [claim for claim, _ in judged]
    paragraphs = evidence.verdicts(claims).split("\n\n")
    marked = 0
    for (claim, wider), text in zip(judged, paragraphs, strict=True):
        assert text.startswith(evidence.verdict(claim))
        hangs = claim.word is not None and claim.word != wider.word
        assert ("†" in text) is hangs
        assert (f"would be *{wider.word}*" in text) is hangs
        marked += hangs
    assert 0 < marked < len(judged)


def test_the_table_of_findings_marks_the_same_words(judged):
    found = evidence.findings()
    rows = {row["experiment"]: row for row in found.to_dict("records")}
    for claim, wider in judged:
        row = rows[claim.child]
        hangs = claim.word is not None and claim.word != wider.word
        assert row["on_images"] == (wider.word or "")
        assert evidence.hangs_on_images(row) is hangs


def test_missing_predictions_are_named_in_one_line(tmp_path):
    path = tmp_path / "seed-0.val.npz"
    with pytest.raises(UserError, match=r"seed-0\.val\.npz: No such file") as error:
        records.read_arrays(path)
    assert "\n" not in str(error.value)
