"""The exam: test predictions are opened whole or not at all, and judged as on val."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cifar100 import evidence, merging, paths, records
from cifar100.errors import WorkError
from cifar100.experiments import EXPERIMENTS, STORY, Experiment, get
from cifar100.files import write_json
from cifar100.packing import Pack
from cifar100.training.scores import per_image
from tests.made_runs import QUALITY, labels, made_run, record_all

VAL, TEST = labels(5000), labels(10_000, 1)


@pytest.fixture(scope="module")
def examined(tmp_path_factory):
    """Records, what `open_test` gives for them, and the rows of both."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR100_HOME", str(tmp_path_factory.mktemp("exam")))
        record_all(VAL, TEST)
        found = records.list_records()
        opened = records.open_test(found)
    return found, opened, evidence.with_test(records.finals_table(found), opened)


# Opening


def test_what_is_opened_is_what_the_run_wrote(home):
    run = made_run("fast_wide", 0, VAL, TEST)
    opened = records.open_test([records.write(run)])
    found = opened["fast_wide", 0]
    assert found.keys() == {*run.test, "logits"}
    for key, array in run.test.items():
        np.testing.assert_array_equal(found[key], array)
    np.testing.assert_array_equal(found["logits"], run.logits["test"].astype("f2"))


def test_only_headline_experiments_keep_logits(home):
    kept = records.write(made_run("fast_wide", 0, VAL, TEST))
    assert kept.val_logits().shape == (5000, 100)
    assert np.array_equal(kept.val_logits(mirrored=True), kept.val_logits()[::-1])
    left = records.write(made_run("baseline", 0, VAL, TEST))
    assert left.val_logits() is None
    assert sorted(p.name for p in left.path.parent.iterdir()) == [
        *("seed-0.json", "seed-0.test.npz", "seed-0.val.npz")
    ]


def test_logits_of_another_run_are_not_taken_for_those_of_this_one(home):
    """A record that came from another machine takes the place of one made here."""
    first = records.write(made_run("fast_wide", 0, VAL, TEST))
    stray = {s: first.predictions_path(f"{s}-logits") for s in ("val", "test")}
    content = {path: path.read_bytes() for path in stray.values()}
    second = made_run("fast_wide", 1, VAL, TEST)
    second.seed = 0
    record = records.write(second)
    for path, old in content.items():
        path.write_bytes(old)
    assert record.val_logits() is None
    assert "logits" not in records.open_test([record])["fast_wide", 0]


@pytest.mark.parametrize("tampered", [False, True])
def test_logits_come_home_from_another_machine_if_they_are_whole(
    home, tmp_path, monkeypatch, tampered
):
    monkeypatch.setenv("CIFAR100_HOME", str(tmp_path / "away"))
    record = records.write(made_run("fast_wide", 0, VAL, TEST))
    write_json(record.path, record.data | {"commit": "c0ffee", "clean": True})
    kept = record.val_logits()
    Pack(tmp_path / "visit.zip", paths.records()).update()
    monkeypatch.setenv("CIFAR100_HOME", str(home))
    pack = tmp_path / "visit-1.zip"
    if tampered:
        with zipfile.ZipFile(pack) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
        (name,) = [name for name in content if name.endswith("val-logits.npz")]
        content[name] = records.pack_arrays({"logits": kept * 0})
        with zipfile.ZipFile(pack, "w") as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    assert merging.unpack([pack]).merged == 1
    (merged,) = records.list_records()
    found = merged.val_logits()
    assert (found is None) if tampered else np.array_equal(found, kept)
    assert "logits" in records.open_test([merged])["fast_wide", 0]


