"""The command line: what it prints, what it refuses, and how it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from cifar100 import paths
from cifar100.errors import UserError
from cifar100.experiments import EXPERIMENTS
from cifar100.scheduling import PATIENCE, parse_budget
from tests.counted import count_networks
from tests.small_notebooks import wait_until

RECORDED = sorted(paths.records().glob("simple_cnn*/seed-*.json"))
needs_records = pytest.mark.skipif(len(RECORDED) < 4, reason="nothing is recorded")


def start(*arguments, home=None, cwd=None):
    extra = {"CIFAR100_HOME": str(home)} if home else {}
    return subprocess.Popen(
        [sys.executable, "-m", "cifar100", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=os.environ | extra,
    )


def run(*arguments, home=None):
    process = start(*arguments, home=home)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


WRONG = [  # and many more, without a process each, in faults/bad_input.py
    (["statuss"], "No such command"),
    (["train", "simple_cn"], "did you mean 'simple_cnn'"),
    (["train", "vgg16", "--set", "depth=17"], "VGG-17 is none of 11, 13, 16, 19"),
    (["record", "--unpack", __file__], "is not a whole pack of records"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=lambda v: " ".join(v[:4]))
def test_wrong_input_ends_in_one_line_with_2_and_writes_nothing(home, arguments, words):
    code, out, err = run(*arguments, home=home)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert words in err
    assert not list(home.rglob("*.json"))
    assert not list(home.rglob("*.npz"))


def test_a_record_of_unknown_schema_is_refused_in_one_line(home):
    path = home / "records" / "simple_cnn" / "seed-0.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"schema": 99}')
    code, _, err = run("status", home=home)
    assert code == 2
    assert "schema 99 is unknown" in err
    assert err.count("\n") == 1


def test_training_without_the_data_set_says_how_to_get_it(home):
    code, _, err = run("train", "simple_cnn", "--profile", "smoke", home=home)
    assert code == 2
    assert "cifar100 data" in err
    assert err.count("\n") == 1


@pytest.mark.data
def test_a_smoke_run_reports_itself_and_stores_nothing(home_with_data):
    code, out, err = run(
        "train", "simple_cnn", "--profile", "smoke", "--json", home=home_with_data
    )
    assert code == 0, err
    summary = json.loads(out)
    assert summary["record"] is None
    assert 0 <= summary["val_top1"] <= 1
    assert "epoch 2/2" in err
    assert not (home_with_data / "records").exists()


@pytest.mark.data
def test_an_interrupted_run_ends_with_130_and_no_record(home_with_data):
    process = start("train", "simple_cnn", home=home_with_data)
    locks = home_with_data / ".cache" / "locks"
    assert wait_until(lambda: list(locks.glob("*")), 60)  # the run has its place
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert out == ""
    assert "goes on from the last checkpoint" in err
    assert not list(home_with_data.rglob("seed-*"))


@pytest.mark.data
def test_recording_stops_in_time_and_leaves_no_process(home_with_data):
    count_networks()
    began = time.monotonic()
    code, out, err = run(
        "record", "--budget", "5s", "--workers", "1", home=home_with_data
    )
    assert code == 0, err
    assert time.monotonic() - began < 5 + PATIENCE
    assert "runs left" in out
    (log,) = (home_with_data / ".cache" / "logs").iterdir()
    assert log.read_text().endswith("goes on from the last checkpoint\n")
    found = subprocess.run(
        ["pgrep", "-f", f"{sys.executable} -m cifar100 train "],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    homes = [_environment(pid).get("CIFAR100_HOME") for pid in found]
    assert str(home_with_data) not in homes


def _environment(pid: str) -> dict[str, str]:
    try:
        with open(f"/proc/{pid}/environ", encoding="utf-8", errors="replace") as file:
            pairs = (entry.partition("=") for entry in file.read().split("\0"))
            return {key: value for key, _, value in pairs}
    except OSError:
        return {}


def test_experiments_show_parent_and_change():
    code, out, _ = run("experiments", "--tree")
    assert code == 0
    assert "  simple_cnn_short  epochs = 5" in out
    code, out, _ = run("experiments", "--json")
    rows = {row["experiment"]: row for row in json.loads(out)}
    assert rows["simple_cnn_short"]["change"] == {"epochs": 5}


def test_gpu_rows_are_marked_and_recorded_only_when_named(home):
    _, out, _ = run("experiments", "--tree", home=home)
    marked = {line.split()[1] for line in out.splitlines() if line.endswith("[GPU]")}
    assert {"vgg16_full", "resnet56_full"} <= marked
    count_networks()
    _, out, _ = run("status", home=home)
    assert {line.split()[1] for line in out.splitlines() if "GPU" in line} == marked
    wanted = [e.seeds for e in EXPERIMENTS.values() if not (e.gpu or e.timed)]
    code, out, _ = run("record", "--budget", "0s", home=home)
    assert code == 0
    assert out.startswith(f"{sum(wanted)} runs to record")
    _, out, _ = run("record", "--budget", "0s", "--only", "vgg16_full", home=home)
    assert out.startswith("3 runs to record")


def test_a_child_that_changes_two_settings_ends_every_command_in_one_line(tmp_path):
    """The ladder itself holds such a child: an edit that went wrong."""
    package = paths.package_root() / "cifar100"
    shutil.copytree(package, tmp_path / "cifar100")
    with open(tmp_path / "cifar100/experiments/ladder/first.py", "a") as ladder:
        ladder.write('child(simple_cnn, "wrong", epochs=3, learning_rate=1e-4)\n')
    for command in (["experiments"], ["train", "simple_cnn"], ["record"]):
        process = start(*command, cwd=tmp_path)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out) == (2, "")
        assert err.startswith("error: wrong: change one setting of simple_cnn, got {")
        assert err.count("\n") == 1


@needs_records
def test_status_counts_what_is_recorded():
    code, out, err = run("status", "--json")
    assert code == 0, err
    rows = {row["experiment"]: row for row in json.loads(out)}
    stored = len([p for p in RECORDED if p.parent.name == "simple_cnn_short"])
    assert rows["simple_cnn_short"]["recorded"] == stored


@needs_records
def test_compare_gives_a_sentence_and_json():
    arguments = "compare", "simple_cnn_short", "simple_cnn"
    code, out, err = run(*arguments)
    assert code == 0, err
    sentence, pair = out.splitlines()
    assert "validation split" in sentence
    assert pair == "simple_cnn_short minus simple_cnn; they differ in epochs"
    _, out, _ = run(*arguments, "--json")
    effect = json.loads(out)
    assert effect["low"] < effect["mean"] < effect["high"]


@needs_records
def test_compare_says_when_no_second_seed_is_planned():
    code, _, err = run("compare", "finetuned_160", "frozen_64")
    assert code == 2
    assert err.endswith("an interval needs 2, and 'finetuned_160' is planned with 1.\n")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("2h", 7200), ("1h30m", 5400), ("0.5h", 1800)]
)
def test_budgets_are_times(text, seconds):
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "2 h", "h", "2h and more", "-1h"])
def test_what_is_no_time_is_no_budget(text):
    with pytest.raises(UserError, match="is no time"):
        parse_budget(text)
