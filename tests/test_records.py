"""Records hold what the run said, notice any change, and keep the test set sealed."""

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cifar100 import checking, paths, records
from cifar100.errors import UserError
from cifar100.experiments import get
from cifar100.training import environment
from cifar100.training.run import Run
from cifar100.training.scores import metrics, per_image
from tests.run_facts import FACTS, METRICS

RECORDED = sorted(paths.records().glob("*/seed-*.json"))


def scored(count: int, seed: int = 0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 100, count)
    logits = generator.normal(size=(count, 100)).astype("float32")
    logits[np.arange(count), labels] += 2
    return per_image(logits, labels)


@pytest.fixture
def run():
    val = scored(5000)
    return Run(
        experiment=get("simple_cnn"),
        seed=0,
        profile="full",
        history=[{"epoch": 1, "val_top1": metrics(val)["top1"], "train_loss": 4.6}],
        val=val,
        test=scored(10_000, 1),
        metrics=METRICS | {f"val_{k}": v for k, v in metrics(val).items()},
        facts=dict(FACTS),
    )


def test_a_record_is_read_back_as_it_was_written(home, run):
    written = records.write(run)
    read = records.read(written.path)
    assert read.data == written.data
    assert (read.experiment, read.seed, read.stale) == ("simple_cnn", 0, False)
    for key, value in run.val.items():
        np.testing.assert_array_equal(read.val()[key], value)
    assert list(checking.check_record(read)) == []


def test_a_file_that_changed_is_read_anew(home, run):
    path = records.write(run).path
    first = records.read(path)
    assert records.read(path).data is first.data
    path.write_text(json.dumps(first.data | {"seed": 7}))
    assert records.read(path).seed == 7
    path.unlink()
    with pytest.raises(UserError, match="No such file"):
        records.read(path)


def test_only_full_runs_are_evidence(home, run):
    with pytest.raises(UserError, match="no evidence"):
        records.write(replace(run, profile="quick"))
    assert not paths.records().exists()


def test_a_rehearsal_stands_apart_from_the_evidence(home, run):
    with pytest.raises(UserError, match="no evidence"):
        records.write(run, rehearsal=True)
    small = replace(run, profile="smoke", val=scored(200))
    record = records.write(small, rehearsal=True)
    assert record.path.parent.parent == paths.rehearsal()
    assert records.list_records() == []
    assert 0 in records.missing(run.experiment)
    assert 0 not in records.missing(run.experiment, "smoke")


@pytest.mark.parametrize("split", ["val", "test"])
def test_one_flipped_byte_in_the_predictions_is_found(home, run, split):
    path = records.write(run).predictions_path(split)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    problems = checking.check_records(fingerprints=False)
    assert any(f"seed-0.{split}.npz was changed" in line for line in problems)


def test_a_figure_that_its_predictions_do_not_give_is_found(home, run):
    path = records.write(run).path
    content = json.loads(path.read_text())
    content["metrics"]["val_top1"] += 0.001
    path.write_text(json.dumps(content))
    (problem,) = checking.check_records(fingerprints=False)
    assert "val_top1 is stored as" in problem


def test_a_last_epoch_that_is_not_the_end_of_the_run_is_found(home, run):
    path = records.write(run).path
    content = json.loads(path.read_text())
    content["epochs"][-1]["val_top1"] += 0.001
    path.write_text(json.dumps(content))
    (problem,) = checking.check_records(fingerprints=False)
    assert "its epochs end at a val_top1 of" in problem


def test_settings_that_do_not_give_the_id_are_found(home, run):
    path = records.write(run).path
    content = json.loads(path.read_text())
    content["settings"]["epochs"] = 99
    path.write_text(json.dumps(content))
    (problem,) = checking.check_records(fingerprints=False)
    assert "its settings do not give its id" in problem


def test_a_lost_half_of_a_record_is_found(home, run):
    record = records.write(run)
    record.predictions_path("val").unlink()
    assert "missing" in checking.check_records(fingerprints=False)[0]
    record.path.unlink()
    assert "belongs to no record" in checking.check_records(fingerprints=False)[0]


def test_a_record_of_changed_settings_is_stale_and_left_out(home, run):
    other = replace(run, experiment=replace(run.experiment, epochs=3))
    record = records.write(other)
    assert record.stale
    assert records.list_records() == []
    assert len(records.list_records(current_only=False)) == 1
    assert 0 in records.missing(get("simple_cnn"))


def test_unknown_schema_is_refused_in_one_line(home, run):
    path = records.write(run).path
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 99'))
    with pytest.raises(UserError, match="schema 99 is unknown") as caught:
        records.read(path)
    assert "\n" not in str(caught.value)


