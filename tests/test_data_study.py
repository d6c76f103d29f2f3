"""What notebook 01 measures: copies are found, accidents are not, floors are right."""

import numpy as np
import pytest

from cifar100 import data, data_study
from cifar100.data_study import copies as search
from cifar100.data_study import images as facts
from cifar100.data_study.copies import FLOOR, threshold


@pytest.fixture
def photographs():
    """300 smooth random images, uint8, as unlike each other as photographs are."""
    generator = np.random.default_rng(7)
    coarse = generator.normal(128, 50, (300, 8, 8, 3))
    fine = generator.normal(0, 8, (300, 32, 32, 3))
    large = coarse.repeat(4, axis=1).repeat(4, axis=2)
    return (large + fine).clip(0, 255).astype(np.uint8)


@pytest.fixture
def fake_data(photographs, monkeypatch):
    """`data.load` and `data.split_index` of a set with planted copies.

    Training image 290 is image 10, byte for byte, with another label; 291 is image 11
    mirrored and darker. Test image 0 is image 13, and test image 1 is image 14
    mirrored. Every eleventh training image is in val.
    """
    photographs[290] = photographs[10]
    photographs[291] = photographs[11, :, ::-1] * 0.7 + 10
    fine = (np.arange(300) % 100).astype(np.uint8)
    in_val = np.arange(300) % 11 == 0
    index = {"train": np.flatnonzero(~in_val), "val": np.flatnonzero(in_val)}
    test = np.random.default_rng(8).permuted(photographs[:50], axis=1)
    test[0], test[1] = photographs[13], photographs[14, :, ::-1]

    def load(split):
        if split == "test":
            return data.Split(test, None, None)  # whoever asks for labels fails
        chosen = index[split]
        labels = fine[chosen]
        return data.Split(photographs[chosen], labels, data.COARSE_OF_FINE[labels])

    monkeypatch.setattr(data, "load", load)
    monkeypatch.setattr(data, "split_index", lambda: (index["train"], index["val"]))
    return photographs, fine, in_val


# Copies


def test_likeness_is_one_for_an_image_and_its_mirror_image(photographs):
    sketch = data_study.sketcher(photographs)
    mine, mirrored = sketch(photographs), sketch(photographs[:, :, ::-1])
    for other in mine, mirrored:
        values = data_study.likeness(mine, other)
        assert np.diag(values) == pytest.approx(1, abs=1e-4)
        assert values[~np.eye(len(values), dtype=bool)].max() < 0.8


def test_likeness_is_the_better_of_two_plain_products(photographs):
    sketch = data_study.sketcher(photographs)
    a, b = sketch(photographs[:20]), sketch(photographs[20:50])
    turned = sketch(photographs[20:50, :, ::-1])
    plain, mirrored = (np.hstack(a) @ np.hstack(x).T for x in (b, turned))
    expected = np.maximum(plain, mirrored)
    assert data_study.likeness(a, b) == pytest.approx(expected, abs=1e-4)


def test_likeness_does_not_mind_brightness_and_contrast_much(photographs):
    sketch = data_study.sketcher(photographs)
    faded = (photographs * 0.7 + 20).astype(np.uint8)
    values = data_study.likeness(sketch(photographs), sketch(faded))
    assert np.diag(values).min() > 0.75
    assert values[~np.eye(len(values), dtype=bool)].max() < 0.6


def test_an_image_without_any_contrast_is_like_nothing(photographs):
    sketch = data_study.sketcher(photographs)
    mean = photographs.mean(0).round().astype(np.uint8)[None]
    assert np.isfinite(data_study.likeness(sketch(mean), sketch(photographs))).all()


def test_planted_copies_are_found_with_labels_and_splits(fake_data):
    _, fine, in_val = fake_data
    found = data_study.copies_in_training()
    alike = dict(zip(*(found["alike"][k] for k in ("first", "second")), strict=True))
    assert (alike.get(10), alike.get(11)) == (290, 291)
    assert found["identical"]["first"] == [10]
    assert found["identical"]["second"] == [290]
    place = found["alike"]["first"].index(10)
    for side, index in ("first", 10), ("second", 290):
        assert found["alike"][f"{side}_class"][place] == data.FINE_NAMES[fine[index]]
        assert found["alike"][f"{side}_in_val"][place] == in_val[index]


def test_an_image_upside_down_counts_for_the_yardstick_and_is_no_copy(fake_data):
    fake_data[0][292] = fake_data[0][12, ::-1]
    found = data_study.copies_in_training()
    assert sum(found["upside_down"]) == 1
    assert 12 not in found["alike"]["first"]
    assert found["threshold"] > found["edges"][np.argmax(found["upside_down"])]


def test_histograms_and_tables_tell_the_same_number_of_pairs(fake_data):
    found = data_study.copies_in_training()
    edges = np.array(found["edges"][:-1])
    above = np.array(found["found"])[edges > found["threshold"] - 1e-9].sum()
    assert above == len(found["alike"]["first"])
    assert found["alike"]["likeness"] == sorted(found["alike"]["likeness"])[::-1]


def test_a_part_of_the_images_holds_only_its_own_copies(fake_data):
    found = data_study.copies_in_training(291)
    assert found["images"] == 291
    pairs = zip(found["alike"]["first"], found["alike"]["second"], strict=True)
    assert {(10, 290)} <= set(pairs)
    assert max(found["alike"]["second"]) == 290


