"""What a network is given: pictures or features, of all images or a few a class; the
linear layer on features; and rates that fall with depth."""

import inspect

import keras
import numpy as np
import pytest

from cifar100 import cache, data, features, paths, pretrained
from cifar100.errors import UserError
from cifar100.experiments import Experiment
from cifar100.files import write_json
from cifar100.models import build, cost
from cifar100.models.transfer import depths, linear_head
from cifar100.training import inputs
from cifar100.training.engine import create
from cifar100.training.optimizers import optimizer
from cifar100.training.plan import plan_epoch

# What the network assumes where the settings say nothing.
ASSUMED = {k: v.default for k, v in inspect.signature(linear_head).parameters.items()}
GENERATOR = np.random.default_rng(0)
RATE = 0.5
EPOCHS = 30


def pictures(**settings):
    return Experiment(name="x", architecture="simple_cnn", **settings)


def head(**settings):
    return Experiment(name="x", architecture="linear_head", **settings)


# Pictures


@pytest.mark.data
def test_other_networks_get_the_pictures_of_the_data_set():
    found, expected = inputs.load(pictures(), "val"), data.load("val")
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.data
def test_a_few_images_a_class_are_the_first_ones_in_the_order_of_the_split():
    train = data.load("train")
    found = inputs.load(pictures(images_per_class=5), "train")
    assert np.bincount(found.fine).tolist() == [5] * 100
    expected, seen = [], dict.fromkeys(range(100), 0)
    for place, label in enumerate(train.fine.tolist()):
        if seen[label] < 5:
            seen[label] += 1
            expected.append(place)
    np.testing.assert_array_equal(found.images, train.images[expected])
    np.testing.assert_array_equal(found.fine, train.fine[expected])
    np.testing.assert_array_equal(found.coarse, train.coarse[expected])


@pytest.mark.data
def test_a_smaller_choice_lies_within_a_larger_one():
    few, more = (
        inputs.load(pictures(images_per_class=count), "train").images.reshape(-1, 3072)
        for count in (2, 4)
    )
    assert {x.tobytes() for x in few} < {x.tobytes() for x in more}


@pytest.mark.data
def test_all_images_a_class_are_all_images():
    found = inputs.load(pictures(images_per_class=450), "train")
    np.testing.assert_array_equal(found.fine, data.load("train").fine)


@pytest.mark.data
def test_validation_is_whole_however_few_images_are_learned_from():
    found = inputs.load(pictures(images_per_class=5), "val")
    np.testing.assert_array_equal(found.fine, data.load("val").fine)


@pytest.mark.parametrize("count", [0, 451, 2.5])
def test_images_that_a_class_does_not_have_are_refused(count):
    with pytest.raises(UserError, match="images_per_class is an integer"):
        pictures(images_per_class=count)


@pytest.mark.data
def test_the_first_images_keep_their_labels_and_none_is_all():
    val = data.load("val")
    some = inputs.first(val, 7)
    np.testing.assert_array_equal(some.images, val.images[:7])
    np.testing.assert_array_equal(some.fine, val.fine[:7])
    np.testing.assert_array_equal(some.coarse, val.coarse[:7])
    assert len(inputs.first(val, None).fine) == len(val.fine)


# Features


def stored(variant, size, split, values):
    """Put `values` where features of that network and split are kept."""
    path = paths.cache() / "features" / f"efficientnet_lite{variant}-{size}-{split}.npy"
    stamp = cache.save_array(path, values.shape, "<f4", [values])
    key = features._key(variant, size, split)
    write_json(features._stamp(path), {"key": key, "sha256": stamp["sha256"]})


@pytest.mark.data
@pytest.mark.parametrize(
    ("arguments", "which"),
    [
        ({"variant": 1, "image_size": 48}, (1, 48)),
        ({"image_size": 48}, (0, 48)),
        ({}, tuple(ASSUMED[key] for key in ("variant", "image_size"))),
    ],
)
def test_a_linear_head_gets_the_features_of_its_own_network_and_size(
    home_with_data, arguments, which
):
    values = {}
    for place in ((1, 48), (0, 48), (0, 96)):
        values[place] = GENERATOR.random((5000, 1280), np.float32)
        stored(*place, "val", values[place])
    found = inputs.load(head(arguments=arguments), "val")
    np.testing.assert_array_equal(found.images, values[which])
    np.testing.assert_array_equal(found.fine, data.load("val").fine)
    np.testing.assert_array_equal(found.coarse, data.load("val").coarse)


