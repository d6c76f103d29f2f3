"""What holds for any seed, size and numbers: splits, recipes, records, effects."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import cache, calibration, checking, records
from cifar100.data import Split
from cifar100.evidence import Contrast, effects, moderate
from cifar100.experiments import Experiment, child, get, id_of
from cifar100.npz import read_npz
from cifar100.training import inputs
from cifar100.training.run import Run
from cifar100.training.schedules import learning_rates
from cifar100.training.scores import metrics, per_image
from cifar100.training.stopping import first_half
from tests.run_facts import FACTS, METRICS
from tests.strategies import SEEDS, quick

# Splits


@quick
@given(SEEDS)
def test_any_order_of_labels_is_parted_evenly(seed):
    fine = np.random.default_rng(seed).permutation(np.repeat(np.arange(100), 500))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "sha256_of", lambda content: cache.SPLIT_SHA256)
        train, val = cache.draw_split(fine)
    assert np.bincount(fine[train]).tolist() == [450] * 100
    assert np.bincount(fine[val]).tolist() == [50] * 100
    assert np.array_equal(np.union1d(train, val), np.arange(50_000))
    assert (np.diff(train) > 0).all()
    assert (np.diff(val) > 0).all()


LABELS = hnp.arrays(np.uint8, st.integers(1, 300), elements=st.integers(0, 99))


@quick
@given(LABELS)
def test_halves_of_any_labels_differ_by_one_image_of_a_class_at_most(labels):
    half = first_half(labels)
    first = np.bincount(labels[half], minlength=100)
    second = np.bincount(labels[~half], minlength=100)
    assert set((first - second).tolist()) <= {0, 1}


@quick
@given(LABELS, st.integers(1, 5))
def test_a_few_of_each_class_keep_their_order_and_labels(labels, count):
    images = np.arange(len(labels))
    found = inputs._per_class(Split(images, labels, labels), count)
    assert (np.diff(found.images) > 0).all()
    np.testing.assert_array_equal(found.fine, labels[found.images])
    there = np.bincount(labels, minlength=100)
    kept = np.bincount(found.fine, minlength=100)
    np.testing.assert_array_equal(kept, np.minimum(there, count))


# Recipes


@quick
@given(
    st.sampled_from(["constant", "cosine", "one_cycle"]),
    st.floats(1e-6, 10),
    st.floats(0, 1),
    st.integers(1, 3000),
)
def test_no_rate_is_above_its_peak_or_not_positive(schedule, peak, warmup, steps):
    options = {"schedule": schedule, "learning_rate": peak, "warmup": warmup}
    recipe = Experiment(name="x", architecture="simple_cnn", **options)
    rates = learning_rates(recipe, steps)
    assert len(rates) == steps
    assert 0 < rates.min() <= rates.max() <= np.float32(peak)


@quick
@given(st.floats(1e-9, 10), st.integers(1, 1000), st.floats(0, 1))
def test_an_id_is_that_of_its_settings_whatever_they_are_called(rate, epochs, dropout):
    given = {"learning_rate": rate, "epochs": epochs, "dropout": dropout}
    one = Experiment(name="one", architecture="simple_cnn", **given)
    other = Experiment(name="other", architecture="simple_cnn", claim="x", **given)
    assert one.id == other.id == id_of(json.loads(json.dumps(one.settings)))
    assert child(one, "child", epochs=epochs + 1).id != one.id


# Records

FIGURES = st.floats(0, 1) | st.integers(0, 10)


@quick
@given(SEEDS, st.dictionaries(st.sampled_from(["x", "y"]), FIGURES), st.integers(0, 9))
def test_a_record_is_read_as_it_was_written(home, seed, figures, number):
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=generator.uniform(0, 20), size=(5000, 100))
    val = per_image(logits, generator.integers(0, 100, 5000))
    run = Run(
        experiment=get("simple_cnn"),
        seed=number,
        profile="full",
        history=[{"epoch": 1, **figures, "val_top1": metrics(val)["top1"]}],
        val=val,
        test=val,
        metrics=METRICS | {f"val_{k}": v for k, v in metrics(val).items()},
        evaluations={"flip_tta": figures},
        facts=FACTS,
    )
    path = records.write(run).path
    record = records.read(path)
    assert (record.seed, record.data["epochs"]) == (number, run.history)
    assert (record.data["metrics"], record.stale) == (run.metrics, False)
    assert record.data["evaluations"] == run.evaluations
    for key, values in record.val().items():
        np.testing.assert_array_equal(values, val[key])
    assert list(checking.check_record(record)) == []


ARRAYS = hnp.arrays(
    hnp.integer_dtypes() | hnp.floating_dtypes() | hnp.boolean_dtypes(),
    hnp.array_shapes(min_dims=0, max_dims=3, max_side=5),
)


@quick
@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), ARRAYS))
def test_arrays_are_read_as_they_were_packed(arrays):
    arrays.pop("file", None)  # a parameter of NumPy's own function
    content = records.pack_arrays(arrays)
    found = read_npz(content, largest=10**6)
    assert found.keys() == arrays.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(found[key], array)
        assert found[key].dtype == array.dtype


# Statistics

ACCURACIES = st.lists(st.floats(0, 1), min_size=2, max_size=6)


@settings(quick, max_examples=8)  # Holm's correction collects all garbage: slow
@given(st.lists(st.tuples(ACCURACIES, ACCURACIES), min_size=1, max_size=5))
def test_an_effect_lies_in_its_intervals_and_p_is_a_probability(pairs):
    values, asked = {}, []
    for number, (child_values, parent_values) in enumerate(pairs):
        values[f"c{number}"] = dict(enumerate(child_values))
        values[f"p{number}"] = dict(enumerate(parent_values))
        asked.append(Contrast(f"c{number}", f"p{number}", "confirmatory"))
    for effect in effects(values, asked):
        assert effect.low <= effect.mean <= effect.high
        assert effect.moderated_low <= effect.mean <= effect.moderated_high
        assert 0 <= effect.p <= effect.p_adjusted <= 1
        narrow, wide = effect.interval(0.8), effect.interval(0.99)
        assert wide[0] <= narrow[0] <= narrow[1] <= wide[1]


@quick
@given(ACCURACIES, SEEDS, st.floats(-1, 1))
def test_neither_the_order_of_seeds_nor_a_common_shift_changes_an_effect(
    accuracies, seed, shift
):
    generator = np.random.default_rng(seed)
    parent = generator.uniform(0, 1, len(accuracies))
    order = generator.permutation(len(accuracies))

    def effect(child_values, parent_values, seeds):
        pair = {
            "c": {int(s): child_values[s] for s in seeds},
            "p": {int(s): parent_values[s] for s in seeds},
        }
        return effects(pair, [Contrast("c", "p")])[0]

    one = effect(np.array(accuracies), parent, range(len(accuracies)))
    other = effect(np.array(accuracies) + shift, parent + shift, order)
    for key in ("mean", "low", "high"):
        assert getattr(one, key) == pytest.approx(getattr(other, key), abs=1e-9)


@quick
@given(st.lists(st.floats(1e-12, 1), min_size=3, max_size=30), st.integers(1, 10))
def test_a_moderated_variance_lies_between_its_own_and_the_common_one(own, degrees):
    found = moderate(own, degrees)
    low = np.minimum(own, found.prior_variance) * (1 - 1e-9)
    high = np.maximum(own, found.prior_variance) * (1 + 1e-9)
    assert ((low <= found.variances) & (found.variances <= high)).all()


@quick
@given(SEEDS, st.integers(1, 60), st.floats(0.01, 50))
def test_metrics_are_fractions_in_order_whatever_the_logits(seed, count, scale):
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=scale, size=(count, 100))
    labels = generator.integers(0, 100, count)
    found = metrics(per_image(logits, labels))
    assert 0 <= found["top1"] <= found["top5"] <= 1
    fitted = calibration.fit_temperature(logits, labels)
    before, after = (calibration.loss(logits, labels, t) for t in (1.0, fitted))
    assert after <= before * (1 + 1e-6)
