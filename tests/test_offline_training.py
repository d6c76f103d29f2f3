"""Training on stored copies, and the leak of augmenting before the split."""

import numpy as np
import pytest

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import augment, data, offline
from cifar100.experiments import Experiment
from cifar100.training.engine import create
from cifar100.training.evaluations import evaluate, unseen_versions
from cifar100.training.loop import train
from cifar100.training.plan import plan_epoch
from cifar100.training.tensorflow import TensorFlowEngine
from tests.stored_copies import IMAGES, SMALL, TRANSFORMS, online, stored

pytestmark = pytest.mark.data


@pytest.fixture
def originals():
    return np.array(data.load("train").images[:IMAGES])


def seen_by(experiment, monkeypatch, **settings):
    """(pictures, plan) of each training epoch of a run, and the run."""
    epochs = []
    train_epoch = TensorFlowEngine.train_epoch

    def spy(engine, images, labels, plan):
        epochs.append((np.array(images), plan))
        return train_epoch(engine, images, labels, plan)

    with monkeypatch.context() as patch:
        patch.setattr(TensorFlowEngine, "train_epoch", spy)
        run = train(experiment, [0], profile="smoke", **settings)[0]
    return epochs[1:], run  # the first is the one step that compiles


def test_offline_takes_the_steps_of_online_on_stored_pictures(
    home_with_data, monkeypatch
):
    fresh, _ = seen_by(online, monkeypatch)
    kept, run = seen_by(stored, monkeypatch)
    made = offline.store(TRANSFORMS, 2, seed=0, images=256)
    images = data.load("train").images[:256]
    assert len(fresh) == len(kept) == 2
    for epoch, ((_, one), (pictures, other)) in enumerate(
        zip(fresh, kept, strict=True), start=1
    ):
        np.testing.assert_array_equal(one.order, other.order)
        np.testing.assert_array_equal(one.learning_rates, other.learning_rates)
        assert one.parameters.keys() == set(TRANSFORMS)
        assert other.parameters == {}, "stored pictures are augmented once more"
        np.testing.assert_array_equal(pictures, made.pictures(images, epoch))
    assert run.facts["stored_set"] == made.manifest


def test_an_interrupted_run_goes_on_to_the_same_weights(home_with_data):
    def interrupt(experiment, seed, row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    undisturbed = train(stored, [0], profile="smoke")[0]
    with pytest.raises(KeyboardInterrupt):
        train(stored, [0], profile="smoke", on_epoch=interrupt, checkpoint_seconds=0)
    resumed = train(stored, [0], profile="smoke")[0]
    assert (undisturbed.facts["resumed"], resumed.facts["resumed"]) == (0, 1)
    assert resumed.facts["weights_sha256"] == undisturbed.facts["weights_sha256"]
    assert resumed.metrics == undisturbed.metrics
    assert resumed.evaluations == undisturbed.evaluations
    assert list((home_with_data / ".cache/offline").glob("*")) == [], (
        "a run is over, and its stored set is left"
    )


# The leak


def test_augmenting_before_the_split_flatters(home_with_data):
    """A network that has learnt 256 pictures by heart, and knows nothing else."""
    leaky = Experiment(
        name="leaky",
        augmentation=("flip",),
        learning_rate=3e-3,
        evaluations=("augmented_before_split", "augmented_after_split"),
        **SMALL,
    )
    split, val = data.load("train"), data.load("val")
    known = data.Split(split.images[:256], split.fine[:256], split.coarse[:256])
    val = data.Split(val.images[:200], val.fine[:200], val.coarse[:200])
    engine = create(leaky, 2)
    engine.start(0)
    for epoch in range(1, 41):
        plan = plan_epoch(leaky, 0, epoch, images=256, epochs=40)
        engine.train_epoch(known.images, known.fine, plan)
    parts = engine.weights(), known, val, lambda scored: scored
    found = evaluate(engine, 0, *parts)
    honest = (engine.logits(val.images).argmax(axis=1) == val.fine).mean()
    assert found["augmented_before_split"]["top1"] > 0.7
    assert honest < 0.2
    changed = engine.logits(unseen_versions(leaky, 0, val.images)).argmax(axis=1)
    fair = found["augmented_after_split"]["top1"]
    assert fair == pytest.approx((changed == val.fine).mean())
    assert fair < 0.2


@pytest.mark.parametrize("experiment", [online, stored], ids=lambda e: e.name)
def test_the_leak_is_measured_on_versions_never_trained_on(experiment, originals):
    unseen = unseen_versions(experiment, 0, originals).astype(int)
    for epoch in range(1, experiment.epochs + (experiment.stored_copies or 0) + 1):
        drawn = augment.draw(TRANSFORMS, IMAGES, 0, epoch, crop_padding=4)
        for parameters in (drawn, offline.draw(TRANSFORMS, IMAGES, 0, epoch)):
            shown = offline.render(originals, parameters)
            assert np.abs(unseen - shown).mean(axis=(1, 2, 3)).min() > 0


def test_the_leak_is_measured_on_pictures_that_keep_their_labels(originals):
    """What mixes pictures is left out, what changes one at a time stays."""
    recipe = ("flip", "crop", "rand_augment", "mixup", "cutmix")
    settings = {**SMALL, "augmentation": recipe}
    unseen = unseen_versions(Experiment(name="mixed", **settings), 0, originals)
    settings["augmentation"] = recipe[:3]
    alone = unseen_versions(Experiment(name="alone", **settings), 0, originals)
    np.testing.assert_array_equal(unseen, alone)
    assert (unseen != originals).any(axis=(1, 2, 3)).mean() > 0.95
