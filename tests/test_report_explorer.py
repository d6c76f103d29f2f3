"""The explorer's data and page follow the records, and nothing else."""

import itertools
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from bs4 import BeautifulSoup
from small_notebooks import write

from cifar100 import paths
from cifar100.costs import petaflop
from cifar100.evidence import compare, pp
from cifar100.experiments import EXPERIMENTS
from cifar100.files import write_json
from cifar100.record_file import FIGURES
from cifar100.records import Record, list_records
from cifar100.report.build import Options, build
from cifar100.report.explorer import (
    _embedded,
    by_experiment,
    explorer_data,
    mean_and_interval,
    opening,
    table_rows,
)
from cifar100.report.pages import write_page
from cifar100.report.runner import Executed
from cifar100.report.site import Provenance, write_site
from cifar100.report.sources import Source


@pytest.fixture(scope="module")
def runs():
    """All recorded runs of this checkout, by experiment."""
    return by_experiment(list_records())


@pytest.fixture(scope="module")
def data(runs):
    return explorer_data(runs)


@pytest.fixture(scope="module")
def rows(runs):
    return {row["name"]: row for row in table_rows(runs, {})}


@pytest.fixture
def home_with_records(home):
    """A home with what the records state, and no file of predictions."""
    without = shutil.ignore_patterns("*.npz")
    shutil.copytree(paths.package_root() / "records", home / "records", ignore=without)
    return home


def explorer_of(home):
    """The explorer of a report of one page, made without a kernel."""
    notebook = write(home / "notebooks", "00-one", "1")
    status = {"versions": {}, "seconds": 1, "device": "cpu"}
    executed = Executed(Source(notebook, "0"), notebook, status)
    page = write_page(executed, {"00-one"})
    folder = home / "site"
    folder.mkdir()
    found = list_records()
    about = {"devices": "", "versions": {}, "missing": [], "pdf": False}
    write_site(
        folder, [page], found, Provenance("abc", "", "read", "today", 0, **about)
    )
    return folder / "explorer.html"


def ancestors(name):
    while name := EXPERIMENTS[name].parent:
        yield name


def changed(record, **content):
    return Record(record.path, {**record.data, **content})


# data


def test_every_recorded_run_is_there_with_its_curves_and_its_end(runs, data):
    assert data["experiments"].keys() == runs.keys()
    for name, records in runs.items():
        listed = data["experiments"][name]["runs"]
        assert [run["seed"] for run in listed] == [r.seed for r in records]
        for run, record in zip(listed, records, strict=True):
            epochs, metrics = record.data["epochs"], record.data["metrics"]
            for key in FIGURES:
                assert run[key] == pytest.approx([e[key] for e in epochs], rel=5e-4)
                assert run["final"][key] == pytest.approx(metrics[key], rel=5e-4)
            assert run["val_top1"] == [epoch["val_top1"] for epoch in epochs]
            seconds = record.data["seconds"]["train"]
            assert run["seconds"][-1] == pytest.approx(seconds, rel=5e-4, abs=0.01)


def test_only_training_and_validation_are_told(data):
    told = {
        key for e in data["experiments"].values() for run in e["runs"] for key in run
    }
    assert told == {"seed", "exclusive", "seconds", "final", *FIGURES}


def test_compute_adds_up_to_that_of_the_whole_run(runs, data):
    for name, records in runs.items():
        compute = data["experiments"][name]["petaflop"]
        experiment, macs = EXPERIMENTS[name], records[0].data["fingerprint"]["macs"]
        assert (np.diff(compute) > 0).all()
        if len(compute) == experiment.epochs:
            assert compute[-1] == pytest.approx(petaflop(experiment, macs), rel=1e-3)


def test_epochs_of_small_pictures_cost_less():
    fast = EXPERIMENTS["fast"]  # 20 pixels, then 24, then 32
    assert fast.image_sizes[0][1] > 0.25
    parts = [petaflop(fast, 10**9, done=k / 4) for k in range(5)]
    small, *_, large = np.diff(parts)
    assert small / large == pytest.approx((20 / 32) ** 2)
    assert parts[-1] == petaflop(fast, 10**9)
    assert parts[0] == 0


def test_both_groupings_hold_each_experiment_once(runs, data):
    for groups in data["groups"].values():
        members = [name for group in groups for name, _ in group["members"]]
        assert sorted(members) == sorted(runs)
    step_of = {
        name: group["title"].split()[0]
        for group in data["groups"]["step"]
        for name, _ in group["members"]
    }
    assert step_of == {name: EXPERIMENTS[name].row for name in runs}


