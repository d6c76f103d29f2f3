"""Searches for copies, held against the published list."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from cifar100 import data_study, paths
from cifar100.data_study import listed
from cifar100.errors import DataMissing

STORED = paths.package_root() / "records" / "demonstrations" / "15-copies.json"


@pytest.fixture
def published(home, monkeypatch):
    """A short list in the published layout, where a download would have put it."""
    text = (
        "TestID,TrainID,Distance,Judgment\n7,3,0.0,0\n2,9,0.1,1\n9,4,0.2,2\n5,4,0.3,1\n"
    )
    folder = paths.cache() / "cifair"
    folder.mkdir(parents=True)
    (folder / "duplicates_cifar100.csv").write_text(text)
    monkeypatch.setattr(listed, "SHA256", hashlib.sha256(text.encode()).hexdigest())
    monkeypatch.setattr(listed, "SOURCE", "http://127.0.0.1:9/duplicates_cifar100.csv")
    return folder


def test_the_list_is_read_with_both_images_and_the_judgement(published):
    found = data_study.listed_copies()
    assert found.to_dict("list") == {
        "test": [7, 2, 9, 5],
        "train": [3, 9, 4, 4],
        "judgement": ["exact", "near", "similar", "near"],
    }


def test_a_list_that_cannot_be_had_is_refused_in_one_line(published):
    (published / "duplicates_cifar100.csv").unlink()
    with pytest.raises(DataMissing, match="can't be fetched") as caught:
        data_study.listed_copies()
    assert "\n" not in str(caught.value)


def test_a_list_with_another_content_is_refused(published):
    (published / "duplicates_cifar100.csv").write_text("TestID,Judgment\n1,0\n")
    with pytest.raises(DataMissing):
        data_study.listed_copies()


@pytest.fixture(scope="module")
def sought():
    """700 training images with features, and 602 test images: the first two are copies,
    one by its pixels and one by its features."""
    generator = np.random.default_rng(1)
    known = generator.integers(0, 256, (700, 32, 32, 3), np.uint8)
    test = generator.integers(0, 256, (602, 32, 32, 3), np.uint8)
    old = generator.normal(3, 2, (700, 300)).astype("f4")
    new = generator.normal(3, 2, (602, 300)).astype("f4")
    test[0], new[1] = known[5, :, ::-1], old[9]
    sketch = data_study.sketcher(known)
    return sketch(test), sketch(known), new, old


def test_the_nearest_is_the_most_alike_of_all(sought):
    test, known, new, old = sought
    found = data_study.nearest(*sought)
    pixels = data_study.likeness(test, known)
    old, new = data_study.whitened(old, new)
    for name, likeness in (
        ("pixels", pixels),
        ("features", new @ old.T),
        ("both", pixels + new @ old.T),
    ):
        np.testing.assert_allclose(found[name], likeness.max(axis=1), rtol=1e-4)
    assert found["pixels"][0] == pytest.approx(1, abs=1e-5)
    assert found["features"][1] == pytest.approx(1, abs=1e-5)


def test_both_are_of_one_training_image(sought):
    found = data_study.nearest(*sought)
    assert (found["both"] <= found["pixels"] + found["features"] + 1e-5).all()
    assert (found["both"] < found["pixels"] + found["features"] - 1e-3).any()


def test_whitened_features_vary_alike_in_all_directions(sought):
    known, _ = data_study.whitened(sought[3] * np.linspace(1, 9, 300), sought[2])
    assert np.linalg.norm(known, axis=1) == pytest.approx(np.ones(700), abs=1e-4)
    spread = known.std(axis=0)
    assert spread.max() < 1.3 * spread.min()


def test_agreement_counts_what_is_found_and_what_is_listed():
    likeness = np.array([0.9, 0.8, 0.7, 0.1])
    is_listed = np.array([True, False, True, True])
    table = data_study.agreement(likeness, is_listed, [0.95, 0.75, 0.0])
    assert table["found"].tolist() == [0, 2, 4]
    assert table["precision"].tolist() == [1.0, 0.5, 0.75]
    assert table["recall"].tolist() == pytest.approx([0, 1 / 3, 1])


def test_the_cut_is_the_lowest_that_keeps_its_precision():
    likeness = np.linspace(1, 0, 400)
    is_listed = np.arange(400) % 10 != 0  # nine in ten, and not the first …
    is_listed[200:] = False  # … of the upper half
    cut = data_study.cut_for(0.85, likeness, is_listed)
    found = likeness >= cut
    assert is_listed[found].mean() >= 0.85
    lower = likeness >= likeness[likeness < cut].max()
    assert is_listed[lower].mean() < 0.85
    assert data_study.cut_for(1.0, likeness, is_listed) == np.inf


def test_searches_are_judged_on_images_that_chose_no_cut():
    generator = np.random.default_rng(3)
    is_listed = np.zeros(4000, bool)
    is_listed[generator.choice(4000, 400, replace=False)] = True
    likeness = {
        "good": generator.normal(0, 1, 4000) + 4 * is_listed,
        "poor": generator.normal(0, 1, 4000) + 2 * is_listed,
    }
    copies = pd.DataFrame({"test": np.flatnonzero(is_listed), "split": "val"})
    found = data_study.judge_searches(likeness, copies, 0.9)
    json.dumps(found, allow_nan=False)
    assert found["listed"] == copies.to_dict("list")
    searches = found["searches"]
    assert list(searches) == ["good", "poor"]
    odd = np.arange(4000) % 2 == 1
    for name, values in likeness.items():
        hit = values >= searches[name]["cut"]
        assert searches[name]["images"] == np.flatnonzero(hit).tolist()
        both = (hit & is_listed & odd).sum()
        assert searches[name]["precision"] == pytest.approx(both / (hit & odd).sum())
        assert searches[name]["recall"] == pytest.approx(both / (is_listed & odd).sum())
    assert searches["good"]["recall"] > searches["poor"]["recall"]


@pytest.mark.skipif(not STORED.exists(), reason="not recorded")
def test_the_stored_list_has_the_published_count():
    """Counted in the published file: 891 images, 39 exact, 582 near, 270 similar."""
    value = json.loads(STORED.read_text())["value"]
    table = pd.DataFrame(value["listed"])
    counts = table.groupby("judgement")["test"].nunique().to_dict()
    assert counts == {"exact": 39, "near": 582, "similar": 270}
    stored = json.loads((STORED.parent / "01-copies-in-test.json").read_text())["value"]
    identical = set(stored["identical"]["test"])
    assert len(identical) == 10
    assert identical <= set(table["test"][table["judgement"] == "exact"])
    for name, search in value["searches"].items():
        hit = [i for i in search["images"] if i % 2]
        wanted = set(table["test"][table["test"] % 2 == 1])
        both = len(wanted.intersection(hit))
        assert search["precision"] == pytest.approx(both / len(hit)), name
        assert search["recall"] == pytest.approx(both / len(wanted)), name
