"""Both engines see the same pictures, start alike and learn alike."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.on_engine import RECIPES, TRANSFORMS

pytestmark = pytest.mark.data
ENGINES = ("tensorflow", "jax")
EXACT = ("flip", "alternating_flip", "crop", "cutout", "cutmix")  # no arithmetic
SCRIPT = Path(__file__).with_name("on_engine.py")


def start(engine, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=SCRIPT.parent.parent,
        env={**os.environ, "KERAS_BACKEND": engine, **environment},
    )


def python(engine, code, **environment):
    process = start(engine, "-c", code, **environment)
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return output


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What each engine makes of the same input, by its name."""
    folder = tmp_path_factory.mktemp("engines")
    files = {engine: folder / f"{engine}.npz" for engine in ENGINES}
    running = [start(engine, str(SCRIPT), str(files[engine])) for engine in ENGINES]
    for process in running:
        _, errors = process.communicate(timeout=900)
        assert process.returncode == 0, errors
    return {engine: dict(np.load(file)) for engine, file in files.items()}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_both_engines_see_the_same_pictures(made, name):
    ours, theirs = (made[e][f"pictures/{name}"].astype(int) for e in ENGINES)
    assert np.abs(ours - theirs).max() <= (0 if name in EXACT else 1)
    assert ours.std() > 10


@pytest.mark.parametrize("name", RECIPES)
def test_both_engines_start_from_the_same_weights(made, name):
    keys = [key for key in made["jax"] if key.startswith(f"weights/float32/{name}/")]
    assert len(keys) >= 10
    for key in keys:
        np.testing.assert_array_equal(*(made[engine][key] for engine in ENGINES))


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize(
    ("precision", "tolerance"), [("float64", 1e-8), ("float32", 1e-3)]
)
def test_both_engines_lose_the_same_in_twenty_steps(made, name, precision, tolerance):
    ours, theirs = (made[e][f"losses/{precision}/{name}"] for e in ENGINES)
    assert ours.shape == (20,)
    assert ours.dtype == theirs.dtype == precision
    assert ours.std() > 0.01, "nothing was learnt, so nothing was compared"
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("what", ["correct", "logits", "statistics"])
def test_both_engines_say_the_same_after_twenty_steps(made, name, what):
    """Counts, logits, and logits with batch-norm statistics of one batch."""
    ours, theirs = (made[e][f"{what}/float64/{name}"] for e in ENGINES)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    "settings",
    [
        """architecture="lenet5", augmentation=("flip", "crop"), dropout=0.3,
        schedule="cosine", weight_decay=0.1""",
        """architecture="fast", augmentation=("alternating_flip",), optimizer="muon",
        arguments={"filters": (8, 8, 8), "inner": (8, 8, 8)},
        image_sizes=((16, 0.34), (32, 1))""",  # two sizes within the epoch
    ],
    ids=["dropout", "two sizes"],
)
def test_a_whole_epoch_in_one_program_is_the_same_as_step_by_step(settings):
    """On a GPU the loop over the steps is compiled too."""
    code = f"""
import numpy as np
import cifar100.models
from cifar100 import data
from cifar100.experiments import Experiment
from cifar100.training.engine import create
from cifar100.training.plan import plan_epoch

experiment = Experiment(name="one", batch_size=8, label_smoothing=0.1, {settings})
split = data.load("train")
images, labels = split.images[:24], split.fine[:24]
plan = plan_epoch(experiment, 0, 1, images=24, epochs=2)
engine = create(experiment, 1)
assert not engine._loop
results = []
for engine._loop in (False, True):
    engine.start(0)
    engine.seed_dropout(0, 1)
    losses, correct = engine.train_epoch(images, labels, plan)
    results.append([losses, correct, *engine.weights()])
for one, other in zip(*results, strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
print(len(losses), len(results[0]) - 2 == len(engine.model.weights))
"""
    assert python("jax", code).split() == ["3", "True"]


