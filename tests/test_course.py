"""What notebooks call: checked profiles, figures with their words, missing data."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from cifar100 import course, paths, plots
from cifar100.errors import DataMissing, UserError, WorkError
from cifar100.experiments import EXPERIMENTS
from cifar100.plots.style import experiment_markers, experiment_palette
from tests.packed_records import store


def small_figure():
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3], [0.1, 0.3, 0.2], label="val")
    axes.legend()
    plt.close(figure)
    return figure


def shown(figure, **more):
    """What `show` displays: the data and the metadata of its one output."""
    words = {"caption": "It rises & falls.", "alt": 'A line with a "peak".'}
    InteractiveShell.instance()  # without a shell, display prints
    with capture_output() as captured:
        course.show(figure, "00-small", **(words | more))
    (output,) = captured.outputs
    return output.data, output.metadata


def test_a_mistyped_profile_is_refused_with_the_nearest_name():
    with pytest.raises(UserError, match="unknown profile 'raed'; did you mean 'read'"):
        course.begin("raed")


def test_a_notebook_shows_wrong_input_in_one_line_without_a_traceback():
    shell = InteractiveShell.instance()
    with capture_output() as captured:
        shell.run_cell("from cifar100 import course; course.begin('quik')")
    shown = captured.stdout + captured.stderr
    assert shown.strip() == "error: unknown profile 'quik'; did you mean 'quick'?"


def test_the_banner_names_the_profile_and_counts_the_runs():
    text = course.begin("read").data
    assert "`read`" in text
    stored = len(list(paths.records().glob("*/seed-*.json")))
    assert f"{stored} recorded runs" in text


def test_a_figure_carries_caption_and_alt_text(home):
    course.begin("read")
    data, metadata = shown(small_figure())
    assert metadata["cifar100"]["name"] == "00-small"
    assert metadata["cifar100"]["caption"] == "It rises & falls."
    assert 'alt="A line with a &quot;peak&quot;."' in data["text/html"]
    assert "<figcaption>It rises &amp; falls.</figcaption>" in data["text/html"]
    assert data["text/plain"] == 'A line with a "peak".'


def test_equal_figures_give_equal_files_without_a_date(home):
    course.begin("read")
    contents = []
    for _ in range(2):
        shown(small_figure())
        contents.append((paths.figures() / "00-small.svg").read_text())
    assert contents[0] == contents[1]
    assert not re.search(r"<dc:date>", contents[0])


def test_pictures_of_the_data_set_stay_out_of_the_tracked_folder(home):
    course.begin("read")
    data, _ = shown(small_figure, images=True)
    assert "image/png" in data
    assert [p.name for p in paths.figures().iterdir()] == ["samples"]
    assert (paths.figures() / "samples" / "00-small.png").exists()


def test_only_read_writes_figures(home):
    course.begin("smoke")
    shown(small_figure())
    assert not paths.figures().exists()


def test_a_figure_that_needs_the_data_set_becomes_a_note(home):
    def draw():
        raise DataMissing("CIFAR-100 is not here; `cifar100 data` gets it")

    course.begin("read")
    data, _ = shown(draw, images=True)
    assert "Not shown here" in data["text/markdown"]
    assert "cifar100 data" in data["text/markdown"]


def test_read_without_records_says_how_they_are_made(home):
    with pytest.raises(WorkError, match="cifar100 record --only simple_cnn"):
        course.run_or_load("simple_cnn", "read")


@pytest.mark.data
def test_an_idea_of_the_readers_own_is_trained_beside_the_live_run(home_with_data):
    live = course.run_or_load("simple_cnn", "smoke")
    idea = {"arguments": {"filters": (8, 16)}}
    shown = course.try_out("simple_cnn", live, "smoke", **idea)
    assert list(shown.index) == ["simple_cnn", "yours: filters = [8, 16]"]
    assert shown["val_top1"].between(0, 1).all()
    assert not paths.records().exists()
    assert "filters = [8, 16]" in course.try_out("simple_cnn", [], "read", **idea).data
    with pytest.raises(UserError, match="did you mean 'epochs'"):
        course.try_out("simple_cnn", live, "quick", epoch=3)


def test_evidence_that_is_missing_is_trained_in_full_and_only_there(home, monkeypatch):
    asked = []

    def train(name, seeds, **more):
        asked.append((name, seeds, more))
        for seed in seeds:
            store(name, seed)

    monkeypatch.setattr(course.recording, "train_and_store", train)
    store("simple_cnn", 1)
    names = "simple_cnn", "finetuned_96"
    course.begin("quick", engine=False)
    with pytest.raises(WorkError, match="no record of finetuned_96"):
        course.evidence_of(*names)
    course.begin("full", engine=False)
    found = course.evidence_of(*names)
    assert [(r.experiment, r.seed) for r in found] == [
        *(("simple_cnn", seed) for seed in range(5)),
        *(("finetuned_96", seed) for seed in range(3)),
    ]
    assert asked == [
        ("simple_cnn", [0, 2, 3, 4], {"exclusive": False}),
        ("finetuned_96", [0, 1, 2], {"exclusive": True}),
    ]
    course.begin("read")


def test_a_demonstration_is_stored_in_full_and_read_back(home):
    calls = []

    def compute():
        calls.append(1)
        return {"losses": [4.5, 4.25]}

    with pytest.raises(WorkError, match="no record of 'demo'"):
        course.recorded("demo", compute, "read")
    live = course.recorded("demo", compute, "quick")
    assert not (paths.records() / "demonstrations").exists()
    stored = course.recorded("demo", compute, "full")
    assert course.recorded("demo", compute, "read") == stored == live
    assert len(calls) == 2


@pytest.mark.data
def test_labels_of_val_are_stored_once_and_need_no_data_set_then(home_with_data):
    course.begin("read", engine=False)
    with pytest.raises(WorkError, match="no record of 'val-labels'"):
        course.val_labels()
    course.begin("full", engine=False)
    first, stored = course.val_labels(), paths.demonstration("val-labels")
    (home_with_data / ".cache" / "data").unlink()
    written = stored.stat().st_mtime_ns
    again = course.val_labels()
    course.begin("read", engine=False)
    assert stored.stat().st_mtime_ns == written
    assert first.shape == (5_000,)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, course.val_labels())


def test_counts_of_answers_are_those_of_all_runs(records_only, monkeypatch):
    monkeypatch.setenv("CIFAR100_HOME", str(records_only))
    course.begin("read", engine=False)
    runs = course.evidence_of("simple_cnn")
    counts = course.confusion(runs)
    assert (counts.sum(axis=1) == 50 * len(runs)).all()
    right = sum(run.data["metrics"]["val_top1"] for run in runs)
    assert np.trace(counts) == pytest.approx(5_000 * right)


def test_an_experiment_keeps_its_colour_whatever_is_beside_it():
    names = list(EXPERIMENTS)
    whole = experiment_palette(names)
    for name in names:
        assert experiment_palette([name]) == {name: whole[name]}
    markers = experiment_markers(names)
    for row in {e.row for e in EXPERIMENTS.values()}:
        mine = [e.name for e in EXPERIMENTS.values() if e.row == row][:10]
        looks = {(whole[name], markers[name]) for name in mine}
        assert len(looks) == len(mine)


def test_learning_curves_show_the_mean_of_the_seeds():
    rows = [
        {
            "experiment": "simple_cnn",
            "seed": s,
            "epoch": e,
            "val_top1": 0.1 * e + s / 50,
        }
        for s in range(3)
        for e in (1, 2)
    ]
    figure = plots.plot_learning_curves(pd.DataFrame(rows))
    (axes,) = figure.axes
    line = next(line for line in axes.lines if len(line.get_xdata()) == 2)
    assert list(line.get_ydata()) == pytest.approx([0.12, 0.22])
    assert axes.get_ylabel() == "val top-1"


def test_ticks_of_a_percent_axis_are_whole_percents():
    figure, axes = plt.subplots()
    axes.set_ylim(0.215, 0.43)
    plots.style.percent_axis(axes)
    figure.canvas.draw()
    texts = [tick.get_text() for tick in axes.get_yticklabels()]
    values = [float(text.rstrip("%")) / 100 for text in texts]
    assert values == pytest.approx(list(axes.get_yticks()), abs=1e-9)
    plt.close(figure)
