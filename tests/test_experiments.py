"""An experiment is a value with an id; a child changes exactly one setting."""

from dataclasses import replace

import pytest

from cifar100.errors import UserError
from cifar100.experiments import DEFAULTS, EXPERIMENTS, Experiment, child, get

# Every id that a record may carry. A new experiment adds a line; no line ever changes.
IDS = {
    "simple_cnn": "03d5fcf13ce3",
    "simple_cnn_short": "e81a5295901f",
    "simple_cnn_weight_decay": "5d656117a63d",
}

# The defaults that ids leave out: were one to change, old records would be misread.
FROZEN = {
    "arguments": {},
    "augmentation": (),
    "crop_padding": 4,
    "stored_copies": None,
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "momentum": 0.9,
    "weight_decay": 0.0,
    "schedule": "constant",
    "warmup": 0.25,
    "epochs": 20,
    "batch_size": 128,
    "label_smoothing": 0.0,
    "dropout": 0.0,
    "early_stopping": None,
    "precision": "float32",
    "evaluations": (),
}


def test_every_id_is_pinned():
    assert {e.name: e.id for e in EXPERIMENTS.values()} == IDS


def test_defaults_that_ids_leave_out_never_change():
    assert {key: DEFAULTS[key] for key in FROZEN} == FROZEN


def test_a_setting_at_its_default_leaves_the_id_alone():
    """This is what lets a new setting come without making records stale."""
    bare = Experiment(name="a", architecture="simple_cnn")
    spelled = Experiment(name="a", architecture="simple_cnn", **FROZEN)
    assert bare.id == spelled.id


def test_name_and_story_are_not_part_of_the_id():
    base = get("simple_cnn")
    told = replace(base, name="other", claim="new words", seeds=3, kind="confirmatory")
    assert told.id == base.id


def test_every_setting_is_part_of_the_id():
    base = get("simple_cnn")
    changes = {
        "architecture": "resnet",
        "arguments": {"filters": (8, 8)},
        "augmentation": ("flip",),
        "crop_padding": 2,
        "stored_copies": 3,
        "optimizer": "sgd",
        "learning_rate": 5e-4,
        "momentum": 0.8,
        "weight_decay": 0.3,
        "schedule": "cosine",
        "warmup": 0.1,
        "epochs": 7,
        "batch_size": 64,
        "label_smoothing": 0.1,
        "dropout": 0.5,
        "early_stopping": 3,
        "precision": "mixed_bfloat16",
        "evaluations": ("flip_tta",),
    }
    ids = {key: child(base, "x", **{key: value}).id for key, value in changes.items()}
    assert changes.keys() == {"architecture", *DEFAULTS}
    assert len({base.id, *ids.values()}) == len(changes) + 1


def test_a_child_changes_one_setting():
    base = get("simple_cnn")
    with pytest.raises(UserError, match="change one setting"):
        child(base, "x", epochs=3, learning_rate=1e-4)
    with pytest.raises(UserError, match="change one setting"):
        child(base, "x", arguments={"filters": (8,), "dense_units": 5})
    with pytest.raises(UserError, match="change one setting"):
        child(base, "x")
    with pytest.raises(UserError, match="has already"):
        child(base, "x", epochs=15)


def test_a_child_keeps_the_other_arguments_of_the_network():
    wide = child(get("simple_cnn"), "wide", arguments={"dense_units": 256})
    both = child(wide, "both", arguments={"filters": (8, 8)})
    assert dict(both.arguments) == {"dense_units": 256, "filters": (8, 8)}
    assert both.parent == "wide"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"optimizer": "adamm"}, "did you mean 'adam'"),
        ({"learning_rate": "fast"}, "learning_rate is a number"),
        ({"learning_rate": -1.0}, "at least 0"),
        ({"epochs": 2.5}, "epochs is an integer"),
        ({"epochs": 0}, "at least 1"),
        ({"dropout": 1.5}, "from 0 to 1"),
        ({"augmentation": ("flop",)}, "did you mean 'flip'"),
        ({"augmentation": "flip"}, "is a tuple"),
        ({"early_stopping": 0}, "at least 1"),
        ({"batch_size": True}, "batch_size is an integer"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(change, words):
    with pytest.raises(UserError, match=words) as caught:
        child(get("simple_cnn"), "x", **change)
    assert "\n" not in str(caught.value)


def test_unknown_experiment_names_the_nearest():
    with pytest.raises(UserError, match="did you mean 'simple_cnn_short'"):
        get("simple_cnn_shrt")


def test_every_parent_is_an_experiment():
    parents = {e.parent for e in EXPERIMENTS.values()} - {None}
    assert parents <= EXPERIMENTS.keys()