def test_equal_arrays_give_equal_bytes():
    arrays = scored(100)
    assert records.pack_arrays(arrays) == records.pack_arrays(dict(arrays))


def test_missing_predictions_are_named_in_one_line(tmp_path):
    path = tmp_path / "seed-0.val.npz"
    with pytest.raises(UserError, match=r"seed-0\.val\.npz: No such file") as error:
        records.read_arrays(path)
    assert "\n" not in str(error.value)


def test_tables_are_tidy(home, run):
    for seed in (1, 0):
        records.write(replace(run, seed=seed))
    found = records.list_records("simple_cnn")
    assert [record.seed for record in found] == [0, 1]
    assert list(records.epochs_table(found)["seed"]) == [0, 1]
    finals = records.finals_table(found)
    assert list(finals["val_top1"]) == [run.metrics["val_top1"]] * 2
    assert set(finals["device_kind"]) == {"cpu"}


# The commit


@pytest.fixture
def snapshot(tmp_path, monkeypatch):
    """A package and a commit.json, without a repository."""
    root = (tmp_path / "snapshot").resolve()
    (root / "cifar100" / "models").mkdir(parents=True)
    (root / "cifar100" / "models" / "vgg.py").write_text("depth = 16\n")
    (root / "requirements.lock").write_text("keras==3\n")
    content = {"commit": "c0ffee", "sha256": environment.tree_digest(root)}
    (root / "commit.json").write_text(json.dumps(content))
    monkeypatch.setattr(paths, "package_root", lambda: root)
    return root


def test_a_snapshot_as_committed_is_clean(snapshot):
    assert environment.commit() == {"commit": "c0ffee", "clean": True}
    compiled = snapshot / "cifar100" / "__pycache__" / "vgg.cpython-312.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"compiled")
    (snapshot / "notes.txt").write_text("not watched")
    assert environment.commit()["clean"] is True


@pytest.mark.parametrize("name", ["cifar100/models/vgg.py", "requirements.lock"])
def test_a_changed_snapshot_is_not_clean(snapshot, name):
    with open(snapshot / name, "a") as file:
        file.write("# changed\n")
    assert environment.commit() == {"commit": "c0ffee", "clean": False}


def test_a_new_or_renamed_file_makes_a_snapshot_unclean(snapshot):
    (snapshot / "cifar100" / "models" / "vgg.py").rename(snapshot / "cifar100/vgg.py")
    assert environment.commit()["clean"] is False


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"commit": "c0ffee"}'])
def test_a_snapshot_that_does_not_say_its_commit_is_not_clean(snapshot, text):
    (snapshot / "commit.json").write_text(text)
    assert environment.commit() == {"commit": None, "clean": False}


def test_a_repository_around_a_snapshot_does_not_speak_for_it(snapshot):
    git = shutil.which("git")
    if git is None:
        pytest.skip("no git here")
    subprocess.run([git, "init", "-q", snapshot.parent], check=True)
    assert environment.commit() == {"commit": "c0ffee", "clean": True}


# Scores


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_scores_agree_with_a_direct_computation(seed, count):
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=5, size=(count, 100)).astype("float32")
    labels = generator.integers(0, 100, count)
    found = per_image(logits, labels)
    exponential = np.exp(logits.astype("float64"))
    p = exponential / exponential.sum(axis=1, keepdims=True)
    order = np.argsort(-p, axis=1, kind="stable")
    rank = np.array([list(o).index(y) for o, y in zip(order, labels, strict=True)])
    np.testing.assert_array_equal(found["predictions"], order[:, 0])
    np.testing.assert_array_equal(found["rank"], rank)
    own = np.log(p[np.arange(count), labels])
    np.testing.assert_allclose(found["log_probability"], own, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found["sum_squares"], (p**2).sum(axis=1), rtol=2e-3)


def test_ties_go_to_the_lower_class_as_in_argmax():
    logits = np.zeros((2, 100))
    found = per_image(logits, np.array([0, 7]))
    np.testing.assert_array_equal(found["predictions"], [0, 0])
    np.testing.assert_array_equal(found["rank"], [0, 7])


# The records of the course


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_stored_figures_are_those_of_the_stored_predictions(path):
    assert list(checking.check_record(records.read(path))) == []


@pytest.mark.skipif(not RECORDED, reason="nothing is recorded")
def test_a_byte_flipped_in_a_real_record_makes_the_check_fail(home):
    shutil.copytree(RECORDED[0].parent, paths.records() / RECORDED[0].parent.name)
    victim = next(paths.records().glob("*/*.val.npz"))
    content = bytearray(victim.read_bytes())
    content[-100] ^= 1
    victim.write_bytes(content)
    problems = checking.check_records(fingerprints=False)
    assert any(victim.name in problem for problem in problems)
