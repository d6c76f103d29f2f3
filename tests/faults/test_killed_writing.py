"""Killed while it writes: the same call again ends as if nothing had happened."""

import os
import random
import shutil
from pathlib import Path

import pytest
from killing import Nursery, state

from cifar100 import checking, records

MOMENTS = 20  # of a long form


def fresh(home: Path, template: Path | None = None) -> Path:
    """A home that holds what `template` does."""
    shutil.rmtree(home, ignore_errors=True)
    if template:
        return Path(shutil.copytree(template, home, symlinks=True))
    home.mkdir()
    return home


def killed_at_changes(
    nursery, tmp_path, template=None, holds=lambda home: None, most=1000
):
    """Kill the task before each change of a file that it makes, or `most` of them, then
    do it again."""
    whole = nursery(fresh(tmp_path / "whole", template))
    expected = state(tmp_path / "whole")
    assert whole["changes"] > 3
    generator, moments = random.Random(os.environ["SEED"]), range(whole["changes"])
    for moment in generator.sample(moments, min(most, len(moments))):
        home = fresh(tmp_path / "killed", template)
        assert nursery(home, at=moment)["killed"]
        holds(home)
        assert nursery(home)["result"] == whole["result"]
        assert state(home) == expected, f"killed before change {moment}"


def killed_at_random_times(nursery, tmp_path, template=None, holds=lambda home: None):
    """The long form: kill the task at random times, then do it again."""
    whole = nursery(fresh(tmp_path / "whole", template))
    expected = state(tmp_path / "whole")
    shutil.rmtree(tmp_path / "whole")
    generator, kills = random.Random(os.environ.get("SEED", "faults")), 0
    for _ in range(MOMENTS):
        home = fresh(tmp_path / "killed", template)
        after = generator.uniform(0, whole["seconds"])
        kills += nursery(home, after=after)["killed"]
        holds(home)
        assert nursery(home)["result"] == whole["result"]
        assert state(home) == expected, f"killed after {after:.3f} s"
    assert kills > MOMENTS / 2


def records_hold(home):
    """Every record that stands is whole; one that is under way does not count."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR100_HOME", str(home))
        for record in records.list_records(current_only=False):
            assert list(checking.check_record(record)) == []


def test_a_record(home, tmp_path):
    with Nursery("record") as nursery:
        killed_at_changes(nursery, tmp_path, holds=records_hold)


def test_a_record_in_place_of_a_stale_one(home, tmp_path):
    with Nursery("another record") as nursery:
        nursery(fresh(tmp_path / "stale"))
    with Nursery("record") as nursery:
        template = tmp_path / "stale"
        killed_at_changes(nursery, tmp_path, template, records_hold)


def test_checkpoints(home, tmp_path):
    with Nursery("checkpoints") as nursery:
        killed_at_changes(nursery, tmp_path)


def test_a_pack_of_records(home, tmp_path):
    with Nursery("record") as nursery:
        nursery(fresh(tmp_path / "recorded"))
    with Nursery("pack") as nursery:
        killed_at_changes(nursery, tmp_path, tmp_path / "recorded")


@pytest.mark.parametrize("most", [10, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_data_set(home, fake_archive, tmp_path, most):
    """Unpacked, copied and cached: a small one."""
    with Nursery("small data", CIFAR100_SOURCE=str(fake_archive)) as nursery:
        killed_at_changes(nursery, tmp_path, most=most)


@pytest.mark.data
def test_stored_augmented_pictures(home_with_data, tmp_path):
    with Nursery("offline") as nursery:
        killed_at_changes(nursery, tmp_path, home_with_data)


@pytest.mark.slow
@pytest.mark.data
def test_the_real_data_set_at_random_times(official, home, tmp_path):
    with Nursery("real data", CIFAR100_SOURCE=str(official)) as nursery:
        killed_at_random_times(nursery, tmp_path)


@pytest.mark.slow
@pytest.mark.data
def test_many_stored_augmented_pictures_at_random_times(home_with_data, tmp_path):
    with Nursery("large offline") as nursery:
        killed_at_random_times(nursery, tmp_path, home_with_data)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["record", "checkpoints"])
def test_small_files_at_random_times(home, tmp_path, task):
    with Nursery(task) as nursery:
        killed_at_random_times(nursery, tmp_path)


@pytest.mark.slow
@pytest.mark.data
def test_kept_weights(home_with_data, tmp_path):
    with Nursery("kept weights") as nursery:
        killed_at_changes(nursery, tmp_path, home_with_data)
