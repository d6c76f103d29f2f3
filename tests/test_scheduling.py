"""What a run costs is counted once; what is recorded, and in which order."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from cifar100 import costs, listing, paths, records, scheduling
from cifar100.costs import counts_path, macs_by_experiment, network_code, petaflop
from cifar100.errors import UserError
from cifar100.experiments import EXPERIMENTS, FAMILIES, get
from cifar100.packing import read_pack
from cifar100.scheduling import jobs, jobs_of_set
from tests.counted import remember

LENET = 28 * 28 * (5 * 5 * 3) * 6 + 10 * 10 * (5 * 5 * 6) * 16 + 400 * 120 + 18_480
CHOSEN = [get("lenet5"), get("lenet5_relu")]
COUNTED = {"lenet5": LENET, "lenet5_relu": LENET}


@pytest.fixture
def counted(home):
    """A home in which every network has been counted: the later, the smaller."""
    ids = [e.id for e in EXPERIMENTS.values()]
    remember({id_: 10**6 * (len(ids) - place) for place, id_ in enumerate(ids)})
    return home


def test_counts_are_made_once_and_kept(home, monkeypatch):
    assert macs_by_experiment(CHOSEN) == COUNTED
    monkeypatch.setattr(costs, "_count", None)  # a second count would fail
    assert macs_by_experiment(CHOSEN) == COUNTED
    assert macs_by_experiment(CHOSEN[:1]) == {"lenet5": LENET}


def test_networks_that_recipes_share_are_built_once(home, monkeypatch):
    from cifar100 import models

    built, build = [], models.build
    monkeypatch.setattr(models, "build", lambda e: built.append(e.name) or build(e))
    longer = [get("dropout_after"), get("twice_as_long"), get("dropout_after_30")]
    assert len(set(macs_by_experiment(longer).values())) == 1
    assert built == ["dropout_after"]


def test_a_new_count_leaves_the_others_alone(home, monkeypatch):
    remember({get("lenet5").id: 5})
    assert macs_by_experiment(CHOSEN) == {"lenet5": 5, "lenet5_relu": LENET}
    kept = json.loads(counts_path().read_text())["macs"]
    assert kept == {get("lenet5").id: 5, get("lenet5_relu").id: LENET}


def test_changed_network_code_is_counted_again(home, tmp_path, monkeypatch):
    remember({e.id: 5 for e in CHOSEN})
    assert set(macs_by_experiment(CHOSEN).values()) == {5}
    copy = tmp_path / "cifar100" / "models"
    shutil.copytree(paths.package_root() / "cifar100" / "models", copy)
    monkeypatch.setattr(paths, "package_root", lambda: tmp_path)
    assert set(macs_by_experiment(CHOSEN).values()) == {5}
    with open(copy / "lenet.py", "a") as source:
        source.write("# changed\n")
    assert macs_by_experiment(CHOSEN) == COUNTED


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "{",
        "\x00",
        "null",
        "[]",
        '{"macs": {}}',
        '{"network_code": "CODE", "macs": 3}',
        '{"network_code": "CODE", "macs": {"ID": "many"}}',
        '{"network_code": "CODE", "macs": {"ID": null}}',
    ],
)
def test_a_damaged_file_is_counted_again_and_mended(home, damaged):
    damaged = damaged.replace("CODE", network_code()).replace("ID", CHOSEN[0].id)
    counts_path().parent.mkdir()
    counts_path().write_text(damaged)
    assert macs_by_experiment(CHOSEN) == COUNTED
    mended = json.loads(counts_path().read_text())["macs"]
    assert mended == {e.id: LENET for e in CHOSEN}


def test_a_cache_that_cannot_be_written_is_no_harm(home):
    (home / ".cache").write_text("a file, where the folder would be")
    assert macs_by_experiment(CHOSEN) == COUNTED


def test_status_without_anything_to_count_loads_no_network_library(counted):
    code = "import sys; from cifar100.listing import status_rows as rows; "
    code += "print(len(rows()), 'keras' in sys.modules, 'tensorflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        **{"capture_output": True, "text": True, "check": False, "timeout": 120},
        env=os.environ | {"CIFAR100_HOME": str(counted)},
    )
    assert done.stdout.split() == [str(len(EXPERIMENTS)), "False", "False"], done.stderr


def test_cheapest_runs_come_first_and_seeds_in_turn(counted):
    found = jobs(["lenet5", "vgg16", "simple_cnn_short"])
    costs = [job.petaflop for job in found]
    assert costs == sorted(costs)
    seeds = [job.seeds for job in found if job.experiment == "vgg16"]
    assert seeds == [(0,), (1,), (2,), (3,), (4,)]


def test_a_run_costs_six_operations_a_multiply_add_image_and_epoch():
    assert petaflop(get("lenet5"), 10**6) == pytest.approx(6 * 1e6 * 45_000 * 15 / 1e15)


def test_gpu_runs_are_scheduled_only_when_they_are_named(counted):
    on_gpu = {e.name for e in EXPERIMENTS.values() if e.gpu}
    assert {"vgg16_full", "resnet18_full", "alexnet_full"} <= on_gpu
    found = {job.experiment for job in jobs()}
    timed = {e.name for e in EXPERIMENTS.values() if e.timed}
    assert "fast" in timed
    assert found == EXPERIMENTS.keys() - on_gpu - timed
    named = jobs(["vgg16_full", "lenet5"])
    assert {job.experiment for job in named} == {"vgg16_full", "lenet5"}
    assert len(named) == 6


def test_gpu_runs_are_marked_and_not_counted_as_missing(counted):
    rows = {row["experiment"]: row for row in listing.status_rows()}
    lines = listing.status_table(list(rows.values()))
    marked = {line.split()[1] for line in lines if line.endswith("  GPU")}
    assert marked == {e.name for e in EXPERIMENTS.values() if e.gpu}
    wanted = sum(row["petaflop_missing"] for row in rows.values() if not row["gpu"])
    assert lines[-1].startswith(f"left to record: {wanted:.3f} PF")
    missing = sum(len(r["missing"]) for r in rows.values() if not r["gpu"])
    counts = [int(line.split()[1]) for line in lines if "runs missing" in line]
    alone = [e for e in EXPERIMENTS.values() if e.timed and not e.gpu]
    assert sum(counts) == missing == len(jobs()) + sum(e.seeds for e in alone)
    tree = listing.experiment_tree(listing.experiment_rows(), indent=True)
    assert {line.split()[1] for line in tree if line.endswith("[GPU]")} == marked


# Sets


def test_every_run_but_those_for_a_gpu_is_in_one_set_of_two_cores(counted):
    names = ("ladder", "strong", "timed")
    found = [job.experiment for name in names for job in jobs_of_set(name)]
    assert sorted(found) == sorted(e.name for e in EXPERIMENTS.values() if not e.gpu)


def test_a_set_is_recorded_an_experiment_at_a_time_all_seeds_together(counted):
    found = {job.experiment: job for job in jobs_of_set("ladder")}
    assert found.keys() == {e.name for e in FAMILIES["ladder"] if not e.gpu}
    assert found["vgg16"].seeds == (0, 1, 2, 3, 4)
    (single,) = [j for j in jobs(["vgg16"]) if j.seeds == (0,)]
    assert found["vgg16"].petaflop == pytest.approx(5 * single.petaflop)


@pytest.mark.parametrize("name", ["ladder", "strong", "gpu"])
def test_a_set_of_runs_whose_seconds_do_not_count_needs_no_machine_alone(counted, name):
    assert scheduling.record(chosen_set=name, budget=0) == 0


def test_what_confirmatory_contrasts_need_comes_first_then_the_cheapest(counted):
    found = jobs_of_set("ladder")
    asked = [e for e in EXPERIMENTS.values() if e.kind == "confirmatory"]
    needed = {e.name for e in asked} | {e.parent for e in asked}
    first, rest = found[: len(needed)], found[len(needed) :]
    assert {job.experiment for job in first} == needed
    for group in first, rest:
        costs = [job.petaflop for job in group]
        assert costs == sorted(costs)


@pytest.mark.parametrize(
    ("given", "share"),
    [({"KERAS_BACKEND": "jax"}, "0.200"), ({"KERAS_BACKEND": "tensorflow"}, None)],
)
def test_workers_share_a_gpu_that_the_scheduler_leaves_alone(monkeypatch, given, share):
    monkeypatch.setattr(os, "environ", given)
    passed = scheduling._surroundings(4)
    assert passed.get("XLA_PYTHON_CLIENT_MEM_FRACTION") == share
    assert "JAX_PLATFORMS" not in passed
    assert (os.environ.get("JAX_PLATFORMS") == "cpu") == (share is not None)


def test_a_share_of_memory_that_was_set_is_kept(monkeypatch):
    given = {"KERAS_BACKEND": "jax", "XLA_PYTHON_CLIENT_MEM_FRACTION": ".1"}
    monkeypatch.setattr(os, "environ", given)
    assert scheduling._surroundings(4)["XLA_PYTHON_CLIENT_MEM_FRACTION"] == ".1"


@pytest.mark.data
def test_a_rehearsal_records_and_packs_a_set_without_any_evidence(
    home_with_data, tmp_path, monkeypatch
):
    short = get("simple_cnn_short")
    remember({short.id: 10**6})
    monkeypatch.setitem(scheduling.SETS, "tiny", [short])
    pack, said = tmp_path / "out" / "visit.zip", []
    failed = scheduling.record(
        chosen_set="tiny", workers=1, pack=pack, rehearsal=True, say=said.append
    )
    assert failed == 0, said
    assert said[0].startswith("5 runs to record")
    assert "simple_cnn_short seed 0, 1, 2, 3, 4: recorded after" in said[1]
    assert said[-1] == "nothing left to record"
    packed = read_pack(pack.with_name("visit-1.zip"))
    assert packed.keys() == {(short.name, seed) for seed in range(5)}
    texts = [json.loads(files["json"]) for files in packed.values()]
    assert {text["profile"] for text in texts} == {"smoke"}
    assert len(list(paths.rehearsal().glob("*/seed-*.json"))) == 5
    assert not paths.records().exists()
    assert records.missing(short) == [0, 1, 2, 3, 4]
    assert jobs_of_set("tiny", "smoke") == []


# Workers that die


@pytest.fixture
def tiny(monkeypatch):
    """Rehearse a set of one experiment with workers that `start` starts: how many runs
    failed, and what was said."""
    short = get("simple_cnn_short")
    monkeypatch.setitem(scheduling.SETS, "tiny", [short])

    def record(start):
        remember({short.id: 10**6})
        said, given = [], {"chosen_set": "tiny", "rehearsal": True}
        failed = scheduling.record(start=start, workers=1, say=said.append, **given)
        return failed, said

    return record


def killing(count):
    """Starts workers and kills the first so many."""
    jobs = []

    def start(job, options):
        jobs.append(job)
        worker = scheduling._start(job, options, dict(os.environ))
        if len(jobs) <= count:
            worker.kill()
        return worker

    return start, jobs


@pytest.mark.data
def test_what_a_worker_had_that_died_is_given_to_another(home_with_data, tiny):
    start, jobs = killing(1)
    failed, said = tiny(start)
    assert failed == 0, said
    assert ["its worker died" in line for line in said[1:3]] == [True, False]
    assert said[-1] == "nothing left to record"
    assert [(len(job.seeds), job.deaths) for job in jobs] == [(5, 0), (5, 1)]


def test_a_job_that_kills_every_worker_is_given_up(home, tiny):
    start, jobs = killing(9)
    failed, said = tiny(start)
    assert (failed, len(jobs)) == (5, 3), said
    assert said[-1] == "5 runs left"


def test_runs_whose_seconds_count_are_not_recorded_side_by_side(counted):
    for chosen in ({"only": ["fast"]}, {"chosen_set": "timed"}):
        with pytest.raises(UserError, match="--exclusive"):
            scheduling.record(**chosen, budget=0, say=lambda _: None)
    said = []
    scheduling.record(only=["fast"], exclusive=True, budget=0, say=said.append)
    assert said[0].startswith("5 runs to record")


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        ("lambda *_: signal.signal(signal.SIGTERM, signal.SIG_DFL)", -signal.SIGTERM),
        ("signal.SIG_IGN", -signal.SIGKILL),
    ],
    ids=["missed the first", "misses all"],
)
def test_a_worker_that_missed_a_request_is_asked_again_before_it_is_killed(
    monkeypatch, handler, code
):
    """A bare `except` somewhere can swallow what an interrupt raises."""
    monkeypatch.setattr(scheduling, "PATIENCE", 3.0)
    program = (
        f"import signal, time; signal.signal(signal.SIGTERM, {handler})\n"
        "print(flush=True)\n"
        "for _ in range(60): time.sleep(1)"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        worker.stdout.readline()
        scheduling.stop([worker])
        assert worker.wait(10) == code
