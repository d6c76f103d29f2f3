"""Changed code of a network is found by the fingerprints in its records."""

import numpy as np
import pytest

import cifar100.models  # noqa: F401  (loads the engine quietly, before Keras)
from cifar100 import checking, data
from cifar100.cli import main
from cifar100.experiments import get
from cifar100.training import first_step, inputs
from cifar100.training.engine import create
from tests import packed_records
from tests.packed_records import store

pytestmark = pytest.mark.data
HERE = {"engine": "tensorflow", "threads": {"intra": 2}}


@pytest.fixture
def true(home_with_data, monkeypatch):
    """The fingerprint of lenet5; predictions fit the labels."""
    labels = np.asarray(data.load("val").fine)
    monkeypatch.setattr(packed_records, "VAL", packed_records.scored(5000, labels))
    experiment = get("lenet5")
    return first_step.fingerprint(
        create(experiment, 2), inputs.load(experiment, "train")
    )


def test_a_changed_network_is_named_with_what_changed(true):
    loss = true["first_step_loss"]
    changes = [
        {},
        {"parameters": true["parameters"] + 1},
        {"macs": true["macs"] - 1},
        {"first_step_loss": loss * 1.001},
    ]
    for seed, change in enumerate(changes):
        store("lenet5", seed, **HERE, fingerprint=true | change)
    # Another engine adds up in another order: its loss is not compared.
    other = HERE | {"engine": "jax"}
    store("lenet5", 4, **other, fingerprint=true | {"first_step_loss": loss * 1.001})
    problems = checking.check_records()
    assert [line.split(": ")[0] for line in problems] == [
        f"records/lenet5/seed-{seed}.json" for seed in (1, 2, 3)
    ]
    words = ("parameters were", "macs were", "the first step's loss was")
    assert all(word in line for word, line in zip(words, problems, strict=True))


def test_a_loss_that_is_no_number_does_not_hold(true, monkeypatch):
    store("lenet5", 0, **HERE, fingerprint=true)
    monkeypatch.setattr(first_step, "first_step_loss", lambda *_: float("nan"))
    (problem,) = checking.check_records()
    assert "now nan" in problem


def status_of(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code


def test_the_command_ends_with_1_where_a_record_does_not_hold(true, capsys):
    store("lenet5", 0, **HERE, fingerprint=true)
    assert status_of("check") == 0
    store("lenet5", 1, **HERE, fingerprint=true | {"macs": 1})
    assert status_of("check") == 1
    assert "lenet5/seed-1.json: macs were 1" in capsys.readouterr().out