def test_copies_in_test_are_found_without_its_labels(fake_data):
    found = data_study.copies_in_test(0.9)
    assert found["identical"] == {"test": [0], "train": [13]}
    pairs = set(zip(found["alike"]["test"], found["alike"]["train"], strict=True))
    assert {(0, 13), (1, 14)} <= pairs
    assert found["images"] == 50


def test_blocks_of_any_size_give_the_same_pairs(fake_data, monkeypatch):
    whole = data_study.copies_in_training()
    monkeypatch.setattr(search, "BLOCK", (7, 13))
    parts = data_study.copies_in_training()
    assert parts["found"] == whole["found"]
    assert parts["alike"]["second"] == whole["alike"]["second"]


def test_identical_images_are_paired_once_and_not_with_themselves(photographs):
    images = photographs[[0, 1, 0, 2, 0]]
    assert data_study.identical(images) == [[0, 2], [0, 4], [2, 4]]
    assert data_study.identical(images[1:2], images) == [[0, 1]]


@pytest.mark.parametrize(
    ("found", "false", "expected"),
    [
        ([0.95] * 40 + [0.7] * 40, [0.7] * 30, 0.71),
        ([0.95] * 40, [], FLOOR),
        ([0.95] * 40, [0.99], 1.0),  # an accident above every find: nothing counts
        ([0.95] * 20 + [0.8] * 20, [0.9], 0.6),  # one in twenty is within tolerance
        ([], [], FLOOR),
    ],
)
def test_threshold_stops_at_the_first_cut_with_too_many_false_pairs(
    found, false, expected
):
    assert threshold(found, false) == pytest.approx(expected)


# Floors


def test_shrinking_gives_the_means_of_blocks(photographs):
    small = data_study.shrink(photographs[:3], 4)
    assert small.shape == (3, 4, 4, 3)
    expected = photographs[1, 8:16, 24:32].mean((0, 1)) / 255
    assert small[1, 1, 3] == pytest.approx(expected, rel=1e-5)
    assert data_study.shrink(photographs[:3], 32) == pytest.approx(
        photographs[:3] / 255, abs=1e-6
    )


def test_nearest_class_is_that_of_the_nearest_mean():
    labels = np.repeat(np.arange(100), 2)
    train = np.stack([labels * 10 + np.tile([-3, 3], 100), 0 * labels], 1)
    new = np.array([[0.0, 5.0], [421.0, -5.0], [989.0, 0.0]])
    assert data_study.nearest_class(train, labels, new).tolist() == [0, 42, 99]


def test_neighbours_vote_and_the_nearest_breaks_a_tie():
    train = np.array([[0.0], [1.0], [1.1], [5.0], [9.0]])
    labels = np.array([7, 3, 3, 7, 9])
    for k, expected in (1, 7), (2, 7), (3, 3), (4, 7):
        votes = data_study.neighbours_vote(train, labels, np.array([[-1.0]]), k)
        assert votes.tolist() == [expected], k


def test_coarse_score_forgives_errors_inside_a_superclass():
    beaver, dolphin, apple = (
        data.FINE_NAMES.index(name) for name in ("beaver", "dolphin", "apple")
    )
    truth = np.array([beaver, beaver, beaver, beaver])
    scores = data_study.score(np.array([beaver, dolphin, apple, apple]), truth)
    assert scores == {"val_top1": 0.25, "val_coarse_top1": 0.5}


def test_colours_are_mean_and_deviation_of_all_official_pixels(fake_data):
    photographs, fine, in_val = fake_data
    found = data_study.colours()
    pixels = photographs.reshape(-1, 3) / 255
    assert found["mean"] == pytest.approx(pixels.mean(0))
    assert found["std"] == pytest.approx(pixels.std(0))
    of_seven = photographs[(fine == 7) & ~in_val] / 255
    assert found["classes"][7] == pytest.approx(of_seven.mean((0, 1, 2)), rel=1e-5)


def test_first_of_each_class_is_of_that_class():
    fine = np.random.default_rng(0).permutation(np.repeat(np.arange(100), 3))
    for place in range(3):
        assert fine[data_study.one_of_each(fine, place)].tolist() == list(range(100))


# The real data set


@pytest.mark.data
def test_official_order_is_restored():
    training = data_study.official_training()
    train_index, val_index = data.split_index()
    val = data.load("val")
    assert training.images.shape == (50_000, 32, 32, 3)
    assert np.array_equal(training.images[val_index], val.images)
    assert np.array_equal(np.flatnonzero(training.in_val), val_index)
    assert np.array_equal(training.fine[train_index], data.load("train").fine)


@pytest.mark.data
def test_constants_of_the_package_fit_the_images():
    found = data_study.colours()
    assert found["mean"] == pytest.approx(data.MEAN, abs=1e-6)
    assert found["std"] == pytest.approx(data.STD, abs=1e-6)


@pytest.mark.data
def test_ten_test_images_are_equal_to_a_training_image_in_every_byte():
    test, train = data.load("test").images, data_study.official_training().images
    pairs = data_study.identical(test, train)
    assert len(pairs) == 10
    assert [1100, 24083] in pairs  # heads the list of Barz & Denzler, 2020


@pytest.mark.data
def test_no_row_of_the_test_split_counts_its_classes():
    rows = {row["split"]: row for row in facts.split_sizes()}
    assert rows["train"]["fewest of a class"] == rows["train"]["most of a class"] == 450
    assert not any("class" in key for key in rows["test"])