def test_recipes_that_differ_in_numbers_share_a_program():
    code = """
import json
from cifar100.experiments import Experiment
from cifar100.training.engine import create

base = {"architecture": "baseline", "arguments": {"filters": (8,)}, "dropout": 0.1,
        "label_smoothing": 0.1, "weight_decay": 0.1}
changes = {
    "as it is": {}, "rate": {"learning_rate": 0.1}, "dropout": {"dropout": 0.5},
    "smoothing": {"label_smoothing": 0.2}, "decay": {"weight_decay": 0.5},
    "epochs": {"epochs": 3}, "schedule": {"schedule": "cosine"},
    "no dropout": {"dropout": 0.0}, "flip": {"augmentation": ("flip",)},
    "optimizer": {"optimizer": "sgd"}, "batch": {"batch_size": 64},
}
keys = {}
for name, change in changes.items():
    engine = create(Experiment(name="shared", **(base | change)), 1)
    keys[name] = {k: p.as_text() for k, p in engine.lowered().items()}
print(json.dumps(keys))
"""
    texts = json.loads(python("jax", code))
    one = texts.pop("as it is")
    same = {name for name, other in texts.items() if other["step"] == one["step"]}
    assert same == {"rate", "dropout", "smoothing", "decay", "epochs", "schedule"}
    forward = {name for name, o in texts.items() if o["inference"] == one["inference"]}
    assert forward == texts.keys() - {"no dropout"}, "recipes share evaluation"


def test_a_dropout_rate_given_to_a_program_draws_the_masks_of_a_plain_number():
    code = """
import jax, numpy as np
from cifar100.models.layers import Dropout, SpatialDropout2D
from keras import ops

images = np.random.default_rng(0).normal(size=(4, 6, 6, 8)).astype("float32")
for kind in (Dropout, SpatialDropout2D):
    layer = kind(0.3, seed=1)
    state = np.array(layer.seed_generator.state.value)
    plain = np.array(layer(images, training=True))
    layer.seed_generator.state.assign(state)

    def masked(rate):
        layer.rate = rate
        return layer(images, training=True)

    given = np.array(jax.jit(masked)(0.3))
    np.testing.assert_allclose(plain, given, rtol=1e-6)
    print((given == 0).mean() > 0.1)
"""
    assert python("jax", code).split() == ["True", "True"]


def test_the_jax_engine_loads_no_tensorflow():
    code = "import sys, cifar100.training.jax; print('tensorflow' in sys.modules)"
    assert python("jax", code).split() == ["False"]


def test_both_engines_have_the_same_gradients():
    code = """
import json
import numpy as np
from cifar100 import data, models
from cifar100.experiments import Experiment
from cifar100.training.gradients import loss_and_gradients
from cifar100.training.losses import cross_entropy

split = data.load("train")
images = (split.images[:32] / np.float32(255) - data.MEAN) / data.STD
labels = np.array(split.fine[:32], "int32")
network = models.build(Experiment(name="g", architecture="baseline"))

def loss_of(network):
    return cross_entropy(labels, network(images, training=True))

before = network.get_weights()
loss, gradients = loss_and_gradients(network, loss_of)
for one, other in zip(before, network.get_weights(), strict=True):
    np.testing.assert_array_equal(one, other)
print(json.dumps([loss, [float(np.linalg.norm(g)) for g in gradients]]))
"""
    ours, theirs = (json.loads(python(engine, code)) for engine in ENGINES)
    assert len(ours[1]) == len(theirs[1]) > 10
    assert ours[0] == pytest.approx(theirs[0], rel=1e-5)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-2)


def test_many_networks_in_one_process_are_nothing_that_tensorflow_warns_of():
    code = """
import cifar100.models  # loads the engine quietly
import numpy as np
from cifar100.data import Split
from cifar100.experiments import Experiment
from cifar100.training.engine import create
from cifar100.training.first_step import first_step_loss

split = Split(np.zeros((64, 32, 32, 3), "uint8"), *np.zeros((2, 64), "int64"))
small = Experiment(name="small", architecture="simple_cnn", batch_size=64)
for _ in range(7):
    first_step_loss(create(small, 1), split)
"""
    process = start("tensorflow", "-c", code)
    _, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (0, "")
