"""The networks of the ladder: their sizes, against published and hand-worked ones."""

import pytest
from keras import layers

from cifar100.experiments import get
from cifar100.models import cost
from tests.networks import convolutions, every, maps, network, of, weights_in

# Sizes, against published ones. The table is in the README of
# github.com/chenyaofo/pytorch-cifar-models: CIFAR-100, millions of parameters and of
# multiply-adds.
VGG = {
    11: (9.80, 153.34),
    13: (9.99, 228.84),
    16: (15.30, 313.77),
    19: (20.61, 398.71),
}
RESNET = {20: (0.28, 40.82), 32: (0.47, 69.13), 44: (0.67, 97.44), 56: (0.86, 125.75)}
# He et al. 2015, table 6, with 10 classes.
PAPER = {20: 0.27, 32: 0.46, 44: 0.66, 56: 0.85}


@pytest.mark.parametrize("depth", VGG)
def test_vgg_has_the_published_size_and_cost(depth):
    """The table's convolutions have biases besides, one for each filter."""
    model = network("vgg", depth=depth)
    biases = sum(c.filters for c in convolutions(model))
    parameters, macs = VGG[depth]
    assert round((cost.parameters(model) + biases) / 1e6, 2) == parameters
    assert round(cost.macs(model) / 1e6, 2) == macs
    assert len(convolutions(model)) + len(every(layers.Dense, model)) == depth


@pytest.mark.parametrize("depth", RESNET)
def test_resnet_has_the_published_size_and_cost(depth):
    model = network("resnet", depth=depth)
    parameters, macs = RESNET[depth]
    assert round(cost.parameters(model) / 1e6, 2) == parameters
    assert round(cost.macs(model) / 1e6, 2) == macs
    assert len(convolutions(model, 3)) + 1 == depth


@pytest.mark.parametrize("depth", PAPER)
def test_plain_network_has_the_size_that_the_paper_gives(depth):
    """The paper's shortcuts have no weights, so it counts what we call plain."""
    model = network("resnet", 10, depth=depth, shortcuts=False)
    assert round(cost.parameters(model) / 1e6, 2) == PAPER[depth]


def test_resnet18_has_the_published_size_and_cost():
    """11.2 M in the README of github.com/weiaicunzai/pytorch-cifar100; 556 M MACs."""
    model = network("resnet", depth=18)
    assert round(cost.parameters(model) / 1e6, 1) == 11.2
    assert cost.macs(model) / 1e6 == pytest.approx(556, abs=1)
    assert len(convolutions(model, 3)) + 1 == 18


def test_lenet5_has_61706_parameters_with_one_channel_and_ten_classes():
    """From three channels to one: two 5x5 planes less in each of six filters."""
    grey = cost.parameters(network("lenet5", 10)) - 2 * 5 * 5 * 6
    first, second = (5 * 5 * 1 + 1) * 6, (5 * 5 * 6 + 1) * 16
    dense = (5 * 5 * 16 + 1) * 120 + (120 + 1) * 84 + (84 + 1) * 10
    assert grey == first + second + dense == 61_706


def test_convolutions_of_alexnet_have_the_usual_count_but_for_the_first_kernel():
    """Without groups, AlexNet's convolutions have 3,747,200 parameters; its first
    kernel is 11x11, ours 5x5."""
    ours = weights_in(convolutions(network("alexnet", dense_units=(8,))))
    assert ours + (11**2 - 5**2) * 3 * 96 == 3_747_200


def test_simple_cnn_has_the_size_and_cost_counted_by_hand():
    model = of("simple_cnn")
    first, second = (3 * 3 * 3 + 1) * 32, (3 * 3 * 32 + 1) * 64
    dense = (8 * 8 * 64 + 1) * 128 + (128 + 1) * 100
    assert cost.parameters(model) == first + second + dense
    first, second = 32 * 32 * (3 * 3 * 3) * 32, 16 * 16 * (3 * 3 * 32) * 64
    assert cost.macs(model) == first + second + 8 * 8 * 64 * 128 + 128 * 100


