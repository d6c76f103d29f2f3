"""Stored copies are online pictures kept: of training pictures only, whole or anew."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest
from keras import ops

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import augment, data, offline
from cifar100.errors import UserError, WorkError
from cifar100.experiments import Experiment
from cifar100.training.loop import train
from cifar100.training.plan import plan_epoch
from tests.stored_copies import IMAGES, TRANSFORMS, online, stored

pytestmark = pytest.mark.data


@pytest.fixture
def originals():
    return np.array(data.load("train").images[:IMAGES])


def few(copies=2, *, transforms=TRANSFORMS, seed=0):
    return offline.store(transforms, copies, seed=seed, images=IMAGES)


def folders(home):
    return sorted((home / ".cache/offline").glob("*"))


# What is stored


def test_copy_c_is_what_online_augmentation_shows_in_epoch_c(home_with_data, originals):
    copies = few().copies
    for epoch in (1, 2):
        plan = plan_epoch(online, 0, epoch, images=IMAGES, epochs=2)
        for step, batch in enumerate(plan.order):
            parameters = {key: v[step] for key, v in plan.parameters.items()}
            shown = augment.apply(originals[batch], parameters)
            shown = ops.convert_to_numpy(shown).astype(int)
            difference = np.abs(shown - copies[epoch - 1][batch])
            assert difference[:, 1:-1, 1:-1].max() <= 3


def test_copies_and_seeds_differ(home_with_data, originals):
    copies = few().copies
    for others in (originals, copies[1], few(seed=1).copies[0]):
        assert (copies[0] != others).any(axis=(1, 2, 3)).mean() > 0.95


def test_each_transform_does_its_own_part_only(home_with_data, originals):
    flipped = few(1, transforms=("flip",)).copies[0]
    same = (flipped == originals).all(axis=(1, 2, 3))
    mirrored = (flipped == originals[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (same | mirrored).all()
    assert 0.3 < mirrored.mean() < 0.7
    lighter = few(1, transforms=("brightness",)).copies[0]
    factors = offline.draw(("brightness",), IMAGES, 0, 1)["brightness"]
    expected = originals * factors[:, None, None, None]
    assert np.abs(lighter - np.clip(expected, 0, 255)).max() <= 1


def test_only_training_pictures_are_augmented(home_with_data, originals, monkeypatch):
    """Everything that a whole run gives to OpenCV, and the splits after it."""
    given = []
    render = offline.render

    def spy(images, parameters):
        given.append(np.array(images))
        return render(images, parameters)

    splits = ("train", "val", "test")
    before = [data.load(split).images[:500].copy() for split in splits]
    monkeypatch.setattr(offline, "render", spy)
    train(stored, [0], profile="smoke")
    np.testing.assert_array_equal(np.concatenate(given), [*originals[:256]] * 2)
    for split, images in zip(splits, before, strict=True):
        np.testing.assert_array_equal(data.load(split).images[:500], images)


@pytest.mark.parametrize(
    ("transforms", "words"),
    [(("flip", "crop"), "'crop' can't be stored"), ((), "nothing to store")],
)
def test_a_transform_that_cannot_be_stored_is_named_in_one_line(transforms, words):
    with pytest.raises(UserError, match=words) as caught:
        offline.store(transforms, 1, seed=0)
    assert "\n" not in str(caught.value)


def test_an_experiment_cannot_store_what_depends_on_other_pictures():
    settings = {"architecture": "simple_cnn", "augmentation": ("flip", "mixup")}
    words = "mixed: stored_copies takes .*; 'mixup' can't go with it"
    with pytest.raises(UserError, match=words) as caught:
        Experiment(name="mixed", stored_copies=1, **settings)
    assert "\n" not in str(caught.value)
    Experiment(name="mixed", **settings)


# Whole, or made anew


def same_again(home, copies):
    again = few()
    np.testing.assert_array_equal(again.copies, copies)
    names = [sorted(path.name for path in folder.iterdir()) for folder in folders(home)]
    assert names == [["manifest.json", "pictures.npy"]]


@pytest.mark.parametrize("name", ["manifest.json", "pictures.npy"])
def test_a_damaged_set_is_made_anew(name, home_with_data):
    made = few()
    copies = made.copies.copy()
    path = made.folder / name
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.unlink()  # a new file: the old one is still mapped
    path.write_bytes(content)
    same_again(home_with_data, copies)


def test_a_cut_off_set_is_made_anew(home_with_data):
    made = few()
    copies = made.copies.copy()
    content = (made.folder / "pictures.npy").read_bytes()
    (made.folder / "pictures.npy").unlink()
    (made.folder / "pictures.npy").write_bytes(content[:-1])
    same_again(home_with_data, copies)


def test_a_whole_set_is_opened_and_not_made_again(home_with_data, monkeypatch):
    copies = few().copies
    monkeypatch.delattr(offline, "render")
    np.testing.assert_array_equal(few().copies, copies)


SCRIPT = f"""
import os, signal, sys, time
from cifar100 import offline
from cifar100.files import sha256_of

