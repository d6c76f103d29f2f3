"""One network over several devices loses what it loses on one."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from cifar100 import paths

pytestmark = pytest.mark.data
DEVICES, STEPS, BATCH = 8, 10, 32
# Batch norm, shortcuts, dropout, mixed pictures: whatever could see a part of a batch.
CODE = f"""
import json
import numpy as np
from tests.on_engine import compute_in
from cifar100 import data
from cifar100.experiments import Experiment
from cifar100.training.engine import create
from cifar100.training.plan import plan_epoch

split = data.load("train")
images, labels = split.images[: {STEPS * BATCH}], split.fine[: {STEPS * BATCH}]
found = {{}}
for precision in ("float64", "float32"):
    compute_in(precision)
    experiment = Experiment(
        name="spread", architecture="baseline", dropout=0.25, batch_size={BATCH},
        arguments={{"batch_norm": "after_activation", "shortcut": True}},
        augmentation=("flip", "crop", "cutmix"), label_smoothing=0.125,
        weight_decay=2**-7, learning_rate=2**-10,
    )
    object.__setattr__(experiment, "precision", precision)
    engine = create(experiment, 1)
    engine.start(3)
    engine.seed_dropout(3, 1)
    plan = plan_epoch(experiment, 3, 1, images=len(images), epochs=1)
    losses, correct = engine.train_epoch(images, labels, plan)
    engine.batch_statistics(images[:{BATCH}])
    found[precision] = {{
        "losses": losses.tolist(),
        "correct": correct.tolist(),
        "logits": engine.logits(images[:70]).tolist(),
    }}
weights = [variable.value for variable in engine.model.weights]
found["devices"] = sorted({{len(value.sharding.device_set) for value in weights}})
found["described"] = engine.device.get("count", 1)
print(json.dumps(found))
"""


def start(devices):
    flags = f"--xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, "-c", CODE],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True},
        cwd=paths.package_root(),
        env=os.environ | {"KERAS_BACKEND": "jax", "XLA_FLAGS": flags},
    )


@pytest.fixture(scope="module")
def made():
    """What came out on one device, and on eight that are virtual."""
    found = []
    for process in [start(1), start(DEVICES)]:
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        found.append(json.loads(output.splitlines()[-1]))
    return found


def test_every_device_holds_the_weights(made):
    assert [each["devices"] for each in made] == [[1], [DEVICES]]
    assert [each["described"] for each in made] == [1, DEVICES]


@pytest.mark.parametrize(
    ("precision", "tolerance"), [("float64", 1e-10), ("float32", 1e-3)]
)
@pytest.mark.parametrize("what", ["losses", "correct", "logits"])
def test_eight_devices_get_what_one_gets(made, precision, tolerance, what):
    """In float32 sums of another order differ, and training doubles the difference
    every few steps: logits after ten of them are not compared so closely."""
    one, eight = (np.array(each[precision][what]) for each in made)
    if precision == "float32" and what != "losses":
        tolerance = 1 if what == "correct" else 0.05
    assert one.shape == eight.shape
    assert one.std() > 0.01, "nothing happened, so nothing was compared"
    np.testing.assert_allclose(one, eight, rtol=0, atol=tolerance)


def test_as_many_devices_as_divide_a_batch_are_used():
    code = """
from cifar100.training.devices import Devices
for size in (128, 100, 7):
    devices = Devices(size)
    print(devices.count, devices.multiple(500))
"""
    flags = f"--xla_force_host_platform_device_count={DEVICES}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        **{"capture_output": True, "text": True, "check": False, "timeout": 120},
        env=os.environ | {"KERAS_BACKEND": "jax", "XLA_FLAGS": flags},
    )
    assert done.stdout.split() == ["8", "504", "5", "500", "7", "504"], done.stderr
