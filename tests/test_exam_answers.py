"""Answers of one network and of several: confusion, sureness, noise, votes."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cifar100 import evidence
from cifar100.class_names import COARSE_NAMES, COARSE_OF_FINE, FINE_NAMES
from cifar100.training.scores import per_image
from tests.made_runs import labels, logits_for

FINE = labels(2000, 5)


@pytest.fixture(scope="module")
def logits():
    return [logits_for(FINE, 2.5, seed) for seed in range(3)]


@pytest.fixture(scope="module")
def members(logits):
    return [per_image(each, FINE) | {"logits": each} for each in logits]


@pytest.fixture(scope="module")
def counts(members):
    return evidence.confusion(members[0]["predictions"], FINE)


# Confusion


def test_confusion_counts_true_classes_in_rows():
    found = evidence.confusion(np.array([3, 3, 7], np.uint8), np.array([3, 5, 5]))
    assert found.sum() == 3
    assert (found[3, 3], found[5, 3], found[5, 7]) == (1, 1, 1)


def test_superclasses_add_up_their_classes(counts, members):
    coarse = evidence.of_superclasses(counts)
    answers = COARSE_OF_FINE[members[0]["predictions"]]
    for a, b in itertools.product(range(20), repeat=2):
        assert coarse[a, b] == ((COARSE_OF_FINE[FINE] == a) & (answers == b)).sum()


def test_the_order_by_superclass_keeps_relatives_together():
    order = COARSE_OF_FINE[evidence.BY_SUPERCLASS]
    assert order.tolist() == sorted(order)
    assert sorted(evidence.BY_SUPERCLASS) == list(range(100))


def test_confused_pairs_count_both_ways_and_leave_out_the_right():
    counts = np.zeros((100, 100), int)
    counts[4, 4] = 100
    counts[4, 9], counts[9, 4] = 3, 4  # beaver, bottle
    counts[4, 55] = 6  # beaver, otter: relatives
    first, second = evidence.confused_pairs(counts)
    assert (first["one"], first["other"]) == (FINE_NAMES[4], FINE_NAMES[9])
    assert (first["errors"], first["one_as_other"], first["other_as_one"]) == (7, 3, 4)
    assert not first["same_superclass"]
    assert second["same_superclass"]
    assert len(evidence.confused_pairs(counts, most=1)) == 1


def test_accuracy_of_classes_is_that_of_their_images(counts, members):
    table = evidence.by_class(counts)
    assert table["top1"].is_monotonic_increasing
    right = members[0]["predictions"] == FINE
    for row in table.itertuples():
        label = FINE_NAMES.index(row.name)
        assert row.top1 == pytest.approx(right[label == FINE].mean())
        assert row.superclass == COARSE_NAMES[COARSE_OF_FINE[label]]


def test_kinship_splits_the_wrong_answers(counts, members):
    answers = members[0]["predictions"]
    wrong = answers != FINE
    near = wrong & (COARSE_OF_FINE[answers] == COARSE_OF_FINE[FINE])
    found = evidence.kinship(counts)
    assert found["right"] + found["near"] + found["far"] == pytest.approx(1)
    assert found["near"] == pytest.approx(near.mean())
    assert found["near_of_errors"] == pytest.approx(near.sum() / wrong.sum())
    pairs = COARSE_OF_FINE[:, None] == COARSE_OF_FINE
    others = ~np.eye(100, dtype=bool)
    assert pairs[others].mean() == pytest.approx(evidence.NEAR_AT_RANDOM)


def test_the_surest_errors_are_wrong_and_in_order(members):
    scored = members[0]
    found = evidence.surest_errors(scored, 24)
    assert len(found) == 24
    assert (scored["predictions"][found] != FINE[found]).all()
    sure = scored["probability"][found].astype(float)
    assert (np.diff(sure) <= 0).all()
    others = np.setdiff1d(np.flatnonzero(scored["rank"] > 0), found)
    assert scored["probability"][others].max() <= sure[-1]


def test_guesses_are_the_likeliest_classes_as_far_as_they_are_known(members, logits):
    found = evidence.guesses(members[0], 7)
    order = np.argsort(-logits[0][7])
    assert [name for name, _ in found] == [FINE_NAMES[i] for i in order[:3]]
    p = np.exp(logits[0][7] - np.logaddexp.reduce(logits[0][7]))
    assert [value for _, value in found] == pytest.approx(p[order[:3]], rel=1e-5)
    short = {key: v for key, v in members[0].items() if key != "logits"}
    ((name, value),) = evidence.guesses(short, 7)
    assert name == FINE_NAMES[order[0]]
    assert value == pytest.approx(p[order[0]], abs=5e-4)


# Noise


def test_the_error_of_images_is_the_spread_of_differences_over_drawn_images():
    generator = np.random.default_rng(0)
    hard = generator.uniform(size=4_000)  # alike for both, so that most of it cancels
    child, parent = (
        {seed: generator.uniform(size=4_000) * share > hard for seed in range(3)}
        for share in (1.0, 0.9)
    )
    gains = np.mean([child[s].astype(float) - parent[s] for s in range(3)], axis=0)
    drawn = generator.choice(gains, (2_000, 4_000)).mean(axis=1).std()
    error = evidence.paired_image_error(child, parent)
    assert error == pytest.approx(drawn, rel=0.05)
    alone = np.hypot(
        *(evidence.binomial_error(x[0].mean(), 4_000) for x in (child, parent))
    )
    assert error < alone
    assert np.isnan(evidence.paired_image_error(child, {}))


def test_the_binomial_error_is_the_spread_of_shares():
    assert evidence.binomial_error(0.5, 10_000) == pytest.approx(0.005)
    drawn = np.random.default_rng(0).binomial(10_000, 0.7, 20_000) / 10_000
    assert evidence.binomial_error(0.7, 10_000) == pytest.approx(drawn.std(), rel=0.02)


def test_spread_needs_two_runs():
    rows = [("a", 0, 0.50), ("a", 1, 0.52), ("a", 2, 0.51), ("b", 0, 0.40)]
    finals = pd.DataFrame(rows, columns=["experiment", "seed", "test_top1"])
    table = evidence.spread(finals)
    assert list(table.index) == ["a"]
    assert table.loc["a", "seed_sd"] == pytest.approx(0.01)
    assert table.loc["a", "range"] == pytest.approx(0.02)


def test_seeds_needed_give_the_power_that_they_promise():
    n = evidence.seeds_needed(0.01, 0.01)
    assert n == 10  # a table of the paired t test: d = 1, power 80 %
    rng = np.random.default_rng(4)
    p = stats.ttest_1samp(rng.normal(1, 1, (20_000, n)), 0, axis=1).pvalue
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=0.02)
    p = stats.ttest_1samp(rng.normal(1, 1, (20_000, n - 1)), 0, axis=1).pvalue
    assert (p < 0.05).mean() < 0.8
    assert [evidence.seeds_needed(1.0, sd) for sd in (0.2, 0.01, 0.0)] == [3, 3, 3]
    assert evidence.seeds_needed(0.001, 0.005) > 190


def test_pair_spreads_are_those_of_seeds_in_common():
    rows = [("p", s, 0.5) for s in range(4)] + [
        ("c", s, 0.5 + s / 100) for s in (1, 2, 3)
    ]
    finals = pd.DataFrame(rows, columns=["experiment", "seed", "test_top1"])
    asked = [evidence.Contrast("c", "p"), evidence.Contrast("d", "p")]
    (spread,) = evidence.pair_spreads(finals, asked).itertuples(index=False)
    assert (spread.n, spread.sd) == (3, pytest.approx(0.01))


@pytest.mark.parametrize("true", [(0.01, 0.01), (0.005, 0.02)])
def test_spreads_to_be_expected_are_narrower_than_those_observed(true):
    rng = np.random.default_rng(0)
    sds = np.exp(rng.uniform(*np.log(true), 400))
    observed = np.array([rng.normal(0, sd, 4).std(ddof=1) for sd in sds])
    spreads = pd.DataFrame({"n": 4, "sd": observed})
    found = evidence.expected_spreads(spreads)
    assert found == pytest.approx(np.quantile(sds, (0.1, 0.5, 0.9)), rel=0.2)
    assert found[0] > 1.2 * np.quantile(observed, 0.1)


# Several networks


def voted(chosen):
    """Plurality image by image, with the labels at hand; of equals the surest."""
    right = 0
    for image, label in enumerate(FINE):
        votes = {}
        for member in chosen:
            ballot = votes.setdefault(int(member["predictions"][image]), [0, 0.0])
            ballot[0] += 1
            ballot[1] += float(member["probability"][image])
        right += max(votes, key=lambda key: tuple(votes[key])) == label
    return right / len(FINE)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_vote_without_labels_is_the_vote_with_them(members, k):
    assert evidence.vote(members[:k]) == pytest.approx(voted(members[:k]), abs=1e-12)


def test_mean_probability_beats_its_members(members, logits):
    single = [(each.argmax(axis=1) == FINE).mean() for each in logits]
    p = [np.exp(x - np.logaddexp.reduce(x, axis=1)[:, None]) for x in logits]
    expected = (np.mean(p, axis=0).argmax(axis=1) == FINE).mean()
    assert evidence.mean_probability(members, FINE) == expected
    assert expected > max(single)


def test_disagreement_is_the_mean_over_pairs(members):
    a, b, c = (m["predictions"] for m in members)
    expected = np.mean([(a != b).mean(), (a != c).mean(), (b != c).mean()])
    assert evidence.disagreement(members) == pytest.approx(expected)


def test_sizes_of_an_ensemble_average_over_its_subsets():
    table = evidence.by_size([0.1, 0.2, 0.6], max)
    assert table["k"].tolist() == [1, 2, 3]
    assert table["top1"].tolist() == pytest.approx([0.3, (0.2 + 0.6 + 0.6) / 3, 0.6])
    assert table["subsets"].tolist() == [3, 3, 1]


def test_of_many_subsets_some_are_drawn_that_do_not_favour_the_first():
    sizes = evidence.by_size(list(range(20)), lambda chosen: chosen[0])
    assert sizes["subsets"].tolist() == [20] * 19 + [1]
    assert sizes["top1"][1] > 2  # the first twenty pairs all begin with 0 or 1
