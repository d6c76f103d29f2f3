"""A Ray cluster records the same runs, and survives the death of workers and nodes.

Ray is an optional extra. To run these tests, install it beside the course:

    .venv/bin/python -m pip install -e ".[ray]"
    make test ARGS="tests/test_ray_cluster.py"
"""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from cifar100 import paths
from cifar100.costs import network_code
from cifar100.errors import UserError
from cifar100.experiments import get
from cifar100.files import write_json
from cifar100.ray_cluster import Share, record, share_of
from cifar100.ray_task import check_node, own_home
from cifar100.training import environment
from cifar100.training.environment import WATCHED, tree_digest

HAS_RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(
    not HAS_RAY, reason='needs Ray, an optional extra: pip install -e ".[ray]"'
)
RUN = "lenet5"


# What needs no cluster


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_one_line_says_what_to_install():
    with pytest.raises(UserError, match=r"Ray is not installed; `pip install"):
        record("auto")


def test_a_run_gets_a_core_and_where_there_are_gpus_one_of_them():
    laptop, server = {"CPU": 2.0}, {"CPU": 64.0, "GPU": 8.0}
    assert share_of([laptop, laptop]) == Share(1, 0)
    assert share_of([laptop, server, {"CPU": 6.0, "GPU": 2.0}]) == Share(3, 1)
    assert share_of([{"CPU": 2.0, "GPU": 4.0}]) == Share(1, 1)


def test_as_many_runs_as_the_nodes_have_room_for():
    assert [Share(1, 0).room(node) for node in ({"CPU": 2.0}, {})] == [2, 0]
    room = Share(3, 1).room
    assert [room({"CPU": 64.0, "GPU": 8.0}), room({"CPU": 6.0, "GPU": 8.0})] == [8, 2]
    assert room({"CPU": 64.0}) == 0


def test_a_run_has_a_home_of_its_own_with_the_data_of_the_node(home):
    (home / ".cache" / "data").mkdir(parents=True)
    (home / ".cache" / "data" / "stamp.json").write_text("{}")
    with own_home() as one, own_home() as other:
        assert one != other
        assert home not in one.parents
        (one / ".cache" / "locks").mkdir()
        assert (other / ".cache" / "locks").exists(), "runs of a node share a cache"
        assert (one / ".cache" / "data" / "stamp.json").read_text() == "{}"
    assert not one.exists()
    assert sorted(path.name for path in home.iterdir()) == [".cache"]
    assert not (home / ".cache" / "locks").exists()


def test_a_node_with_other_code_says_which(home):
    found = environment.commit()
    has = f"has commit {found['commit']}"
    with pytest.raises(UserError, match=rf"node \S+ {has}.*, not c0ffee$"):
        check_node({"commit": "c0ffee", "clean": True})
    with pytest.raises(UserError, match=r"node \S+: CIFAR-100 is not on this machine"):
        check_node(found)


# With Ray


@pytest.fixture(scope="module")
def course(real_cache, tmp_path_factory):
    """A committed snapshot of the package (`.root`), a home for its records (`.home`),
    one for the nodes (`.node`), and what a process needs to know of them."""
    folder = tmp_path_factory.mktemp("course")
    found = SimpleNamespace(**{n: folder / n for n in ("root", "home", "node")})
    root = paths.package_root()
    for name in WATCHED:
        if (root / name).is_dir():
            copied = shutil.ignore_patterns("__pycache__")
            shutil.copytree(root / name, found.root / name, ignore=copied)
        else:
            shutil.copy(root / name, found.root / name)
    commit = {"commit": "c0ffee" * 6, "sha256": tree_digest(found.root)}
    write_json(found.root / "commit.json", commit)
    for home in (found.home, found.node):
        (home / ".cache").mkdir(parents=True)
        (home / ".cache" / "data").symlink_to(real_cache)
    counts = {"network_code": network_code(), "macs": {get(RUN).id: 10**6}}
    write_json(found.home / ".cache" / "macs.json", counts)
    before = os.environ.get("PYTHONPATH", "")
    found.environ = {"PYTHONPATH": os.pathsep.join([str(found.root), before])}
    return found


def start_command(course, *arguments):
    """A command of the snapshot's, with the home of the records."""
    return subprocess.Popen(
        [sys.executable, "-m", "cifar100", *arguments],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True},
        cwd=course.root,
        env=os.environ | course.environ | {"CIFAR100_HOME": str(course.home)},
    )


@pytest.fixture(scope="module")
def cluster(course):
    """Two nodes with a core each, as processes of this machine."""
    from ray.cluster_utils import Cluster

    given = course.environ | {"CIFAR100_HOME": str(course.node)}
    given |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    given |= {"KERAS_HOME": str(course.node / ".cache"), "CIFAR100_SOURCE": ""}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        head = {"num_cpus": 1, "include_dashboard": False}
        found = Cluster(initialize_head=True, head_node_args=head)
        found.second = found.add_node(num_cpus=1)
        found.wait_for_nodes()
    yield found
    found.shutdown()