# The linear layer


def test_linear_head_turns_features_into_logits():
    model = build(head())
    assert model.input_shape == (None, 1280)
    assert model.output_shape == (None, 100)
    assert cost.parameters(model) == 1280 * 100 + 100
    assert {v.path for v in model.trainable_variables} == {
        *("logits/kernel", "logits/bias"),
    }


def test_linear_head_brings_each_feature_to_mean_0_and_variance_1():
    model = build(head())
    inner = keras.Model(model.input, model.get_layer("features").output)
    x = GENERATOR.normal(3.0, 0.5, (64, 1280)).astype("float32") * np.arange(1, 1281)
    normal = np.asarray(inner(x.astype("float32"), training=True))
    np.testing.assert_allclose(normal.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(normal.var(axis=0), 1, atol=1e-2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"variant": 3}, "EfficientNet-Lite3 is none of 0, 1, 2"),
        ({"image_size": 16}, "image_size is 16, not from 32 to 224"),
    ],
)
def test_linear_head_refuses_features_that_there_are_not(arguments, words):
    with pytest.raises(UserError, match=words):
        build(head(arguments=arguments))


@pytest.fixture(scope="module")
def real_features():
    """Features of 60 train and 30 val images of each of six classes, at 32 pixels."""
    try:
        network = features._network(0, 32)
    except pretrained.WeightsMissing as error:
        pytest.skip(f"needs the ImageNet weights: {error}")

    def of(split, count):
        found = data.load(split)
        places = [np.flatnonzero(found.fine == label)[:count] for label in range(6)]
        places = np.concatenate(places)
        x = np.concatenate(list(features.compute(network, found.images[places])))
        return x, found.fine[places]

    return of("train", 60), of("val", 30)


@pytest.mark.data
def test_a_linear_layer_on_real_features_learns_what_holds_of_new_images(
    real_features,
):
    (x, labels), (new, truth) = real_features
    experiment = head(batch_size=60, epochs=EPOCHS)
    engine = create(experiment, 2)
    engine.start(0, x)
    assert (engine.logits(new).argmax(axis=1) == truth).mean() < 0.2
    for epoch in range(1, EPOCHS + 1):
        plan = plan_epoch(experiment, 0, epoch, images=len(x), epochs=EPOCHS)
        engine.train_epoch(x, labels, plan)
    assert (engine.logits(x).argmax(axis=1) == labels).mean() > 0.8
    assert (engine.logits(new).argmax(axis=1) == truth).mean() > 0.5  # chance: 1 / 6


# Rates that fall with depth


def moved(architecture, layer_decay):
    """How far one step of Adam moves each variable, {path: distance}, and the network.

    Its first step moves every weight by its rate, whatever the gradient.
    """
    experiment = Experiment(
        name="x",
        architecture=architecture,
        arguments={"image_size": 32} if architecture == "efficientnet_lite" else {},
        learning_rate=RATE,
        layer_decay=layer_decay,
    )
    model = build(experiment)
    chosen = optimizer(experiment, model)
    variables = model.trainable_variables
    before = [np.array(v) for v in variables]
    chosen.apply([keras.ops.ones_like(v) for v in variables])
    distances = {
        v.path: float(np.abs(np.array(v) - old).mean())
        for v, old in zip(variables, before, strict=True)
    }
    return distances, model


def test_rate_of_a_block_is_smaller_than_that_of_the_block_above_it():
    distances, model = moved("efficientnet_lite", 0.5)
    found = depths(model)
    top = max(found.values())
    for path, distance in distances.items():
        depth = found.get(path.partition("/")[0], top + 1)
        # Half a rate for each block; what is left at the stem is near rounding.
        assert distance == pytest.approx(RATE * 0.5 ** (top + 1 - depth), rel=0.05), (
            path
        )
    assert distances["logits/kernel"] == pytest.approx(RATE, rel=1e-3)
    assert distances["top_conv/kernel"] == pytest.approx(RATE / 2, rel=1e-3)


def test_a_network_that_is_not_pretrained_keeps_its_rate():
    distances, _ = moved("simple_cnn", 0.5)
    assert list(distances.values()) == pytest.approx([RATE] * len(distances), rel=1e-3)