def test_families_stand_under_their_root_children_one_deeper(data):
    for group in data["groups"]["family"]:
        depth = dict(group["members"])
        root = group["members"][0][0]
        assert group["title"].startswith(root)
        assert depth[root] == 0
        for name, deep in depth.items():
            if name != root and EXPERIMENTS[name].parent in depth:
                assert deep == depth[EXPERIMENTS[name].parent] + 1


def test_page_opens_with_the_best_of_the_ladder_after_what_led_to_it(runs):
    start = opening(runs)
    means = {
        name: np.mean([r.data["metrics"]["val_top1"] for r in records])
        for name, records in runs.items()
    }
    assert all(means[start[-1]] >= means[name] for name in start)
    for parent, child in itertools.pairwise(start):
        assert parent in ancestors(child)
    assert opening({}) == []


def test_interval_is_students_over_seeds():
    mean, low, high = mean_and_interval([0.40, 0.42, 0.44])
    half = 4.302653 * 0.02 / 3**0.5
    assert (mean, low, high) == pytest.approx((0.42, 0.42 - half, 0.42 + half))
    assert mean_and_interval([0.3]) == (0.3, None, None)


# table


def test_table_states_the_final_accuracy_and_the_paired_effect(runs, rows):
    for name, records in runs.items():
        top1 = [r.data["metrics"]["val_top1"] for r in records]
        assert rows[name]["val_top1"] == f"{100 * np.mean(top1):.1f} %"
        assert rows[name]["n"] == len(top1)
        assert (rows[name]["interval"] is None) == (len(top1) == 1)
    told = rows["dropout_before"]["effect"]
    effect = compare("dropout_before", "baseline")
    assert told["mean"] == pp(effect.mean)
    assert (told["n"], told["word"]) == (effect.n, effect.word)
    assert rows["simple_cnn"]["effect"] is None


def test_change_is_told_with_what_stood_before(rows):
    (change,) = rows["dropout_before"]["changes"]
    assert change == {"setting": "dropout", "before": "0", "after": "0.2"}
    (change,) = rows["dropout_after_augmented"]["changes"]
    assert change == {
        "setting": "augmentation",
        "before": "none",
        "after": "flip, crop",
    }
    assert rows["simple_cnn"]["changes"] == []


def test_seconds_are_those_of_runs_that_had_their_machine_alone(runs):
    first, second, *_ = runs["baseline"]
    seconds = {**first.data["seconds"], "train": 12.3}
    pair = [changed(first, exclusive=True, seconds=seconds), second]
    (row,) = table_rows({"baseline": pair}, {})
    assert (row["seconds"], row["shared"]) == ("12", False)
    (row,) = table_rows({"baseline": [replace(first), second]}, {})
    assert row["shared"]


def test_text_in_the_data_cannot_end_its_element():
    text = "</script><!--"
    embedded = str(_embedded({"search": text}))
    assert "<" not in embedded
    assert json.loads(embedded) == {"search": text}


# page


def test_page_needs_no_predictions_and_lists_every_experiment(home_with_records, runs):
    page = explorer_of(home_with_records)
    soup = BeautifulSoup(page.read_text(), "html.parser")
    names = [row["data-name"] for row in soup.select("#explorer-table tbody tr")]
    assert names == list(runs)
    assert json.loads(soup.find(id="explorer-data").string)["start"] == opening(runs)
    assert page.stat().st_size < 1_000_000


def test_page_without_records_says_so(home):
    soup = BeautifulSoup(explorer_of(home).read_text(), "html.parser")
    assert "No run is recorded" in soup.main.get_text()
    assert not soup.find(id="explorer-tool")


def test_changed_record_makes_the_explorer_anew_and_nothing_else_does(
    home_with_records,
):
    options = Options(notebooks=home_with_records / "notebooks")
    write(options.notebooks, "00-one", "print(1)")
    page = build(options, print).with_name("explorer.html")
    first = page.read_text()
    lines = []
    build(options, lines.append)
    assert lines == ["nothing has changed"]

    path = home_with_records / "records" / "baseline" / "seed-0.json"
    content = json.loads(path.read_text())
    content["epochs"][0]["val_top1"] = 0.1234
    write_json(path, content)
    build(options, print)
    assert "0.1234" not in first
    assert "0.1234" in page.read_text()
