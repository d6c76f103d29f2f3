"""The network for short training, and what its recipe needs besides."""

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from cifar100 import augment, data, models
from cifar100.augment.geometry import resized
from cifar100.errors import UserError
from cifar100.experiments import Experiment, get
from cifar100.models import cost
from cifar100.models.fast import PatchWhitening
from cifar100.models.initialize import Dirac, initialize
from cifar100.recording import changed
from cifar100.training.muon import orthogonalize
from cifar100.training.optimizers import optimizer
from cifar100.training.plan import plan_epoch

SMALL = {"filters": (16, 24, 32), "inner": (8, 8, 16)}


def recipe(**changes):
    return Experiment(
        **{"name": "test", "architecture": "fast", "arguments": SMALL} | changes
    )


@pytest.mark.data
def test_whitened_patches_have_unit_variance_and_no_correlation():
    images = data.load("train").images[:500]
    layer = PatchWhitening(24, 2)
    layer.build((None, None, None, 3))
    layer.start_from(images)
    found = layer(augment.standardize(images, data.MEAN, data.STD))
    found = keras.ops.convert_to_numpy(found).reshape(-1, 24)
    covariance = np.cov(found[:, :12], rowvar=False)
    # What little variance the last directions have, the epsilon keeps small.
    assert np.allclose(covariance - np.diag(np.diag(covariance)), 0, atol=2e-3)
    assert np.diag(covariance)[:6] == pytest.approx(np.ones(6), abs=0.1)
    assert np.diag(covariance).max() < 1.01
    assert np.allclose(found[:, :12], -found[:, 12:], atol=1e-4)


def test_the_whitening_kernel_stays_and_its_bias_learns():
    model = models.build(recipe())
    (layer,) = (x for x in model.layers if isinstance(x, PatchWhitening))
    trained = {id(v) for v in model.trainable_variables}
    assert id(layer.kernel) not in trained
    assert id(layer.bias) in trained
    with_kernel = models.build(recipe(arguments=SMALL | {"whitening": False}))
    lacking = cost.parameters(with_kernel) - cost.parameters(model)
    assert lacking == 2 * 2 * 3 * 24


@pytest.mark.data
def test_initial_weights_take_the_images_and_nothing_else_does():
    model, images = models.build(recipe()), data.load("train").images[:50]
    plain = [np.array(w) for w in model.weights]
    initialize(model, 0, images)
    changed = [
        w.path
        for w, old in zip(model.weights, plain, strict=True)
        if not np.array_equal(w, old)
    ]
    (path,) = changed
    assert "patch_whitening" in path
    assert path.endswith("kernel")


@pytest.mark.parametrize("kernel_size", [1, 2, 3])
def test_convolutions_start_as_the_identity(kernel_size):
    layer = layers.Conv2D(5, kernel_size, padding="same", use_bias=False)
    images = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype("float32")
    layer.build(images.shape)
    drawn = np.random.default_rng(1).normal(size=layer.kernel.shape)
    layer.kernel.assign(Dirac().over(drawn).astype("float32"))
    found = keras.ops.convert_to_numpy(layer(images))
    assert np.allclose(found[..., :3], images, atol=1e-6)
    assert not np.allclose(found[..., 3:], 0, atol=0.1)


def test_cost_is_that_counted_by_hand_at_every_size():
    model = models.build(recipe())

    def by_hand(side):
        first = side - 1  # a 2x2 window without padding
        total = first**2 * 12 * 24
        channels, kernels = 24, ((3, 1, 1), (3, 3, 1), (2, 3, 3))
        stages = zip(SMALL["filters"], SMALL["inner"], kernels, strict=True)
        for count, middle, (a, b, c) in stages:
            total += first**2 * a**2 * channels * count
            first //= 2
            total += first**2 * (b**2 * count * middle + c**2 * middle * count)
            channels = count
        return total + channels * 100

    assert [cost.macs(model, side) for side in (16, 20, 24, 32)] == [
        by_hand(side) for side in (16, 20, 24, 32)
    ]


@pytest.mark.parametrize("shape", [(40, 8), (8, 40), (12, 12)])
def test_orthogonalized_matrices_have_singular_values_near_one(shape):
    matrix = np.random.default_rng(0).normal(size=shape).astype("float32")
    found = keras.ops.convert_to_numpy(orthogonalize(matrix, steps=5))
    # Muon's coefficients trade exactness for speed: they end between 0.7 and 1.2.
    spread = np.linalg.svd(found, compute_uv=False)
    assert spread.min() > 0.6
    assert spread.max() < 1.25
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    aligned = np.trace(found.T @ (left @ right)) / len(spread)
    assert aligned == pytest.approx(spread.mean(), abs=0.01)


@pytest.mark.parametrize("shape", [(90, 30), (30, 90)])
def test_orthogonalized_in_half_precision_it_points_the_same_way(shape):
    matrix = np.random.default_rng(0).normal(size=shape).astype("float32")
    exact, half = (
        keras.ops.convert_to_numpy(keras.ops.cast(orthogonalize(matrix, t), "float32"))
        for t in (None, "bfloat16")
    )
    assert not np.array_equal(exact, half)
    lengths = np.linalg.norm(exact) * np.linalg.norm(half)
    assert (exact * half).sum() / lengths > 0.999


def test_one_multiplication_gives_what_the_plain_iteration_gives():
    matrix = np.random.default_rng(0).normal(size=(10, 30))
    found = keras.ops.convert_to_numpy(orthogonalize(matrix.astype("float32")))
    plain = matrix / np.linalg.norm(matrix)
    for _ in range(3):
        gram = plain @ plain.T
        plain = 3.4445 * plain + (-4.7750 * gram + 2.0315 * gram @ gram) @ plain
    assert np.allclose(found, plain, atol=1e-5)


