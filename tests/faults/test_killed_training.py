"""A killed training goes on and ends with the very numbers of an undisturbed one.

On the same machine, engine and thread count, that is: a checkpoint of another engine or
thread count is left alone, and the run starts anew.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from killing import Nursery, state

MOMENTS = 20  # of the long form

pytestmark = pytest.mark.data


@pytest.fixture
def fresh(home_with_data, tmp_path):
    """Call it for a home of its own, with the data set and nothing else."""

    def make(name):
        (tmp_path / name / ".cache").mkdir(parents=True)
        data = (home_with_data / ".cache" / "data").resolve()
        (tmp_path / name / ".cache" / "data").symlink_to(data)
        return tmp_path / name

    return make


def weights_of(home):
    (path,) = home.glob("rehearsal/*/seed-*.json")
    return json.loads(path.read_text())["weights_sha256"]


def assert_same_in_the_end(nursery, home, undisturbed):
    """The same call again gives weights and figures of `undisturbed`, and no more."""
    nursery(home)
    assert weights_of(home) == weights_of(undisturbed)
    assert state(home) == state(undisturbed)


def test_training_killed_at_random_changes_of_a_file(fresh):
    """Its stored pictures, checkpoints and record are written on the way."""
    with Nursery("training") as nursery:
        undisturbed = fresh("undisturbed")
        changes = nursery(undisturbed)["changes"]
        generator = random.Random(os.environ["SEED"])
        for moment in generator.sample(range(changes), 2):
            home = fresh(f"killed-{moment}")
            assert nursery(home, at=moment)["killed"]
            assert_same_in_the_end(nursery, home, undisturbed)


@pytest.mark.slow
def test_training_killed_at_random_times(fresh):
    with Nursery("training") as nursery:
        undisturbed = fresh("undisturbed")
        seconds, kills = nursery(undisturbed)["seconds"], 0
        generator = random.Random(os.environ.get("SEED", "faults"))
        for number in range(MOMENTS):
            home, after = fresh(f"killed-{number}"), generator.uniform(0, seconds)
            kills += nursery(home, after=after)["killed"]
            assert_same_in_the_end(nursery, home, undisturbed)
        assert kills > MOMENTS / 2


@pytest.mark.slow
def test_training_killed_at_every_change_of_a_file(fresh):
    with Nursery("training") as nursery:
        undisturbed = fresh("undisturbed")
        for moment in range(nursery(undisturbed)["changes"]):
            home = fresh(f"killed-{moment}")
            assert nursery(home, at=moment)["killed"]
            assert_same_in_the_end(nursery, home, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["tensorflow", "jax"])
def test_the_command_killed_again_and_again(fresh, engine):
    """`cifar100 train`, as anyone calls it, until one call comes to its end."""
    command = [sys.executable, "-m", "cifar100", "train", "simple_cnn_short"]
    command += ["--seed", "1", "--rehearsal", "--threads", "1"]

    def start(home):
        surroundings = {"CIFAR100_HOME": str(home), "KERAS_BACKEND": engine}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, env=os.environ | surroundings, **quiet)

    undisturbed, began = fresh("undisturbed"), time.monotonic()
    assert start(undisturbed).wait() == 0
    seconds = time.monotonic() - began
    generator, home = random.Random(os.environ.get("SEED", engine)), fresh("killed")
    for _ in range(5):
        process = start(home)
        time.sleep(generator.uniform(0.3, 0.95) * seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    start(home).wait()
    assert weights_of(home) == weights_of(undisturbed)
    without_cache = [
        {k: v for k, v in state(each).items() if not k.startswith(".cache/xla")}
        for each in (home, undisturbed)
    ]
    assert without_cache[0] == without_cache[1]
