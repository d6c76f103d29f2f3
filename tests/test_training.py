"""A run is decided by its seed, survives a kill, and scores every image."""

import json
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import data, records
from cifar100.errors import UserError, WorkError
from cifar100.experiments import Experiment
from cifar100.training import checkpoint, environment, loop
from cifar100.training.engine import create
from cifar100.training.evaluations import average
from cifar100.training.first_step import first_step_loss
from cifar100.training.loop import train
from cifar100.training.plan import plan_epoch
from cifar100.training.schedules import learning_rates

pytestmark = pytest.mark.data

# Everything that a resume could lose: batch norm, dropout, momentum, augmentation,
# a schedule, averaged weights.
EVERYTHING = {
    "architecture": "baseline",  # a deep network takes JAX a minute to compile
    "arguments": {"filters": (8, 16), "dense_units": 32},
    "augmentation": ("flip", "crop"),
    "optimizer": "sgd",
    "learning_rate": 0.05,
    "weight_decay": 1e-4,
    "schedule": "one_cycle",
    "label_smoothing": 0.1,
    "dropout": 0.3,
    "epochs": 2,
    "evaluations": (
        "weight_average",
        "flip_tta",
        "batch_norm_reestimated",
        "dropout_averaged",
    ),
}
everything = Experiment(name="everything", **EVERYTHING)
small = Experiment(name="small", architecture="simple_cnn", epochs=2)

SCRIPT = f"""
import json
import os
import signal
import sys
import threading
from cifar100.experiments import Experiment
from cifar100.training import loop
from cifar100.training.loop import plan_epoch, train

def say(experiment, seed, row):
    print("epoch", row["epoch"], flush=True)

def plan_and_die(experiment, seed, epoch, **amounts):
    if epoch == 2:  # soon, in the middle of it
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return plan_epoch(experiment, seed, epoch, **amounts)

if "die" in sys.argv:
    loop.plan_epoch = plan_and_die
experiment = Experiment(name="everything", **{EVERYTHING!r})
run, = train(experiment, [3], profile="smoke", on_epoch=say, checkpoint_seconds=0)
keys = "weights_sha256", "resumed", "fingerprint"
facts = {{key: run.facts[key] for key in keys}}
drop = "seconds", "evaluation_seconds"
rows = [{{k: v for k, v in row.items() if k not in drop}} for row in run.history]
val = {{key: value.tolist() for key, value in run.val.items()}}
print(json.dumps([facts, rows, run.metrics, run.evaluations, val]))
"""


def script(home, engine, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "CIFAR100_HOME": str(home), "KERAS_BACKEND": engine},
    )


@pytest.mark.parametrize("engine", ["tensorflow", "jax"])
def test_killed_run_resumes_to_the_same_weights_and_record(home_with_data, engine):
    output, _ = script(home_with_data, engine).communicate()
    undisturbed = json.loads(output.splitlines()[-1])

    victim = script(home_with_data, engine, "die")
    output, _ = victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    assert output == "epoch 1\n"

    output, _ = script(home_with_data, engine).communicate()
    assert "epoch 1" not in output, "it started over in place of going on"
    resumed = json.loads(output.splitlines()[-1])
    assert (undisturbed[0].pop("resumed"), resumed[0].pop("resumed")) == (0, 1)
    assert resumed == undisturbed
    assert not list((home_with_data / ".cache/checkpoints").glob("*"))


def test_each_run_is_handed_over_when_it_is_done(home_with_data):
    events = []
    runs = train(
        small,
        [0, 1],
        profile="smoke",
        on_epoch=lambda _, seed, row: events.append((seed, row["epoch"])),
        on_run=lambda run: events.append(run),
    )
    assert events == [(0, 1), (0, 2), runs[0], (1, 1), (1, 2), runs[1]]


def test_a_run_that_cannot_go_on_leaves_the_other_seeds_alone(
    home_with_data, monkeypatch
):
    def plan(experiment, seed, epoch, **amounts):
        if seed == 1:
            raise WorkError("seed 1: the loss is nan")
        return plan_epoch(experiment, seed, epoch, **amounts)

    monkeypatch.setattr(loop, "plan_epoch", plan)
    done = []
    with pytest.raises(WorkError, match="seed 1: the loss is nan"):
        train(small, [0, 1, 2], profile="smoke", on_run=done.append)
    assert [run.seed for run in done] == [0, 2]


def test_a_run_states_the_commit_of_the_code_that_was_loaded(
    home_with_data, monkeypatch
):
    """Not the one that is checked out when it ends, hours later."""
    monkeypatch.setattr(environment, "commit", lambda: {"commit": "later"})
    (run,) = train(small, [0], profile="smoke")
    described = records.describe(run, {}, exclusive=False)
    assert described["commit"] == loop.CODE["commit"] != "later"


def test_same_seed_same_run_and_another_seed_another(home_with_data):
    first, other, again = train(small, [0, 1, 0], profile="smoke")
    assert first.facts["weights_sha256"] == again.facts["weights_sha256"]
    assert first.facts["weights_sha256"] != other.facts["weights_sha256"]
    np.testing.assert_array_equal(first.val["rank"], again.val["rank"])


