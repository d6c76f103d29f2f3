"""The networks of the ladder: their parts, what is refused, and how they start."""

import math
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from cifar100.errors import UserError
from cifar100.experiments import EXPERIMENTS, Experiment, get
from cifar100.models import build, cost
from tests.networks import convolutions, every, kinds, maps, network, of

PICTURES = np.random.default_rng(0).normal(size=(8, 32, 32, 3)).astype("float32")


# The student's baseline

BLOCK = ["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D"]


def block(**arguments):
    """Layers of the first of three blocks, which are all alike."""
    found = kinds(network("baseline", **arguments))
    end = found.index("MaxPooling2D") + 1
    end += "Dropout" in found[end]
    assert found[1:] == 3 * found[1:end] + ["Flatten", "Dense", "Dense"]
    return found[1:end]


def test_dropout_stands_where_it_is_wanted():
    assert block() == BLOCK
    assert block(dropout=0.2) == [*BLOCK, "Dropout"]
    before = [*BLOCK[:3], "Dropout", "MaxPooling2D"]
    assert block(dropout=0.2, dropout_position="before_pool") == before
    assert block(dropout=0.2, dropout_position="before_pool_matched") == before
    assert block(dropout=0.2, dropout_kind="spatial") == [*BLOCK, "SpatialDropout2D"]


@pytest.mark.parametrize("kind", ["unit", "spatial"])
@pytest.mark.parametrize("position", ["after_pool", "before_pool_matched"])
def test_matched_dropout_zeroes_as_many_pooled_units_as_dropout_after(kind, position):
    model = network(
        "baseline", dropout=0.2, dropout_kind=kind, dropout_position=position
    )
    x = np.ones((1024, 4, 4, 16), "float32")
    for layer in model.layers[4:7]:  # from the first block's ReLU to its end
        x = layer(x, training=True)
    assert np.mean(np.asarray(x) == 0) == pytest.approx(0.2, abs=0.015)


def logits_while_training(position, kind):
    """Logits with dropout on; the masks are drawn from equal states everywhere."""
    arguments = {"dropout_position": position, "dropout_kind": kind}
    model = build(replace(get("baseline"), arguments=arguments, dropout=0.3))
    states = [x.seed_generator.state for x in model.layers if getattr(x, "rate", 0)]
    assert len(states) == 3
    for number, state in enumerate(states):
        state.assign(np.array([7, number], state.dtype))
    return np.asarray(model(PICTURES, training=True))


def test_dropping_channels_before_or_after_pooling_is_the_same():
    """With one mask for all pixels, max-pooling and dropout commute; for units not."""
    np.testing.assert_array_equal(
        logits_while_training("before_pool", "spatial"),
        logits_while_training("after_pool", "spatial"),
    )
    before, after = (
        logits_while_training(position, "unit")
        for position in ("before_pool", "after_pool")
    )
    assert np.abs(before - after).max() > 0.1


def test_batch_norm_stands_where_it_is_wanted_and_bias_where_it_counts():
    orders = {
        "before_activation": ["Conv2D", "BatchNormalization", "ReLU"],
        "after_activation": ["Conv2D", "ReLU", "BatchNormalization"],
        "none": ["Conv2D", "ReLU"],
    }
    for word, order in orders.items():
        assert block(batch_norm=word, convolutions=2)[:-1] == 2 * order
        model = network("baseline", batch_norm=word)
        biased = {c.use_bias for c in convolutions(model)}
        assert biased == {word != "before_activation"}


def test_a_shortcut_adds_one_projection_a_block_and_nothing_else():
    with_it, without = of("shortcut"), of("two_convolutions")
    sizes = ((32, 3, 16), (16, 16, 32), (8, 32, 64))  # side, channels in and out
    macs = sum(side**2 * a * b for side, a, b in sizes)
    batch_norm = 2 * (16 + 32 + 64)
    assert cost.macs(with_it) - cost.macs(without) == macs
    parameters = cost.parameters(with_it) - cost.parameters(without)
    assert parameters == sum(a * b for _, a, b in sizes) + batch_norm
    added = sorted(kinds(with_it))
    for kind in kinds(without):
        added.remove(kind)
    assert added == ["Add"] * 3 + ["BatchNormalization"] * 3 + ["Conv2D"] * 3


