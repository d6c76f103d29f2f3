"""More pictures than memory, and more workers than there are: how both are told."""

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest

from cifar100 import paths

BENCHMARKS = paths.package_root() / "benchmarks"
# A file of 1.3 GB with nothing in it takes no room on the disk; read at random.
READ = """
import sys
import numpy as np
from cifar100 import cache

def mapped():
    lines = open("/proc/self/status").read().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssFile"))

images = cache.open_array(sys.argv[1])[:]
order = np.random.default_rng(0).permutation(len(images))[:25_600].reshape(-1, 128)
before, peaks = mapped(), []
for release in (cache.release, lambda array: None):
    peak = 0
    for batch in order:
        assert images[batch].shape == (128, 32, 32, 3)
        peak = max(peak, mapped() - before)
        release(images)
    peaks.append(peak)
print(*peaks)
"""


def python(*arguments):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        **{"capture_output": True, "text": True, "check": False, "timeout": 300},
        cwd=paths.package_root(),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_pages_of_a_large_array_do_not_stay_mapped(tmp_path):
    path, shape = tmp_path / "images.npy", (450_000, 32, 32, 3)
    np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    released, kept = map(int, python("-c", READ, path).split())
    assert released < 300 * 1024 < kept, "KiB: a batch, and what was read in all"


@pytest.mark.data
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_epoch_of_the_data_set_takes_little_memory():
    """benchmarks/large_data.py, which has ten times as many pictures and 2 GiB."""
    options = ("--copies", 1, "--experiment", "lenet5", "--json")
    found = json.loads(python(BENCHMARKS / "large_data.py", *options))
    assert found["pictures_gib"] == pytest.approx(45_000 * 3072 / 2**30)
    peak = found["peak_gib"]
    assert 0.1 < peak["own"] < 0.6
    assert peak["own"] < peak["with mapped pages"] < 1.25


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location(
        "cluster_simulation", BENCHMARKS / "cluster_simulation.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tasks_of(simulation, *hours):
    return [simulation.Task("a", hour, hour * 3600) for hour in hours]


def test_a_free_worker_takes_the_next_run(simulation):
    found = simulation.simulate(tasks_of(simulation, 1, 2, 3), 2)
    assert found["makespan_hours"] == pytest.approx(4)  # 1 then 3, beside 2
    assert found["tail_hours"] == pytest.approx(2)
    assert found["efficiency"] == pytest.approx(6 / 8)


def test_the_longest_run_first_is_an_order_that_no_other_beats_here(simulation):
    tasks = tasks_of(simulation, 1, 2, 3)
    found = simulation.simulate(simulation.longest_first(tasks), 2)
    assert found["makespan_hours"] == simulation.bound(tasks, 2) == 3


def test_a_death_costs_what_was_done_and_the_run_is_done_again(simulation):
    rng, tasks = np.random.default_rng(1), tasks_of(simulation, *[1] * 40)
    calm = simulation.simulate(tasks, 4)["makespan_hours"]
    deadly = simulation.simulate(tasks, 4, rng, hours_to_death=2)["makespan_hours"]
    assert calm == pytest.approx(10)
    assert 11 < deadly < 20