def test_changed_test_predictions_are_not_opened(home):
    record = records.write(made_run("baseline", 0, VAL, TEST))
    path = record.predictions_path("test")
    path.write_bytes(path.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(WorkError, match=r"seed-0\.test\.npz is not what its run wrote"):
        records.open_test([record])


def test_records_from_before_logits_were_kept_are_as_good(home):
    record = records.write(made_run("baseline", 0, VAL, TEST))
    assert set(record.data["sha256"]) == {"split_index", "val.npz", "test.npz"}
    json.dumps(record.data)


# All experiments


def test_test_accuracy_is_that_of_the_opened_predictions(examined):
    found, opened, finals = examined
    assert len(finals) == len(found)
    for row in finals.itertuples():
        predicted = opened[row.experiment, row.seed]["predictions"]
        assert row.test_top1 == (predicted == TEST).mean()


def test_a_run_that_was_not_opened_has_no_row(examined):
    found, opened, _ = examined
    some = {key: value for key, value in opened.items() if key[1] == 0}
    finals = evidence.with_test(records.finals_table(found), some)
    assert set(finals["seed"]) == {0}


def test_every_experiment_stands_in_the_table_and_unrecorded_ones_are_empty(examined):
    table = evidence.standings(examined[2])
    assert list(table.index) == list(EXPERIMENTS)
    assert set(table.index[table["n"] > 0]) == set(QUALITY)
    empty = table[table["n"] == 0].drop(columns=["row", "n", "planned"])
    assert empty.isna().all(axis=None)


def test_intervals_of_the_table_are_t_intervals_over_seeds(examined):
    finals = examined[2]
    row = evidence.standings(finals).loc["baseline"]
    for split in ("val", "test"):
        top1 = finals.loc[finals["experiment"] == "baseline", f"{split}_top1"]
        low, high = stats.ttest_1samp(top1, 0).confidence_interval(0.95)
        assert row[f"{split}_top1"] == pytest.approx(top1.mean())
        assert (row[f"{split}_low"], row[f"{split}_high"]) == pytest.approx((low, high))
    assert np.isnan(evidence.mean_interval(np.array([0.5]))).all()


def test_the_best_is_chosen_on_val_whatever_test_says(examined):
    finals = examined[2].copy()
    rows = [step.row for step in STORY]
    assert evidence.best_of(finals, rows, runs=3) == "finetuned_96"
    assert evidence.best_of(finals, ["S21"], runs=3) == "fast_wide"
    finals.loc[finals["experiment"] == "fast", "test_top1"] = 1.0
    assert evidence.best_of(finals, ["S21"], runs=3) == "fast_wide"
    assert evidence.best_of(finals, ["S19"], runs=1) is None


def test_the_best_needs_its_runs(examined):
    finals = examined[2].copy()
    wide = finals["experiment"] == "fast_wide"
    fewer = finals[~wide | (finals["seed"] == 0)]
    assert evidence.best_of(fewer, ["S21"], runs=3) == "fast"
    assert evidence.best_of(fewer, ["S21"], runs=1) == "fast_wide"


# Ranks and fronts


def test_rank_agreement_counts_pairs():
    val, test = [0.1, 0.2, 0.3, 0.4], [0.15, 0.26, 0.22, 0.5]
    found = evidence.rank_agreement(val, test)
    assert (found.experiments, found.pairs, found.swapped) == (4, 6, 1)
    assert found.tau == pytest.approx((5 - 1) / 6)
    assert found.widest == pytest.approx(0.1)
    assert evidence.rank_agreement(val, val).widest == 0
    assert np.isnan(evidence.rank_agreement([0.1], [0.2]).tau)


def test_the_front_is_what_nothing_beats_at_its_cost_or_less():
    cost = [1, 1, 2, 3, 4, 4]
    top1 = [0.3, 0.2, 0.5, 0.4, 0.6, 0.6]
    expected = [True, False, True, False, True, True]
    assert evidence.on_front(cost, top1).tolist() == expected


# Effects and verdicts


def test_effects_on_test_are_those_of_paired_test_accuracies(examined):
    finals = examined[2]
    found = {(e.child, e.parent): e for e in evidence.effects_on_test(finals)}
    effect = found["dropout_after", "dropout_before"]
    table = finals.pivot(index="seed", columns="experiment", values="test_top1")
    pair = table["dropout_after"], table["dropout_before"]
    low, high = stats.ttest_rel(*pair).confidence_interval(0.95)
    assert (effect.low, effect.high) == pytest.approx((low, high), abs=1e-12)
    assert effect.kind == "confirmatory"
    assert effect.n == 3
    assert effect.word is None  # five were planned


def test_runs_that_stopped_early_are_examined_on_all_test_images(examined):
    finals = examined[2].copy()
    plain = evidence.effects_on_test(finals)
    finals.loc[finals["experiment"] == "dropout_after", "val_scored"] = "second half"
    assert evidence.effects_on_test(finals) == plain


def test_findings_are_examined_claim_by_claim_and_nothing_is_invented(examined):
    found, _, finals = examined
    effects = evidence.effects_on_test(finals)
    table = evidence.examined(evidence.findings(found), finals)
    levels = evidence.standings(finals)
    known = {(e.child, e.parent): e for e in effects}
    assert len(table) == len(evidence.findings(found))
    for row in table.itertuples():
        level = levels.loc[row.experiment, ["test_top1", "test_low", "test_high"]]
        given = [row.test_top1, row.test_top1_low, row.test_top1_high]
        assert given == pytest.approx(level.to_list(), nan_ok=True)
        effect = known.get((row.experiment, row.parent))
        if effect is None:
            assert np.isnan(row.test_effect)
            assert row.test_word == ""
            continue
        assert row.test_effect == effect.mean
        expected = effect.moderated_low, effect.moderated_high
        assert (row.test_low, row.test_high) == expected
    recorded = {name for name in QUALITY if get(name).parent in QUALITY}
    shown = set(table.loc[table["test_effect"].notna(), "experiment"])
    assert shown == recorded.intersection(table["experiment"])


def test_a_word_on_test_needs_all_seeds_as_on_val(home):
    record_all(VAL, TEST, ["dropout_before", "dropout_after"], seeds=5)
    found = records.list_records()
    finals = records.finals_table(found)
    finals = evidence.with_test(finals, records.open_test(found))
    table = evidence.examined(evidence.findings(found), finals)
    (row,) = table[table["experiment"] == "dropout_after"].itertuples()
    assert row.word in ("held", "not decidable")
    assert row.test_word in ("held", "not decidable")


def test_top1_on_some_images_counts_those_alone(examined):
    opened = examined[1]
    first = np.arange(10_000) < 100
    found = evidence.top1_on(opened, first)
    expected = (opened["fast", 1]["predictions"][:100] == TEST[:100]).mean()
    assert found["fast", 1] == expected
    assert isinstance(found, pd.Series)
    assert found.index.names == ["experiment", "seed"]


# Where logits come from


@pytest.mark.data
@pytest.mark.parametrize("headline", [True, False])
def test_a_headline_run_hands_over_the_logits_behind_its_answers(
    home_with_data, headline
):
    from cifar100 import data
    from cifar100.training.loop import train

    small = Experiment(
        name="small",
        architecture="simple_cnn",
        headline=headline,
        evaluations=("flip_tta",),
    )
    (run,) = train(small, [0], profile="smoke")
    assert set(run.mirrored) == ({"val"} if headline else set())
    for split, mirrored in run.mirrored.items():
        assert mirrored.shape == run.logits[split].shape
        assert not np.allclose(mirrored, run.logits[split])
    assert set(run.logits) == ({"val", "test"} if headline else set())
    for split, logits in run.logits.items():
        fine = data.load(split).fine[: len(logits)]
        for key, array in per_image(logits, fine).items():
            np.testing.assert_array_equal(getattr(run, split)[key], array)
    if headline:
        views = [{"logits": run.logits["val"], "mirrored": run.mirrored["val"]}]
        labels = data.load("val").fine[: len(run.logits["val"])]
        found = evidence.mean_probability(views, labels, ("logits", "mirrored"))
        assert found == pytest.approx(run.evaluations["flip_tta"]["top1"], abs=1e-3)