def trainings(course):
    """Processes that train on the cluster now, by their seed."""
    import psutil

    found = {}
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        if "train" in words and process.info["cwd"] == str(course.root):
            found[words[words.index("--seed") + 1]] = process
    return found


def wait_for(condition, recording):
    """What a condition gives once it holds, which it has to while that records."""
    deadline = time.monotonic() + 240
    while not (found := condition()):
        assert recording.poll() is None, recording.communicate()
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)
    return found


def two(found):
    """What was found, if it is two."""
    return found if len(found) == 2 else {}


@pytest.fixture(scope="module")
def recorded(course, cluster):
    """The output of a recording in which a worker is killed, and later a node."""
    options = ("--ray-address", cluster.address, "--only", RUN, "--rehearsal")
    with start_command(course, "record", *options) as recording:
        try:
            both = wait_for(lambda: two(trainings(course)), recording)
            both["0"].parent().kill()
            both["0"].wait(20)  # it does not outlive the task that started it
            wait_for(lambda: two(trainings(course)), recording)
            cluster.remove_node(cluster.second, allow_graceful=False)
            output, errors = recording.communicate(timeout=400)
        finally:
            recording.kill()
    assert recording.returncode == 0, output + errors
    return output


@needs_ray
@pytest.mark.data
def test_what_a_dead_worker_and_a_dead_node_had_goes_to_another(recorded):
    lines = recorded.splitlines()
    assert lines[0].startswith("3 runs to record")
    assert lines[-1] == "nothing left to record"
    died = [line for line in lines if "its worker died" in line]
    assert len(died) == 2, recorded
    done = [line.split(":")[0] for line in lines if "recorded after" in line]
    assert sorted(done) == [f"{RUN} seed {seed}" for seed in range(3)]


@needs_ray
@pytest.mark.data
def test_records_are_written_where_they_were_asked_for_and_nowhere_else(
    recorded, course
):
    here = sorted(path.name for path in (course.home / "rehearsal" / RUN).iterdir())
    endings = (".json", ".test.npz", ".val.npz")
    assert here == [f"seed-{seed}{end}" for seed in range(3) for end in endings]
    assert sorted(path.name for path in course.node.iterdir()) == [".cache"]
    assert not list((course.home / ".cache" / "returned").iterdir())


@needs_ray
@pytest.mark.data
def test_a_run_is_the_same_as_here(recorded, course):
    options = ("--seed", "0", "--threads", "1", "--rehearsal")
    (course.home / "rehearsal").rename(course.home / "from the cluster")
    here = start_command(course, "train", RUN, *options)
    _, errors = here.communicate(timeout=300)
    assert here.returncode == 0, errors
    digests = [
        json.loads((course.home / folder / RUN / "seed-0.json").read_text())
        for folder in ("rehearsal", "from the cluster")
    ]
    assert digests[0]["weights_sha256"] == digests[1]["weights_sha256"]


@needs_ray
@pytest.mark.data
def test_ctrl_c_stops_what_runs_on_the_nodes(course, cluster, tmp_path):
    shutil.copytree(course.home / ".cache", tmp_path / ".cache", symlinks=True)
    elsewhere = SimpleNamespace(**vars(course) | {"home": tmp_path})
    options = ("--ray-address", cluster.address, "--only", RUN, "--rehearsal")
    with start_command(elsewhere, "record", *options) as recording:
        try:
            wait_for(lambda: trainings(course), recording)
            recording.send_signal(signal.SIGINT)
            output, errors = recording.communicate(timeout=300)
        finally:
            recording.kill()
    assert recording.returncode == 130, output + errors
    assert "3 runs left" in output
    assert "stopped; the same command goes on" in output + errors
    assert trainings(course) == {}
    assert not (tmp_path / "rehearsal").exists()


@needs_ray
@pytest.mark.data
def test_a_node_without_data_is_refused_before_anything_is_trained(course, cluster):
    link = course.node / ".cache" / "data"
    link.rename(link.with_name("hidden"))
    options = ("--ray-address", cluster.address, "--only", RUN, "--rehearsal")
    with start_command(course, "record", *options) as recording:
        output, errors = recording.communicate(timeout=300)
    link.with_name("hidden").rename(link)
    assert (recording.returncode, output) == (2, "")
    assert errors.startswith("error: node ")
    assert "CIFAR-100 is not on this machine" in errors
    assert errors.count("\n") == 1


@needs_ray
@pytest.mark.parametrize("address", ["127.0.0.1:9", "127.0.0.1", "ray://127.0.0.1:9"])
def test_no_cluster_is_one_line(course, address):
    recording = start_command(course, "record", "--ray-address", address)
    output, errors = recording.communicate(timeout=300)
    assert (recording.returncode, output) == (2, "")
    assert errors.startswith(f"error: no Ray cluster at '{address}'")
    assert errors.count("\n") == 1
