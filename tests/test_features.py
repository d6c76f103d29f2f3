"""Features of a whole split: those of the network, kept, and never stale."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cifar100 import data, features, paths, pretrained
from cifar100.data import Split
from cifar100.errors import UserError
from cifar100.experiments import get
from cifar100.training import inputs
from cifar100.training.engine import create
from cifar100.training.first_step import first_step_loss

pytestmark = pytest.mark.data


@pytest.fixture
def home_with_weights(home_with_data, monkeypatch):
    """Like `home_with_data`, with the real ImageNet weights of Lite0 as well."""
    real = paths.package_root() / ".cache" / "pretrained"
    monkeypatch.setenv("CIFAR100_HOME", str(paths.package_root()))
    try:
        pretrained.weights(0)
    except pretrained.WeightsMissing as error:
        pytest.skip(f"needs the ImageNet weights: {error}")
    monkeypatch.setenv("CIFAR100_HOME", str(home_with_data))
    (home_with_data / ".cache" / "pretrained").symlink_to(real)
    return home_with_data


def test_features_are_kept_and_made_anew_when_they_are_not_what_was_written(
    home_with_weights, capsys
):
    found = features.features(0, 32, "val")
    said = capsys.readouterr().err
    assert "5,000 of 5,000 images, 0 s left" in said
    assert (found.shape, found.dtype) == ((5000, 1280), np.float32)
    assert not found.flags.writeable
    kept, first = np.array(found), np.array(found[:8])

    network = features._network(0, 32)
    images = data.load("val").images[:8] / np.float32(255)
    expected = network((images - data.MEAN) / data.STD)
    np.testing.assert_allclose(first, expected, atol=1e-4)
    assert first.std() > 0.05

    features.features(0, 32, "val")
    assert capsys.readouterr().err == ""  # nothing was computed

    path = home_with_weights / ".cache/features/efficientnet_lite0-32-val.npy"
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    np.testing.assert_array_equal(features.features(0, 32, "val"), kept)
    assert "5,000" in capsys.readouterr().err


def test_the_first_step_needs_the_features_of_its_own_images_alone(
    home_with_weights, capsys
):
    small = {"arguments": (("image_size", 32),), "images_per_class": 3}
    experiment = replace(get("frozen_96"), **small)
    split = inputs.for_first_step(experiment)
    assert split.images.any(axis=1).sum() == experiment.batch_size < len(split.fine)

    pictures = inputs.load(replace(experiment, architecture="lenet5"), "train").images
    whole = Split(features.features_of(0, 32, pictures), split.fine, split.coarse)
    expected = first_step_loss(create(experiment, 2), whole)
    found = first_step_loss(create(experiment, 2), split)
    assert found == pytest.approx(expected, rel=1e-5)
    assert not (home_with_weights / ".cache" / "features").exists()
    assert capsys.readouterr().err == ""


def test_features_of_other_code_weights_or_images_do_not_count(tmp_path):
    path = tmp_path / "features.npy"
    np.save(path, np.zeros(3))
    key = features._key(0, 32, "val")
    stamp = {"key": key, "sha256": features.sha256_of(path)}
    path.with_suffix(".json").write_text(json.dumps(stamp))
    assert features._intact(path, features._key(0, 32, "val"))
    others = [(1, 32, "val"), (0, 96, "val"), (0, 32, "train")]
    assert not any(features._intact(path, features._key(*other)) for other in others)
    for name in ("split_sha256", "weights_sha256", "code_sha256"):
        assert key[name]
        assert not features._intact(path, key | {name: "another"})
    assert "models/transfer.py" in key["code_sha256"]


def test_batches_keep_order_and_the_last_one_its_length():
    class Means:
        """A network of one feature: the mean of an image, back in grey levels."""

        name = "means"

        def predict_on_batch(self, images):
            assert images.shape == (features.BATCH, 32, 32, 3)
            grey = (images * data.STD + data.MEAN) * 255
            return grey.mean(axis=(1, 2, 3))[:, None]

    levels = np.arange(250) % 256
    images = np.tile(levels[:, None, None, None], (1, 32, 32, 3)).astype("uint8")
    parts = list(features.compute(Means(), images))
    assert [len(part) for part in parts] == [100, 100, 50]
    np.testing.assert_allclose(np.concatenate(parts)[:, 0], levels, atol=1e-3)


@pytest.mark.parametrize(
    ("variant", "size", "split", "words"),
    [
        (3, 32, "val", "Lite3 is none of"),
        (0, 31, "val", "image_size is 31"),
        (0, 32, "vaal", "did you mean 'val'"),
    ],
)
def test_what_there_is_not_is_refused_and_leaves_nothing(
    home_with_data, variant, size, split, words
):
    with pytest.raises(UserError, match=words):
        features.features(variant, size, split)
    assert not (home_with_data / ".cache" / "features").exists()
