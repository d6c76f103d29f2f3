"""Effects computed from records."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cifar100 import records
from cifar100.errors import UserError
from cifar100.evidence import (
    compare,
    contrasts,
    recorded_effects,
    verdict,
)
from cifar100.experiments import EXPERIMENTS, Experiment


def finals(rows):
    columns = ["experiment", "seed", "val_top1", "device_kind", "precision"]
    return pd.DataFrame(rows, columns=columns).assign(val_scored="all")


@pytest.fixture
def recorded(no_experiments, monkeypatch):
    """Rows of final figures: a root and three children, five seeds each on a CPU."""
    root = Experiment(name="root", architecture="simple_cnn", seeds=5)
    story = {"architecture": "simple_cnn", "parent": "root", "seeds": 5}
    ladder = [
        root,
        Experiment(name="wide", kind="confirmatory", claim="Wider helps:", **story),
        Experiment(name="deep", kind="confirmatory", supports=-1, **story),
        Experiment(name="noisy", **story),
    ]
    for experiment in ladder:
        EXPERIMENTS[experiment.name] = experiment
    rng = np.random.default_rng(3)
    means = {"root": 0.40, "wide": 0.43, "deep": 0.38, "noisy": 0.40}
    rows = [
        [name, seed, mean + rng.normal(0, 0.003), "cpu", "float32"]
        for name, mean in means.items()
        for seed in range(5)
    ]
    monkeypatch.setattr(records, "list_records", lambda *_, **__: [])
    monkeypatch.setattr(records, "finals_table", lambda _: finals(rows))
    return rows


def test_compare_reads_the_effect_from_records(recorded):
    effect = compare("wide", "root")
    table = finals(recorded).pivot(
        index="seed", columns="experiment", values="val_top1"
    )
    low, high = stats.ttest_rel(table["wide"], table["root"]).confidence_interval()
    assert (effect.low, effect.high) == pytest.approx((low, high), abs=1e-12)
    assert (effect.kind, effect.word, effect.n) == ("confirmatory", "held", 5)
    assert verdict(effect).startswith("**Verdict: held.** “Wider helps:” +")
    assert compare("deep", "root").word == "held"
    assert compare("noisy", "root").word is None
    assert recorded_effects() == [
        compare(c.child, c.parent) for c in contrasts() if c.parent == "root"
    ]


def test_a_run_that_stopped_early_is_compared_on_the_images_that_both_score(
    recorded, monkeypatch
):
    """It watched the first half of val; there its parent may not be scored either."""
    table = finals(recorded)
    table["val_second_half_top1"] = table["val_top1"]
    stopped = table["experiment"] == "wide"
    table.loc[stopped, "val_scored"] = "second half"
    table.loc[~stopped, "val_top1"] += 0.05  # easier images in the first half
    monkeypatch.setattr(records, "finals_table", lambda _: table)
    assert compare("wide", "root").mean == pytest.approx(0.03, abs=0.01)
    first_records = (table["experiment"] == "root") & (table["seed"] < 2)
    table.loc[first_records, "val_second_half_top1"] = np.nan
    assert compare("wide", "root").n == 3
    table.loc[table["experiment"] == "root", "val_second_half_top1"] = np.nan
    with pytest.raises(UserError, match="0 recorded seeds in common"):
        compare("wide", "root")


def test_a_seed_that_chose_can_be_left_out(recorded):
    """It leaves its pair only; the others go on steadying the variance."""
    effect = compare("deep", "wide", without=[0])
    table = finals(recorded)
    rest = table[(table["seed"] > 0) | ~table["experiment"].isin(["deep", "wide"])]
    recorded[:] = rest[[*rest.columns[:5]]].to_numpy().tolist()
    assert effect == compare("deep", "wide")
    assert effect.n == 4
    assert compare("noisy", "root").n == 5


def test_a_training_that_is_only_scored_in_more_ways_is_no_contrast(
    recorded, monkeypatch
):
    """Recorded elsewhere it differs by next to nothing: no variance to lean on."""
    story = {"architecture": "simple_cnn", "parent": "wide", "seeds": 5}
    before = compare("wide", "root")
    again = Experiment(name="again", evaluations=("dropout_averaged",), **story)
    monkeypatch.setitem(EXPERIMENTS, "again", again)
    recorded += [["again", *row[1:]] for row in recorded if row[0] == "wide"]
    recorded[-1][2] += 1e-4
    assert compare("wide", "root") == before
    assert [c.child for c in contrasts()] == ["wide", "deep", "noisy"]


def test_compare_takes_a_pair_outside_the_ladder_as_exploratory(recorded):
    effect = compare("wide", "deep")
    assert (effect.kind, effect.word) == ("exploratory", None)
    assert effect.mean == pytest.approx(0.05, abs=0.005)
    assert compare("root", "wide").mean == -compare("wide", "root").mean
    assert compare("root", "wide").kind == "exploratory"


@pytest.mark.parametrize(
    ("child", "parent", "message"),
    [
        ("wid", "root", "did you mean 'wide'"),
        ("wide", "rot", "did you mean 'root'"),
        ("wide", "wide", "against itself"),
    ],
)
def test_compare_refuses_unknown_or_equal_experiments(recorded, child, parent, message):
    with pytest.raises(UserError, match=message) as error:
        compare(child, parent)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [(3, "gpu", r"one device \(cpu, gpu\)"), (4, "mixed_bfloat16", "one precision")],
)
def test_compare_refuses_pairs_of_different_device_or_precision(
    recorded, column, value, message
):
    for row in recorded:
        if row[0] == "wide":
            row[column] = value
    with pytest.raises(UserError, match=message) as error:
        compare("wide", "root")
    assert "\n" not in str(error.value)
    # The rest of the ladder stands, and the refused contrast stays in Holm's family.
    assert [e.child for e in recorded_effects()] == ["deep", "noisy"]
    deep = compare("deep", "root")
    assert deep.p_adjusted == pytest.approx(2 * deep.p)


def test_without_any_record_there_is_no_effect(monkeypatch, tmp_path):
    monkeypatch.setenv("CIFAR100_HOME", str(tmp_path))
    assert recorded_effects() == []
    first = contrasts()[0]
    with pytest.raises(UserError, match="have 0 recorded seeds"):
        compare(first.child, first.parent)


@pytest.mark.parametrize("left", [0, 1])
def test_compare_needs_two_common_seeds(recorded, left):
    recorded[:] = [row for row in recorded if row[0] != "wide" or row[1] < left]
    with pytest.raises(UserError, match=f"have {left} recorded seed") as error:
        compare("wide", "root")
    assert "\n" not in str(error.value)
    assert "wide" not in {e.child for e in recorded_effects()}
