"""Runs scored in other ways: gains, comparisons, and what speaks for a reason."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cifar100 import records
from cifar100.errors import UserError
from cifar100.evidence import (
    Contrast,
    by_seed,
    compare,
    compare_evaluated,
    effect_text,
    effects,
    effects_table,
    evaluation_gain,
    evaluations_table,
    interaction,
    judgement,
    mean_text,
    speaks,
)
from cifar100.experiments import EXPERIMENTS, Experiment

OTHER = "dropout_averaged"
WAYS = (OTHER, "batch_norm_reestimated")


def stored(home, experiment, seed, plain, ways, device="cpu"):
    """A record with what evidence looks at; its other fields are there, no more."""
    path = home / "records" / experiment.name / f"seed-{seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "schema": records.SCHEMA,
        "experiment": experiment.name,
        "id": experiment.id,
        "seed": seed,
        "metrics": {"val_top1": plain, "val_loss": 1, "train_top1": 1, "train_loss": 1},
        "evaluations": {name: {"top1": top1} for name, top1 in ways.items()},
        "fingerprint": {"parameters": 1, "macs": 1, "first_step_loss": 1},
        "seconds": {"train": 1, "evaluation": 1, "compilation": 1},
        "device": {"kind": device, "name": device},
        **{"val_scored": "all", "precision": "float32", "images_per_second": 1},
        **{"profile": "full", "settings": {}, "story": {}, "written": "", "epochs": []},
        **{"commit": None, "clean": True, "exclusive": False, "engine": "tensorflow"},
        **{
            "sha256": {"split_index": ""},
            "weights_sha256": "",
            "versions": {"keras": ""},
        },
        **{"threads": {"intra": 1}, "resumed": 0},
    }
    path.write_text(json.dumps(content))


@pytest.fixture
def ladder(home, no_experiments, monkeypatch):
    """A root and three children, four seeds each, by name: (plain, OTHER) by seed."""
    shared = {"architecture": "simple_cnn", "evaluations": WAYS, "seeds": 4}
    root = Experiment(name="root", **shared)
    story = {"parent": "root", **shared}
    ladder = [
        root,
        Experiment(name="wide", epochs=3, kind="confirmatory", **story),
        Experiment(name="deep", epochs=4, **story),
        Experiment(name="noisy", epochs=5, **story),
    ]
    bare = Experiment(name="bare", epochs=6, architecture="simple_cnn", parent="root")
    rng = np.random.default_rng(1)
    values = {}
    for place, experiment in enumerate([*ladder, bare]):
        EXPERIMENTS[experiment.name] = experiment
        plain = 0.4 + 0.02 * place + rng.normal(0, 0.003, 4)
        other = plain + 0.01 * (place - 1) + rng.normal(0, 0.001 * (place + 1), 4)
        values[experiment.name] = plain, other
        for seed in range(4):
            ways = {OTHER: other[seed]} if experiment is not bare else {}
            stored(home, experiment, seed, plain[seed], ways)
    return values


def test_table_has_the_plain_score_and_every_evaluation(ladder):
    table = evaluations_table(records.list_records())
    assert list(table.columns) == ["experiment", "seed", "evaluation", "val_top1"]
    assert len(table) == 4 * 4 * 2 + 4
    row = table.query("experiment == 'deep' and seed == 2").set_index("evaluation")
    assert row.loc["plain", "val_top1"] == ladder["deep"][0][2]
    assert row.loc[OTHER, "val_top1"] == ladder["deep"][1][2]


def test_gain_is_the_evaluation_minus_the_plain_score_of_the_same_runs(ladder):
    plain, other = ladder["deep"]
    gain = evaluation_gain("deep", OTHER)
    low, high = stats.ttest_rel(other, plain).confidence_interval()
    assert gain.mean == pytest.approx((other - plain).mean())
    assert (gain.low, gain.high) == pytest.approx((low, high), abs=1e-12)
    assert (gain.n, gain.kind, gain.word) == (4, "exploratory", None)
    assert (gain.child, gain.parent) == (f"deep, {OTHER}", "deep")


def test_gain_is_moderated_by_the_gains_of_the_other_experiments(ladder):
    names = ["root", "wide", "deep", "noisy"]
    values = {n: dict(enumerate(ladder[n][0])) for n in names}
    values |= {f"{n}+": dict(enumerate(ladder[n][1])) for n in names}
    alone = effects(values, [Contrast(f"{n}+", n) for n in names])
    for name, effect in zip(names, alone, strict=True):
        gain = evaluation_gain(name, OTHER)
        assert gain.moderated_low == pytest.approx(effect.moderated_low)
        assert gain.degrees == pytest.approx(effect.degrees)


def test_evaluated_comparison_pairs_the_evaluations_of_both(ladder):
    effect = compare_evaluated("wide", "root", OTHER)
    difference = ladder["wide"][1] - ladder["root"][1]
    assert effect.mean == pytest.approx(difference.mean())
    assert effect.mean != pytest.approx(compare("wide", "root").mean)
    assert effect.n == 4


def test_evaluated_comparison_is_exploratory_even_on_a_confirmatory_contrast(ladder):
    assert compare("wide", "root").kind == "confirmatory"
    effect = compare_evaluated("wide", "root", OTHER)
    assert (effect.kind, effect.word, effect.p_adjusted) == ("exploratory", None, None)


def test_plain_comparison_is_compare(ladder):
    assert compare_evaluated("wide", "root") == compare("wide", "root")


def test_a_seed_can_be_left_out_of_an_evaluated_comparison(ladder):
    effect = compare_evaluated("wide", "root", OTHER, without=[1])
    difference = (ladder["wide"][1] - ladder["root"][1])[[0, 2, 3]]
    assert (effect.n, effect.mean) == (3, pytest.approx(difference.mean()))
    assert compare_evaluated("wide", "root", without=[1]).n == 3
    assert compare_evaluated("deep", "root", OTHER).n == 4


def test_scores_come_by_seed_from_a_column_or_from_an_evaluation(ladder, home):
    (home / "records" / "deep" / "seed-3.json").unlink()
    runs = records.list_records()
    plain, other = (by_seed(runs, score) for score in ("plain", OTHER))
    assert list(plain["wide"]) == list(ladder["wide"][0])
    assert list(other["deep"][:3]) == list(ladder["deep"][1][:3])
    assert np.isnan(other.loc[3, "deep"])
    gap = by_seed(runs, "gap")
    assert list(gap["wide"]) == pytest.approx(1 - ladder["wide"][0])
    assert "bare" not in other
    for found, score in ((runs, "no_such_score"), ([], "plain")):
        with pytest.raises(UserError, match=f"No run is scored by '{score}'"):
            by_seed(found, score)


def test_an_interaction_is_a_difference_of_effects_over_the_seeds_of_all(ladder, home):
    (home / "records" / "deep" / "seed-0.json").unlink()
    found = interaction(("deep", "wide"), ("wide", "root"), OTHER)
    root, wide, deep = (ladder[name][1] for name in ("root", "wide", "deep"))
    assert np.isnan(found[0])
    assert list(found[1:]) == pytest.approx(((deep - wide) - (wide - root))[1:])


def test_a_mean_over_seeds_has_the_interval_of_these_seeds_alone():
    values = pd.Series([0.012, np.nan, 0.018, 0.021], index=[0, 1, 2, 3])
    low, high = stats.ttest_1samp(values.dropna(), 0).confidence_interval()
    text = f"{100 * low:+.1f} to {100 * high:+.1f} pp, 3 seeds alone"
    assert mean_text(values) == f"+1.7 pp ({text})"
    with pytest.raises(UserError, match="1 recorded seed in common"):
        mean_text(values[:2])


def test_a_table_of_effects_has_each_pair_under_each_evaluation(ladder):
    pairs = {"wider": ("wide", "root"), "deeper": ("deep", "root")}
    table = effects_table(pairs, {"re-estimated": OTHER, "as trained": "plain"})
    assert list(table.index) == ["wider", "deeper"]
    assert list(table.columns) == ["re-estimated", "as trained"]
    scored = compare_evaluated("deep", "root", OTHER)
    assert table.loc["deeper", "re-estimated"] == effect_text(scored)
    assert table.loc["wider", "as trained"] == effect_text(compare("wide", "root"))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: evaluation_gain("bare", OTHER), "'bare' is not scored by"),
        (lambda: compare_evaluated("bare", "root", OTHER), "only by plain"),
        (lambda: compare_evaluated("root", "bare", OTHER), "'bare' is not scored"),
        (lambda: compare_evaluated("wide", "root", "dropout"), "batch_norm_reest"),
        (lambda: evaluation_gain("wid", OTHER), "did you mean 'wide'"),
        (lambda: compare_evaluated("wide", "root", WAYS[1]), "have 0 recorded seeds"),
        (lambda: evaluation_gain("wide", WAYS[1]), "fewer than 2 runs"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(ladder, ask, message):
    with pytest.raises(UserError, match=message) as error:
        ask()
    assert "\n" not in str(error.value)


def test_runs_of_two_devices_are_not_compared(ladder, home):
    for seed in range(4):
        other = {OTHER: 0.5}
        stored(home, EXPERIMENTS["wide"], seed, 0.5, other, device="gpu")
    with pytest.raises(UserError, match="more than one device"):
        compare_evaluated("wide", "root", OTHER)


@pytest.fixture
def effect():
    values = {"a": {0: 0.51, 1: 0.52, 2: 0.53}, "b": {0: 0.47, 1: 0.48, 2: 0.49}}
    return effects(values, [Contrast("a", "b")])[0]


def between(effect, low, high):
    return replace(
        effect, mean=(low + high) / 2, moderated_low=low, moderated_high=high
    )


@pytest.mark.parametrize(
    ("low", "high", "whole", "word"),
    [
        (0.03, 0.05, 0.04, "for"),  # all of it stays
        (0.021, 0.05, 0.04, "for"),  # more than half, for sure
        (0.005, 0.015, 0.04, "against"),  # something stays, but less than half
        (-0.03, -0.01, 0.04, "against"),
        (0.01, 0.03, 0.04, "undecided"),
        (-0.01, 0.03, 0.04, "undecided"),
        (0.001, 0.02, -0.04, "for"),  # nothing to halve: zero is the border
        (-0.03, -0.01, -0.04, "against"),
    ],
)
def test_what_stays_speaks_for_a_reason(effect, low, high, whole, word):
    whole = between(effect, whole - 0.01, whole + 0.01)
    assert speaks(between(effect, low, high), whole) == word


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ("against against against undecided for", "undecided"),
        ("against against against undecided undecided", "refuted"),
        ("against against undecided undecided", "undecided"),
        ("for for for undecided undecided", "supported"),
        ("for for for against", "undecided"),
        ("undecided undecided undecided", "undecided"),
    ],
)
def test_a_reason_needs_more_than_half_and_no_dissent(effect, words, word):
    assert judgement(words.split(), between(effect, 0.01, 0.03)) == word


@pytest.mark.parametrize(("low", "high"), [(-0.01, 0.03), (-0.03, -0.01)])
def test_without_a_clear_gain_there_is_nothing_to_explain(effect, low, high):
    words = ["against", "against", "against"]
    assert judgement(words, between(effect, low, high)) == "nothing to explain"