def test_our_loop_gives_the_losses_of_keras_fit(home_with_data):
    """Same weights, same batches: 20 steps of Keras' own and of the engine."""
    experiment = Experiment(name="fit", architecture="simple_cnn")
    split = data.load("train")
    images, labels = np.array(split.images[:2560]), np.array(split.fine[:2560])
    engine = create(experiment, 2)
    engine.start(7)
    plan = plan_epoch(experiment, 7, 1, images=len(images), epochs=20)
    ours, _ = engine.train_epoch(images, labels, plan)

    engine.start(7)
    inputs = (images / np.float32(255) - data.MEAN) / data.STD
    engine.model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    theirs = [
        engine.model.train_on_batch(inputs[batch], labels[batch])
        for batch in plan.order
    ]
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def test_every_image_of_val_is_scored(home_with_data):
    """200 images are no multiple of the evaluation batch."""
    engine = create(small, 2)
    engine.start(0)
    images = data.load("val").images[:703]
    whole = engine.logits(images)
    assert whole.shape == (703, 100)
    np.testing.assert_allclose(whole[650:], engine.logits(images[650:]), atol=1e-5)


def test_evaluations_say_what_they_name(home_with_data):
    run = train(everything, [0], profile="smoke")[0]
    assert set(run.evaluations) == set(everything.evaluations)
    for figures in run.evaluations.values():
        assert 0 <= figures["top1"] <= figures["top5"] <= 1
        assert figures["loss"] != run.metrics["val_loss"]


def test_evaluations_leave_the_network_as_it_was(home_with_data):
    plain = Experiment(name="plain", **{**EVERYTHING, "evaluations": ()})
    with_them = train(everything, [0], profile="smoke")[0]
    without = train(plain, [0], profile="smoke")[0]
    assert with_them.facts["weights_sha256"] == without.facts["weights_sha256"]
    assert with_them.metrics == without.metrics


def test_dropout_masks_differ_between_epochs_and_seeds(home_with_data):
    experiment = Experiment(name="d", architecture="simple_cnn", dropout=0.5)
    engine = create(experiment, 2)
    engine.start(0)
    images = data.load("val").images[:50]
    found = []
    for entropy in ((0, 1), (0, 1), (0, 2), (1, 1)):
        engine.seed_dropout(*entropy)
        found.append(engine.logits(images, "dropout"))
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.allclose(found[0], found[2])
    assert not np.allclose(found[0], found[3])


def test_diverging_run_ends_with_one_line(home_with_data):
    wild = Experiment(
        name="wild", architecture="simple_cnn", optimizer="sgd", learning_rate=1e12
    )
    with pytest.raises(WorkError, match=r"wild, seed 0: the loss is (nan|inf)"):
        train(wild, [0], profile="smoke")


def test_fingerprint_notices_a_changed_recipe(home_with_data):
    split = data.load("train")
    losses = {
        first_step_loss(create(experiment, 2), split)
        for experiment in (
            small,
            Experiment(name="s", architecture="simple_cnn", label_smoothing=0.1),
            Experiment(name="f", architecture="simple_cnn", augmentation=("flip",)),
            Experiment(name="d", architecture="simple_cnn", dropout=0.1),
        )
    }
    assert len(losses) == 4


def test_a_weight_average_is_the_mean_of_the_last_quarter_of_the_epochs():
    mean = None
    for epoch, value in enumerate(range(10, 22), start=1):  # 12 epochs
        mean = average(mean, [np.full(3, float(value))], epoch, 12)
        assert (mean is None) == (epoch < 10)
    np.testing.assert_allclose(mean[0], np.mean([19, 20, 21]))


def test_damaged_checkpoint_counts_as_absent_and_the_one_before_is_used(tmp_path):
    path = tmp_path / "run.checkpoint"
    for number in (1, 2):
        checkpoint.save(path, {"a": np.full(3, number)}, {"epoch": number})
    assert checkpoint.load(path)[1] == {"epoch": 2}
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    arrays, state = checkpoint.load(path)
    assert state == {"epoch": 1}
    np.testing.assert_array_equal(arrays["a"], [1, 1, 1])
    checkpoint.previous(path).write_bytes(b"cut off")
    assert checkpoint.load(path) is None


def test_schedules_rise_and_fall_as_they_say():
    def rates(**settings):
        return learning_rates(
            Experiment(name="s", architecture="simple_cnn", **settings), 100
        )

    assert set(rates()) == {np.float32(1e-3)}
    cosine = rates(schedule="cosine")
    assert cosine[0] == np.float32(1e-3)
    assert cosine[50] == pytest.approx(5e-4)
    assert (np.diff(cosine) < 0).all()
    one = rates(schedule="one_cycle", warmup=0.3)
    assert one.argmax() in (29, 30)
    assert one.max() == pytest.approx(1e-3)
    assert 0 < one[-1] < 2e-5


def test_read_is_no_profile_to_train_in(home_with_data):
    with pytest.raises(UserError, match="unknown profile 'read'"):
        train(small, [0], profile="read")
