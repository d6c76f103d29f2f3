"""Paired effects: intervals, Holm's correction, the four words."""

import gc
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from cifar100.evidence import (
    Contrast,
    effect_text,
    effects,
    interval_text,
    outcome,
    paired_differences,
    pp,
    verdict,
)
from cifar100.evidence.paired import holm
from cifar100.evidence.wording import p_text
from tests.ladders import NOISE, ladder, random_ladder

# Pairs and their own interval


def test_differences_pair_equal_seeds_whatever_their_order():
    child = {7: 0.50, 0: 0.40, 3: 0.45}
    parent = {3: 0.40, 1: 0.99, 7: 0.40, 0: 0.41}
    assert paired_differences(child, parent) == pytest.approx([-0.01, 0.05, 0.10])


@pytest.mark.parametrize("counts", [(2, 3, 5), (5, 5, 5, 5), (3, 8, 4)])
def test_own_interval_is_that_of_a_paired_t_test(counts):
    values, asked = random_ladder(1, counts)
    for effect in effects(values, asked):
        pair = values[effect.child], values[effect.parent]
        reference = stats.ttest_rel(*(list(v.values()) for v in pair))
        low, high = reference.confidence_interval(0.95)
        assert effect.low == pytest.approx(low, abs=1e-12)
        assert effect.high == pytest.approx(high, abs=1e-12)
        assert effect.n == reference.df + 1


@given(st.integers(0, 10_000), st.lists(st.integers(2, 6), min_size=1, max_size=6))
def test_swapping_child_and_parent_mirrors_the_effect(seed, counts):
    values, asked = random_ladder(seed, counts)
    asked = [replace(c, kind="exploratory") for c in asked]  # no words, so no gc: quick
    swapped = [replace(c, child=c.parent, parent=c.child) for c in asked]
    for one, other in zip(
        effects(values, asked), effects(values, swapped), strict=True
    ):
        assert other.mean == -one.mean
        assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
        mirrored = (-one.moderated_high, -one.moderated_low)
        assert (other.moderated_low, other.moderated_high) == pytest.approx(mirrored)
        assert other.p == pytest.approx(one.p)


# Holm's correction and the words