@pytest.mark.parametrize("batch_norm", ["before_activation", "none"])
def test_a_shortcut_carries_the_input_of_its_block(batch_norm):
    arguments = {"shortcut": True, "convolutions": 2, "batch_norm": batch_norm}
    model = network("baseline", **arguments)
    firsts, projections = convolutions(model, 3)[::2], convolutions(model, 1)
    assert [p.input for p in projections] == [c.input for c in firsts]
    for add, projection in zip(every(layers.Add, model), projections, strict=True):
        last = projection.output
        if batch_norm != "none":
            (last,) = [
                norm.output
                for norm in every(layers.BatchNormalization, model)
                if norm.input is projection.output
            ]
        assert add.input[1] is last


def test_head_is_a_dense_layer_or_the_mean_of_each_channel():
    assert kinds(of("dropout_after"))[-3:] == ["Flatten", "Dense", "Dense"]
    model = of("global_average")
    assert kinds(model)[-2:] == ["GlobalAveragePooling2D", "Dense"]
    assert "Flatten" not in kinds(model)
    assert model.get_layer("features").output.shape == (None, 64)


def test_kernels_can_differ_from_block_to_block():
    model = network("baseline", kernel_size=(5, 3, 1), convolutions=2)
    sizes = [c.kernel_size[0] for c in convolutions(model)]
    assert sizes == [5, 5, 3, 3, 1, 1]
    for name, wanted in (("kernel_5_first", [5, 3, 3]), ("baseline", [3, 3, 3])):
        assert [c.kernel_size[0] for c in convolutions(of(name))] == wanted


@pytest.mark.parametrize(
    ("size", "stride", "sides"), [(2, 2, [16, 8, 4]), (3, 2, [16, 8, 4]), (2, 4, [8])]
)
def test_pooling_divides_the_map_by_its_stride(size, stride, sides):
    filters = (4,) * len(sides)
    model = network("baseline", filters=filters, pool_size=size, pool_stride=stride)
    assert maps(layers.MaxPooling2D, model) == [(side, side) for side in sides]
    assert {p.pool_size for p in every(layers.MaxPooling2D, model)} == {(size, size)}


# Plain and residual


@pytest.mark.parametrize(("depth", "width"), [(20, 8), (18, 8)])
def test_plain_and_residual_network_have_the_same_main_path(depth, width):
    residual, plain = (
        network("resnet", depth=depth, width=width, shortcuts=on) for on in (1, 0)
    )

    def main_path(model):
        parts = convolutions(model, 3)
        return [(tuple(c.kernel.shape), c.strides, c.output.shape) for c in parts]

    assert main_path(residual) == main_path(plain)
    assert len(main_path(plain)) == depth - 1
    stages = 4 if depth == 18 else 3
    pairs = [(width * 2**n, width * 2 ** (n + 1)) for n in range(stages - 1)]
    projections = sum(a * b + 2 * b for a, b in pairs)
    assert cost.parameters(residual) - cost.parameters(plain) == projections
    assert len(every(layers.Add, residual)) == (depth - 2) // 2
    assert not every(layers.Add, plain)


# What is refused

REFUSED = [
    ("resnet", {"depth": 17}, "ResNet-17 is none of 20, 32, 44, 56, 18"),
    ("resnet", {"width": 0}, "filters"),
    ("resnet", {"width": "wide"}, "width is an integer or null, not 'wide'"),
    ("vgg", {"depth": 12}, "VGG-12 is none of 11, 13, 16, 19"),
    ("vgg", {"blocks": 6}, "6 blocks: there are 1 to 5"),
    ("lenet5", {"pooling": "median"}, "'median' is none of average, max"),
    ("lenet5", {"activation": "rely"}, "rely"),
    ("lenet5", {"padding": "mirror"}, "mirror"),
    ("lenet5", {"filters": (6, 16, 120)}, "filters is a tuple of 2 integers"),
    ("alexnet", {"batch_norm": "none"}, "batch_norm is true or false, not 'none'"),
    ("baseline", {"batch_norm": "behind"}, "'behind' is none of before_activation"),
    ("baseline", {"dropout_kind": "pixel"}, "'pixel' is none of unit, spatial"),
    ("baseline", {"dropout_position": "in"}, "'in' is none of before_pool"),
    ("baseline", {"kernel_size": (5, 3)}, "2 kernels for 3 blocks"),
    ("baseline", {"convolutions": 0}, "0 convolutions"),
    ("baseline", {"filters": 16}, "not 16"),
    ("baseline", {"pool_size": True}, "pool_size is an integer, not True"),
    ("simple_cnn", {"filter": (8,)}, "did you mean 'filters'"),
    ("simple_cnn", {"num_classes": 10}, "takes no 'num_classes'"),
    ("simple_cnn", {"dropout": 0.5}, "takes no 'dropout'"),
    ("resnet_20", {}, "did you mean 'resnet'"),
    (20, {}, "no network '20'"),
]