# Multiply-adds


def test_macs_of_lenet5_are_those_counted_by_hand():
    first, second = 28 * 28 * (5 * 5 * 3) * 6, 10 * 10 * (5 * 5 * 6) * 16
    dense = 5 * 5 * 16 * 120 + 120 * 84 + 84 * 100
    assert cost.macs(of("lenet5")) == first + second + dense


@pytest.mark.parametrize("pool_size", [2, 3])
def test_macs_of_alexnet_are_those_counted_by_hand(pool_size):
    filters = (16, 32, 48, 48, 32)
    model = network("alexnet", filters=filters, dense_units=(8,), pool_size=pool_size)
    kernels, sides = (5, 5, 3, 3, 3), (32, 16, 8, 8, 8)
    by_layer = zip(sides, kernels, (3, *filters), filters, strict=False)
    expected = sum((side * kernel) ** 2 * a * b for side, kernel, a, b in by_layer)
    assert cost.macs(model) == expected + 4 * 4 * 32 * 8 + 8 * 100


@pytest.mark.parametrize("shortcuts", [True, False])
def test_macs_of_resnet20_are_those_counted_by_hand(shortcuts):
    """A stage costs the same as the one before: half the side, twice the filters; only
    the convolution that halves the side has half the channels to look at."""
    whole = 32**2 * 3**2 * 16 * 16
    main = 32**2 * 3**2 * 3 * 16 + 6 * whole + 2 * 5.5 * whole + 64 * 100
    projections = 2 * whole / 9 / 2 if shortcuts else 0
    model = network("resnet", depth=20, shortcuts=shortcuts)
    assert cost.macs(model) == main + projections


@pytest.mark.parametrize(
    "name", ["simple_cnn", "lenet5", "alexnet", "baseline", "vgg16", "resnet20"]
)
def test_macs_agree_with_tensorflows_profiler(name):
    """It counts every operation of the graph, so a little more than ours."""
    import tensorflow as tf

    model = of(name)
    signature = tf.TensorSpec((1, 32, 32, 3))
    graph = tf.function(lambda x: model(x)).get_concrete_function(signature).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    found = tf.compat.v1.profiler.profile(graph, options=options | {"output": "none"})
    assert 1 <= found.total_float_ops / 2 / cost.macs(model) < 1.05


def test_families_that_are_compared_at_equal_cost_cost_the_same():
    base = cost.macs(of("baseline"))
    assert cost.macs(of("dropout_after")) == base
    for name in (
        "baseline_deeper_smaller",
        "baseline_wider_shallower",
        "filters_from_8",
        "filters_from_32",
    ):
        assert cost.macs(of(name)) == pytest.approx(base, rel=0.02), name
        assert cost.macs(of(get(name).parent)) == base


# Maps


def test_alexnets_maps_have_one_size_with_and_without_overlap():
    for pool_size in 2, 3:
        model = network("alexnet", dense_units=(8,), pool_size=pool_size)
        pools = every(layers.MaxPooling2D, model)
        assert {pool.pool_size for pool in pools} == {(pool_size, pool_size)}
        assert maps(layers.MaxPooling2D, model) == [(16, 16), (8, 8), (4, 4)]


def test_vgg_ends_at_one_pixel_and_at_two_without_its_last_block():
    ends = [maps(layers.MaxPooling2D, of(f"vgg{n}"))[-1] for n in (13, 16, 19)]
    assert ends == [(1, 1)] * 3
    shorter = of("vgg16_less_block")
    assert maps(layers.MaxPooling2D, shorter)[-1] == (2, 2)
    assert [c.filters for c in convolutions(shorter)] == [
        c.filters for c in convolutions(of("vgg16"))[:10]
    ]


@pytest.mark.parametrize(("depth", "side", "channels"), [(20, 8, 32), (18, 4, 64)])
def test_resnet_halves_its_maps_from_stage_to_stage(depth, side, channels):
    last = network("resnet", depth=depth, width=8).get_layer("features").input
    assert last.shape[1:] == (side, side, channels)