@pytest.fixture(scope="module")
def little_garbage():
    """What is there now is kept out of the collection of each call of statsmodels."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("little_garbage")
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_holm_gives_the_adjusted_p_of_statsmodels(p):
    expected = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(holm(np.array(p)), expected, rtol=1e-12)


def test_holm_corrects_the_confirmatory_contrasts_only():
    kinds = ["confirmatory", "exploratory", "confirmatory", "confirmatory"]
    values, asked = ladder([0.004, 0.030, 0.006, 0.005], kinds)
    a, exploratory, b, c = effects(values, asked)
    assert b.p < c.p < a.p
    assert b.p_adjusted == pytest.approx(3 * b.p)
    assert c.p_adjusted == pytest.approx(max(3 * b.p, 2 * c.p))
    assert a.p_adjusted == pytest.approx(max(3 * b.p, 2 * c.p, a.p))
    assert exploratory.p < 1e-6
    assert exploratory.p_adjusted is None
    assert exploratory.word is None


def test_contrasts_not_yet_recorded_count_in_the_correction():
    values, asked = ladder([0.006, 0.0, 0.0])
    missing = [Contrast(f"later-{i}", "p0", "confirmatory") for i in range(17)]
    first = effects(values, [*asked, *missing])[0]
    assert len(effects(values, [*asked, *missing])) == 3
    assert first.p_adjusted == pytest.approx(20 * first.p)


@pytest.mark.parametrize(
    ("mean", "supports", "word"),
    [
        (+0.020, +1, "held"),
        (-0.020, -1, "held"),
        (-0.020, +1, "reversed"),
        (+0.020, -1, "reversed"),
        (+0.001, +1, "no effect worth 1 pp"),
        (-0.001, +1, "no effect worth 1 pp"),
        (+0.0045, +1, "no effect worth 1 pp"),
        (+0.0085, +1, "held"),
    ],
)
def test_the_word_follows_from_direction_and_size(mean, supports, word):
    values, asked = ladder([mean, 0.0, 0.0, 0.0, 0.0, 0.0], supports=supports)
    assert effects(values, asked)[0].word == word


def test_wide_intervals_are_not_decidable():
    values, asked = ladder([0.008, 0.0, 0.0], noise=tuple(5 * x for x in NOISE))
    assert [e.word for e in effects(values, asked)] == ["not decidable"] * 3


def test_a_clear_effect_below_one_pp_is_held_rather_than_no_effect():
    values, asked = ladder([0.005, 0.0, 0.0], noise=tuple(0.2 * x for x in NOISE))
    effect = effects(values, asked)[0]
    low, high = effect.interval(0.9)
    assert low > -0.01
    assert high < 0.01
    assert effect.word == "held"


def test_no_effect_needs_the_whole_90_percent_interval_inside_one_pp():
    values, asked = ladder([0.0, 0.0, 0.0])
    reach = effects(values, asked)[0].interval(0.9)[1]
    for mean, word in (
        (0.0099 - reach, "no effect worth 1 pp"),
        (0.0101 - reach, "not decidable"),
    ):
        # So large a family keeps both from being held.
        values, asked = ladder([mean, 0.0, 0.0])
        asked += [Contrast(f"later-{i}", "p0", "confirmatory") for i in range(2000)]
        assert effects(values, asked)[0].word == word


def test_no_word_before_all_seeds_are_recorded():
    values, asked = ladder([0.03, 0.0, 0.0], seeds=5)
    assert effects(values, asked)[0].word == "held"
    del values["c0"][4]
    effect = effects(values, asked)[0]
    assert (effect.n, effect.word, effect.p_adjusted) == (4, None, None)
    assert "Verdict: open" in verdict(effect)
    assert "4 of 5 paired seeds" in verdict(effect)


# Words


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0123, "+1.2 pp"),
        (-0.0123, "−1.2 pp"),
        (0.0, "0.0 pp"),
        (-0.0001, "0.0 pp"),
        (0.1234, "+12.3 pp"),
    ],
)
def test_points_carry_a_true_sign_unless_they_round_to_zero(fraction, text):
    assert pp(fraction) == text


def test_narrow_intervals_get_a_second_digit():
    assert interval_text(0.0081, 0.0163) == "+0.8 to +1.6 pp"
    assert interval_text(-0.0004, 0.0006) == "−0.04 to +0.06 pp"


def test_an_effect_in_text_has_its_moderated_interval_and_its_seeds():
    values, asked = ladder([0.02, 0.0, 0.0])
    wide = replace(effects(values, asked)[0], moderated_low=0.0161, low=-0.03)
    wide = replace(wide, mean=0.02, moderated_high=0.0239, n=5)
    assert effect_text(wide) == "+2.0 pp (+1.6 to +2.4 pp, 5 seeds)"
    narrow = replace(wide, mean=0.0002, moderated_low=-0.0004, moderated_high=0.0008)
    assert effect_text(narrow) == "+0.02 pp (−0.04 to +0.08 pp, 5 seeds)"


def test_an_outcome_says_whether_it_is_clear():
    values, asked = ladder([0.02, 0.0, 0.0])
    effect = replace(
        effects(values, asked)[0], moderated_low=0.0161, moderated_high=0.0239
    )
    assert outcome(effect) == "+2.0 pp"
    assert outcome(replace(effect, low=-0.001)) == "+2.0 pp (weak)"
    open_one = replace(effect, moderated_low=-0.0081)
    assert outcome(open_one) == "nothing clear (−0.8 to +2.4 pp)"
    assert outcome(replace(open_one, mean=-0.01, moderated_high=0.0)).startswith(
        "nothing"
    )


def test_no_effect_shows_the_interval_that_it_goes_by():
    values, asked = ladder([0.02, 0.0, 0.0])
    effect = replace(effects(values, asked)[1], word="no effect worth 1 pp")
    low, high = effect.interval(0.9)
    assert f"{interval_text(low, high)} at 90 %)." in verdict(effect)


def test_a_p_value_shows_on_which_side_of_the_limit_it_lies():
    shown = [p_text(p) for p in (0.0496, 0.0503, 0.0123, 0.3, 1.0, 1e-5)]
    assert shown == ["0.0496", "0.0503", "0.012", "0.3", "1", "below 0.0001"]


def test_verdict_says_word_effect_intervals_seeds_and_p():
    values, asked = ladder([0.02, 0.0, 0.0])
    effect = replace(
        effects(values, asked)[0],
        moderated_low=0.0161,
        moderated_high=0.0239,
        low=0.0151,
        high=0.0249,
        p_adjusted=0.0234,
    )
    assert verdict(effect, "After pooling against before:") == (
        "**Verdict: held.** After pooling against before: +2.0 pp on the validation "
        "split (95 % interval +1.6 to +2.4 pp; from its own seeds alone +1.5 to "
        "+2.5 pp; 5 paired seeds, adjusted p 0.023)."
    )
    assert "adjusted p below 0.0001" in verdict(replace(effect, p_adjusted=3e-7))


def test_exploratory_effect_gets_the_sentence_without_a_word():
    values, asked = ladder([0.02], ["exploratory"])
    text = verdict(effects(values, asked)[0], "A against B:")
    assert text.startswith(
        "A against B: +2.0 pp on the validation split (95 % interval"
    )
    assert text.endswith("5 paired seeds, exploratory).")
    assert "Verdict" not in text


@pytest.mark.parametrize(
    ("supports", "low", "said"),
    [
        (1, 0.01, "The runs point that way: +2.0 pp"),
        (-1, 0.01, "The runs point the other way: +2.0 pp"),
        (1, -0.01, "The runs show no clear direction: +2.0 pp"),
    ],
)
def test_an_exploratory_claim_is_told_from_what_was_found(supports, low, said):
    values, asked = ladder([0.02], ["exploratory"])
    effect = replace(
        effects(values, asked)[0],
        claim="A is better.",
        supports=supports,
        moderated_low=low,
    )
    assert verdict(effect).startswith(f"“A is better.” {said}")


def test_effect_survives_json_with_infinite_degrees():
    values, asked = ladder([0.0, 0.01, 0.02])
    read = json.loads(json.dumps(effects(values, asked)[1].as_json(), allow_nan=False))
    assert read["prior_degrees"] is None
    assert read["degrees"] == 12  # those of all three contrasts, and no more
    assert read["mean"] == pytest.approx(0.01)
    assert read["word"] in ("held", "reversed", "no effect worth 1 pp", "not decidable")
