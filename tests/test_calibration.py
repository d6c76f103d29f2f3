"""Calibration: errors from what a record keeps are those of a direct computation."""

import numpy as np
import pytest

from cifar100 import calibration, data, records
from cifar100.training.scores import per_image
from tests.made_runs import labels, logits_for

RECORDED = [r for r in records.list_records() if r.seed == 0][::8]
FINE = labels(3000, 3)


def directly(probabilities, fine, bins=15):
    """ECE, NLL and Brier score, image by image, from all probabilities (N, 100)."""
    members = [[] for _ in range(bins)]
    nll = brier = 0.0
    for p, label in zip(probabilities, fine, strict=True):
        answer = max(range(len(p)), key=lambda i: p[i])
        number = next(i for i in range(bins) if p[answer] <= (i + 1) / bins + 1e-15)
        members[number].append((p[answer], answer == label))
        nll -= np.log(p[label]) / len(fine)
        truth = np.zeros(len(p))
        truth[label] = 1
        brier += np.square(p - truth).sum() / len(fine)
    ece = 0.0
    for inside in filter(None, members):
        confidence, right = np.mean(inside, axis=0)
        ece += len(inside) / len(fine) * abs(confidence - right)
    return {"ece": ece, "nll": nll, "brier": brier}


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_errors_from_five_numbers_an_image_are_those_of_all_probabilities(scale):
    logits = scale * logits_for(FINE, 2.5, 0).astype(np.float64)
    p = np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None])
    found = calibration.errors(per_image(logits, FINE))
    # Records keep float16: an image near the edge of a bin may change sides.
    assert found == pytest.approx(directly(p, FINE), abs=1e-3)


@pytest.mark.data
@pytest.mark.skipif(not RECORDED, reason="nothing is recorded")
@pytest.mark.parametrize("record", RECORDED, ids=lambda record: record.experiment)
def test_errors_of_real_predictions_are_those_of_a_direct_computation(record):
    """Answers of recorded runs for val, held against the labels of the data set."""
    scored, fine = record.val(), data.load("val").fine
    bins = [[] for _ in range(15)]
    nll = brier = 0.0
    for image, label in enumerate(fine):
        sure = float(scored["probability"][image])
        log_true = float(scored["log_probability"][image])
        right = int(scored["predictions"][image]) == int(label)
        number = next(i for i in range(15) if sure <= (i + 1) / 15)
        bins[number].append((sure, right))
        nll -= log_true
        brier += float(scored["sum_squares"][image]) - 2 * np.exp(log_true) + 1
    gaps = [abs(sum(s - r for s, r in inside)) for inside in bins]
    expected = {"ece": sum(gaps), "nll": nll, "brier": brier}
    found = calibration.errors(scored)
    assert found == pytest.approx({k: v / 5000 for k, v in expected.items()}, abs=1e-9)


def test_bins_hold_every_image_once_and_their_upper_edge():
    probability = np.array([1 / 15, 0.0, 0.5, 1.0, 1.0])
    scored = {"probability": probability, "rank": np.array([0, 1, 0, 0, 2])}
    rows = calibration.reliability(scored)
    assert [row["images"] for row in rows] == [2, *[0] * 6, 1, *[0] * 6, 2]
    assert (rows[0]["confidence"], rows[0]["top1"]) == (1 / 30, 0.5)
    assert rows[3]["confidence"] is None
    assert rows[-1]["high"] == 1


def test_a_network_that_says_what_it_knows_has_no_calibration_error():
    generator = np.random.default_rng(2)
    logits = generator.normal(0, 2, (60_000, 10))
    drawn = (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)
    found = calibration.errors(per_image(logits, drawn))
    assert found["ece"] < 0.01
    sure = calibration.errors(per_image(3 * logits, drawn))
    assert sure["ece"] > 0.1
    assert sure["nll"] > found["nll"]
    assert sure["brier"] > found["brier"]


def test_a_temperature_fitted_on_val_mends_other_images_and_changes_no_answer():
    generator = np.random.default_rng(2)

    def drawn(count):
        logits = generator.normal(0, 2, (count, 10))
        return 3 * logits, (logits + generator.gumbel(size=(count, 10))).argmax(axis=1)

    (val_logits, val), (logits, fine) = drawn(4000), drawn(20_000)
    found = calibration.before_and_after(val_logits, val, logits, fine)
    assert found["temperature"] == pytest.approx(3, rel=0.05)
    assert found["temperature"] == calibration.fit_temperature(val_logits, val)
    before, after = found["before"], found["after"]
    assert before["top1"] == after["top1"] == (logits.argmax(axis=1) == fine).mean()
    for score in ("ece", "nll", "brier"):
        assert after[score] < before[score]
    assert after["ece"] < 0.02
    plain = calibration.errors(per_image(logits, fine))
    assert {key: before[key] for key in plain} == plain
    assert sum(row["images"] for row in after["bins"]) == 20_000


# Temperature and doubt


def sure_of_itself(times, count=4000):
    """Logits, too large by a factor, of labels drawn with the right probabilities."""
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 2, (count, 10))
    drawn = (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)
    return logits * times, drawn


@pytest.mark.parametrize("times", [0.5, 1.0, 3.0])
def test_the_temperature_is_how_many_times_too_large_logits_are(times):
    logits, labels = sure_of_itself(times)
    temperature = calibration.fit_temperature(logits, labels)
    assert temperature == pytest.approx(times, rel=0.05)
    for other in (0.98 * temperature, 1.02 * temperature):
        fitted = calibration.loss(logits, labels, temperature)
        assert fitted < calibration.loss(logits, labels, other)


def test_calibrated_answers_are_doubtful_below_one_half():
    logits, labels = sure_of_itself(1.0, count=40_000)
    probabilities = calibration.probabilities(logits)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    right = logits.argmax(axis=1) == labels
    limit = calibration.doubt_below(probabilities.max(axis=1), right)
    assert limit == pytest.approx(0.5, abs=0.05)


def test_the_limit_of_doubt_has_the_wrong_below_and_the_right_above():
    probability = np.array([0.9, 0.1, 0.2, 0.3, 0.8])
    right = np.array([True, False, False, True, True])
    assert calibration.doubt_below(probability, right) == 0.3
    assert calibration.doubt_below(probability, np.zeros(5, bool)) == 1.0
    assert calibration.doubt_below(probability, np.ones(5, bool)) == 0.0


def test_a_summary_counts_what_is_right():
    labels = np.arange(6) % 3
    logits = np.eye(3)[labels] * 4.0
    logits[0] = logits[0][[1, 0, 2]]
    found = calibration.summary(logits, labels.astype(np.uint8))["val"]
    assert found["top1"] == pytest.approx(5 / 6)
    assert found["top5"] == 1.0
    assert found["loss_calibrated"] <= found["loss"]