@pytest.mark.parametrize(("architecture", "arguments", "words"), REFUSED)
def test_what_no_network_has_is_refused_in_one_line(architecture, arguments, words):
    wrong = Experiment(name="x", architecture=architecture, arguments=arguments)
    with pytest.raises(UserError, match=words) as caught:
        build(wrong)
    assert "\n" not in str(caught.value)


def test_a_refused_network_leaves_the_precision_of_others_alone():
    half = replace(get("plain20"), precision="mixed_bfloat16")
    with pytest.raises(UserError):
        build(replace(half, arguments={"depth": 17}))
    assert keras.config.dtype_policy().name == "float32"
    model = build(half)
    assert model(PICTURES[:2]).dtype == "float32"
    assert model.layers[1].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"


# How they start


def distinct():
    """The first experiment of each network, leaving dropout aside, and one size of
    picture and one variant of those that come pretrained."""
    aside = ("dropout_", "image_size", "freeze", "weights", "variant")
    found = {}
    for e in EXPERIMENTS.values():
        shape = [item for item in e.arguments if not item[0].startswith(aside)]
        found.setdefault((e.architecture, *shape), e.name)
    return list(found.values())


@pytest.mark.parametrize("name", distinct())
def test_first_loss_is_near_that_of_a_guess(name):
    """Mean over all labels, so that the luck of the draw is out of it. He's spread is
    made for layers of ReLU without max-pooling, which passes on the larger values:
    where no batch norm holds that down, the logits start out larger."""
    model = build(replace(get(name), dropout=0.0))
    features = model.input_shape[1:] == (1280,)
    found = np.resize(PICTURES, (8, 1280)) if features else PICTURES
    logits = np.asarray(model(found, training=True), "float64")
    loss = (np.log(np.exp(logits).sum(axis=1)) - logits.mean(axis=1)).mean()
    normalised = every(layers.BatchNormalization, model)
    assert math.log(100) <= loss < (1.6 if normalised else 3) * math.log(100)


SMALL = ("simple_cnn", "lenet5", "alexnet", "baseline", "vgg16", "plain20")


@pytest.mark.parametrize("name", SMALL)
def test_initial_weights_depend_on_the_seed_only(name):
    keras.utils.set_random_seed(1)
    first = build(get(name), seed=3).get_weights()
    keras.utils.set_random_seed(2)
    again = build(get(name), seed=3).get_weights()
    other = build(get(name), seed=4).get_weights()
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(first, other, strict=True):
        assert np.array_equal(a, b) == (a.ndim == 1)  # kernels are drawn, no others


def test_layers_of_one_shape_start_with_different_weights():
    kernels = [c.kernel.numpy() for c in convolutions(of("plain20"), 3)]
    alike = [k for k in kernels if k.shape == (3, 3, 8, 8)]
    assert len(alike) == 6
    assert len({k.tobytes() for k in alike}) == 6


def test_initial_weights_have_keras_spread():
    kernel = build(get("simple_cnn")).get_layer("features").kernel.numpy()
    limit = np.sqrt(6 / (4096 + 128))  # Glorot & Bengio 2010, equation 16
    assert np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.01)


def test_truncated_normal_weights_have_the_variance_that_he_asks_for():
    wide = {"width": 32}
    model = build(Experiment(name="r", architecture="resnet", arguments=wide))
    kernel = [v for v in model.weights if v.name == "kernel"][-3].numpy()
    fan_in = np.prod(kernel.shape[:-1])
    assert kernel.std() == pytest.approx(np.sqrt(2 / fan_in), rel=0.02)
    assert np.abs(kernel).max() <= 2 * np.sqrt(2 / fan_in) / 0.8796