def test_muon_turns_kernels_of_convolutions_and_leaves_the_rest_to_sgd():
    rates = {"learning_rate": 0.5, "muon_learning_rate": 0.1, "muon_momentum": 0.6}
    settings = {name: rates[name] for name in rates} | {"momentum": 0.9}
    model, other = models.build(recipe()), models.build(recipe())
    generator = np.random.default_rng(0)
    steps = [
        [generator.normal(size=v.shape) for v in model.trainable_variables]
        for _ in range(2)
    ]
    chosen = {
        name: optimizer(recipe(optimizer=name, **settings), network)
        for name, network in (("muon", model), ("sgd", other))
    }
    for gradients in steps:
        for name, network in (("muon", model), ("sgd", other)):
            values = [keras.ops.convert_to_tensor(g, "float32") for g in gradients]
            chosen[name].apply(values, network.trainable_variables)
    pairs = zip(model.trainable_variables, other.trainable_variables, strict=True)
    for ours, sgd in pairs:
        same = np.allclose(ours, sgd, atol=1e-6)
        assert same == (len(ours.shape) != 4), ours.path


def test_muon_keeps_the_norm_of_a_kernel_and_steps_by_its_rate():
    variable = keras.Variable(np.full((3, 3, 4, 16), 0.3, "float32"))
    settings = {"optimizer": "muon", "learning_rate": 0.8, "muon_learning_rate": 0.1}

    class One:
        trainable_variables = (variable,)

    chosen = optimizer(recipe(**settings), One)
    gradient = np.random.default_rng(0).normal(size=variable.shape).astype("float32")
    start = np.array(variable)
    chosen.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    restored = start * 4.0 / np.linalg.norm(start)
    step = (restored - np.array(variable)) / 0.1
    spread = np.linalg.svd(step.reshape(-1, 16), compute_uv=False)
    assert spread.max() < 1.3
    assert spread.min() > 0.3


def test_lookahead_goes_on_from_slow_weights_every_fifth_step():
    """Slow weights start where the first step ends, and move in every fifth only."""
    variable = keras.Variable(np.zeros(1, "float32"))

    class One:
        trainable_variables = (variable,)

    settings = {"optimizer": "sgd", "learning_rate": 1.0, "momentum": 0.0}
    chosen = optimizer(recipe(lookahead=0.25, **settings), One)
    seen = []
    for _ in range(10):
        chosen.apply([keras.ops.convert_to_tensor([-1.0])], [variable])
        seen.append(float(variable[0]))
    fifth = 0.25 * 1 + 0.75 * 5
    tenth = 0.25 * fifth + 0.75 * (fifth + 5)
    assert seen == pytest.approx(
        [1, 2, 3, 4, fifth, *(fifth + step for step in range(1, 5)), tenth]
    )


def test_each_picture_is_flipped_every_other_epoch():
    order = augment.order(200, 3, 1), augment.order(200, 3, 2), augment.order(200, 3, 3)
    seen = []
    for epoch, images in enumerate(order, start=1):
        drawn = augment.draw(
            ("alternating_flip",), 200, 3, epoch, crop_padding=2, images=images
        )
        flipped = np.empty(200, bool)
        flipped[images] = drawn["flip"]
        seen.append(flipped)
    assert (seen[0] ^ seen[1]).all()
    assert (seen[0] == seen[2]).all()
    assert 60 < seen[0].sum() < 140


@pytest.mark.data
@pytest.mark.parametrize("side", [16, 20, 24, 28])
def test_smaller_pictures_are_those_of_pillow(side):
    images = data.load("train").images[:20]
    found = resized(images, augment.resizing_matrix(side))
    for image, picture in zip(images, np.array(found), strict=True):
        size, way = (side, side), Image.Resampling.BILINEAR
        expected = np.asarray(Image.fromarray(image).resize(size, way), float)
        assert np.abs(picture - expected).max() < 1.5  # it rounds twice


def test_sizes_change_after_their_share_of_the_steps():
    sizes = ((16, 0.25), (24, 0.7), (32, 1))
    experiment = recipe(image_sizes=sizes, epochs=2, batch_size=10)
    plans = [plan_epoch(experiment, 0, e, images=100, epochs=2) for e in (1, 2)]
    assert [p.image_sizes.tolist() for p in plans] == [
        [16] * 5 + [24] * 5,
        [24] * 4 + [32] * 6,
    ]
    parts = [part for plan in plans for part in plan.parts()]
    assert [len(part.order) for part in parts] == [5, 5, 4, 6]
    resized = [part.parameters.get("resize") for part in parts]
    sides = [None if matrix is None else matrix.shape[-2] for matrix in resized]
    assert sides == [16, 24, 24, None]
    together = np.concatenate([part.order for part in parts])
    assert np.array_equal(together, np.concatenate([p.order for p in plans]))


def test_sizes_can_be_given_on_the_command_line():
    asked = changed(get("fast"), "image_sizes=[[20, 0.5], [32, 1]]")
    assert asked.image_sizes == ((20, 0.5), (32, 1))


@pytest.mark.parametrize(
    "sizes",
    [((20, 0.5),), ((20, 0.5), (24, 0.4), (32, 1)), ((4, 1),), ((20,),), (20, 1)],
)
def test_sizes_that_no_run_could_have_are_refused(sizes):
    with pytest.raises(UserError, match="image_sizes are pairs of a side from 9 to 32"):
        recipe(image_sizes=sizes)
