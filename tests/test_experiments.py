"""An experiment is a value with an id; a child changes exactly one setting."""

from dataclasses import replace

import pytest

from cifar100.errors import UserError
from cifar100.experiments import DEFAULTS, EXPERIMENTS, Experiment, child, get
from cifar100.listing import change
from tests.experiment_ids import IDS

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
    "image_sizes": (),
    "images_per_class": None,
    "muon_learning_rate": 0.13,
    "muon_momentum": 0.6,
    "lookahead": None,
    "layer_decay": 1.0,
    "unchanged": 0.0,
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
    base = get("student_set")  # augmented, as some settings ask
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
        "image_sizes": ((20, 0.5), (32, 1)),
        "images_per_class": 5,
        "muon_learning_rate": 0.2,
        "muon_momentum": 0.9,
        "lookahead": 0.95,
        "layer_decay": 0.8,
        "unchanged": 0.25,
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
    wide = child(base, "wide", arguments={"dense_units": 256})
    with pytest.raises(UserError, match="change one setting"):
        child(wide, "x", arguments={})
    with pytest.raises(UserError, match="has already"):
        child(wide, "x", arguments={"dense_units": 256})
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
        ({"learning_rate": -1.0}, "a number above 0"),
        ({"weight_decay": -1.0}, "at least 0"),
        ({"epochs": 2.5}, "epochs is an integer"),
        ({"epochs": 0}, "at least 1"),
        ({"dropout": 1.5}, "from 0 to 1"),
        ({"augmentation": ("flop",)}, "did you mean 'flip'"),
        ({"augmentation": "flip"}, "is a tuple"),
        ({"augmentation": ("flip", "alternating_flip")}, "choose one"),
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


def test_every_child_differs_from_its_parent_in_one_setting():
    differing = {e.name: len(change(e)) for e in EXPERIMENTS.values() if e.parent}
    assert {name: n for name, n in differing.items() if n != 1} == {}


def test_every_row_of_the_ladder_is_there():
    rows = {e.row for e in EXPERIMENTS.values()}
    assert rows >= {f"S{number}" for number in range(1, 20)}


def test_confirmatory_contrasts_are_few_and_have_five_seeds():
    """Holm's correction counts them all, so their number is part of the plan."""
    confirmatory = [e for e in EXPERIMENTS.values() if e.kind == "confirmatory"]
    assert len(confirmatory) <= 20
    for e in confirmatory:
        assert e.seeds == EXPERIMENTS[e.parent].seeds == 5, e.name
        assert e.claim
        assert not e.gpu


def test_no_two_experiments_are_the_same():
    ids = [e.id for e in EXPERIMENTS.values()]
    assert len(set(ids)) == len(ids)