kill, render, made = sys.argv[1] == "kill", offline.render, 0
offline.BLOCK = 100

def watched(images, parameters):
    global made
    if kill and made:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.1)  # time for the other process to come by
    made += len(images)
    return render(images, parameters)

offline.render = watched
found = offline.store({TRANSFORMS!r}, 2, seed=0, images={IMAGES})
print(made, sha256_of(found.copies.tobytes()))
"""


def script(home, task):
    command = [sys.executable, "-c", SCRIPT, task]
    environment = {**os.environ, "CIFAR100_HOME": str(home)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_a_set_whose_writer_was_killed_is_made_anew(home_with_data):
    victim = script(home_with_data, "kill")
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    left = [path for folder in folders(home_with_data) for path in folder.iterdir()]
    assert left
    assert not [path for path in left if path.name == "manifest.json"]
    whole = few().copies.copy()
    same_again(home_with_data, whole)


def test_two_processes_at_once_make_one_set(home_with_data):
    both = [script(home_with_data, "store") for _ in range(2)]
    lines = [process.communicate()[0].split() for process in both]
    assert sorted(int(made) for made, _ in lines) == [0, 2 * IMAGES]
    assert lines[0][1] == lines[1][1]


@contextlib.contextmanager
def largest_file(size):
    """The system refuses to let any file grow beyond `size` bytes."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_no_room_is_told_in_one_line_and_leaves_nothing(home_with_data, monkeypatch):
    monkeypatch.setattr(offline, "BLOCK", 100)
    words = "cannot write to .*make room there"
    with largest_file(1_000_000), pytest.raises(WorkError, match=words) as caught:
        few()
    assert "\n" not in str(caught.value)
    assert folders(home_with_data) == []


def test_the_manifest_says_what_a_set_was_made_with(home_with_data):
    made = few()
    manifest = json.loads((made.folder / "manifest.json").read_text())
    assert manifest == made.manifest
    assert manifest["split_index"] == data.SPLIT_SHA256
    assert manifest["transforms"] == list(TRANSFORMS)
    assert (manifest["copies"], manifest["seed"], manifest["images"]) == (2, 0, IMAGES)
    assert manifest["versions"]["opencv"]


def test_stronger_transforms_make_another_set(home_with_data, monkeypatch):
    weak = few()
    monkeypatch.setattr("cifar100.augment.drawing.ROTATION", 40.0)
    strong = few()
    assert strong.folder != weak.folder
    assert (strong.copies != weak.copies).any()


# Which version an epoch shows


def test_each_version_comes_once_in_as_many_epochs_as_there_are(home_with_data):
    made = few(3)
    for first in (1, 2, 5):
        shown = np.stack([made.versions(epoch) for epoch in range(first, first + 4)])
        expected = np.tile(np.arange(4)[:, None], IMAGES)
        np.testing.assert_array_equal(np.sort(shown, axis=0), expected)
    counts = np.bincount(made.versions(1), minlength=4)
    assert counts.min() > IMAGES / 4 - 40, "pictures go through their versions in step"
    assert (made.versions(1) != few(3, seed=1).versions(1)).any()


def test_pictures_of_an_epoch_are_the_versions_that_it_names(home_with_data, originals):
    made = few()
    shown, versions = made.pictures(originals, 4), made.versions(4)
    sources = [originals, *made.copies]
    for i, version in enumerate(versions):
        np.testing.assert_array_equal(shown[i], sources[version][i])


def test_reading_records_loads_no_opencv():
    code = "import cifar100.records, sys; print('cv2' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout == "False\n"
