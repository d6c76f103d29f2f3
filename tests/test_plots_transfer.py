"""Figures of notebook 14: what is given is drawn, and not by colour alone."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cifar100 import plots
from cifar100.plots.transfer import BESIDE


@pytest.fixture
def finals():
    rows = [
        ("frozen", 64, 31e6, 0.50),
        ("frozen", 64, 31e6, 0.54),
        ("frozen", 128, 125e6, 0.70),
        ("frozen", 128, 125e6, 0.72),
        ("fine-tuned", 64, 31e6, 0.75),
        ("from scratch", 64, 31e6, 0.40),
    ]
    return pd.DataFrame(rows, columns=["kind", "image_size", "macs", "val_top1"])


@pytest.fixture
def few():
    rows = [(5, 0.2), (5, 0.3), (25, 0.4), (25, 0.5), (450, 0.7), (450, 0.7)]
    return pd.DataFrame(rows, columns=["images_per_class", "val_top1"])


@pytest.fixture
def shares():
    rows = [
        ("scratch", 0, 0.4, 0.1, 0.5),
        ("scratch", 1, 0.6, 0.1, 0.3),
        ("tuned", 0, 0.8, 0.1, 0.1),
    ]
    columns = ["experiment", "seed", "right", "near", "far"]
    return pd.DataFrame(rows, columns=columns)


def drawn(axes, gid):
    """The points of all lines of `axes` that carry `gid`, in the order of drawing."""
    lines = [line for line in axes.lines if line.get_gid() == gid]
    return [
        tuple(map(float, p)) for x in lines for p in zip(*x.get_data(), strict=True)
    ]


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_resolutions_join_the_means_of_each_kind_where_sizes_double(finals):
    axes = plots.plot_resolutions(finals).axes[0]
    expected = [(6, 0.52), (7, 0.71), (6, 0.75), (6, 0.40)]
    assert drawn(axes, "means") == [pytest.approx(point) for point in expected]
    lines = [line for line in axes.lines if line.get_gid() == "means"]
    looks = {(line.get_marker(), line.get_linestyle()) for line in lines}
    assert len(looks) == 3


def test_resolutions_show_every_seed_and_what_a_size_costs(finals):
    axes = plots.plot_resolutions(finals).axes[0]
    seeds = [
        (np.log2(s) + BESIDE, y) for s, y in finals[["image_size", "val_top1"]].values
    ]
    assert drawn(axes, "seeds") == [pytest.approx(point) for point in seeds]
    assert labels(axes.xaxis) == ["64\n31 M", "128\n125 M"]


def test_a_target_is_drawn_only_where_there_is_one(finals):
    assert drawn(plots.plot_resolutions(finals).axes[0], "level") == []
    axes = plots.plot_resolutions(finals, target=0.78).axes[0]
    assert {y for _, y in drawn(axes, "level")} == {0.78}
    assert "target 78%" in axes.get_legend_handles_labels()[1]


def test_an_unknown_way_of_training_is_refused(finals):
    with pytest.raises(KeyError):
        plots.plot_resolutions(finals.replace("frozen", "frosted"))


def test_pictures_needed_are_on_a_log_scale_beside_the_levels_to_reach(few):
    axes = plots.plot_images_needed(few, {"own network": 0.6, "other": 0.1}).axes[0]
    expected = [(5, 0.25), (25, 0.45), (450, 0.7)]
    assert drawn(axes, "means") == [pytest.approx(point) for point in expected]
    assert [y for _, y in drawn(axes, "seeds")] == list(few["val_top1"])
    assert axes.get_xscale() == "log"
    assert labels(axes.xaxis) == ["5", "25", "450"]
    assert {y for _, y in drawn(axes, "level")} == {0.6, 0.1}
    assert axes.get_legend_handles_labels()[1] == [
        *("own network", "other", "frozen features"),
    ]


def test_pictures_needed_need_no_level_to_be_drawn(few):
    assert drawn(plots.plot_images_needed(few, {}).axes[0], "level") == []


def test_parts_of_all_pictures_follow_one_another_and_fill_the_bar(shares):
    axes = plots.plot_superclass_errors(shares, chance=0.04).axes[0]
    bars = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    expected = [(0, 0.5), (0, 0.8), (0.5, 0.1), (0.8, 0.1), (0.6, 0.4), (0.9, 0.1)]
    assert bars == [pytest.approx(bar) for bar in expected]
    assert len({bar.get_hatch() for bar in axes.patches}) == 3
    assert labels(axes.yaxis) == ["scratch", "tuned"]
    bottom, top = axes.get_ylim()
    assert bottom > top


def test_share_of_errors_in_the_superclass_is_written_and_chance_is_marked(shares):
    axes = plots.plot_superclass_errors(shares, chance=0.04).axes[0]
    assert [text.get_text() for text in axes.texts] == ["20%", "50%"]
    marks = drawn(axes, "chance")
    assert [x for x, _ in marks[::2]] == pytest.approx([0.52, 0.808])


def test_a_network_without_an_error_is_drawn():
    columns = {"experiment": ["x"], "right": [1.0], "near": [0.0], "far": [0.0]}
    axes = plots.plot_superclass_errors(pd.DataFrame(columns), chance=0.04).axes[0]
    assert [text.get_text() for text in axes.texts] == ["0%"]


def test_all_figures_are_closed(finals, few, shares):
    plots.plot_resolutions(finals)
    plots.plot_images_needed(few, {})
    plots.plot_superclass_errors(shares, chance=0.04)
    assert plt.get_fignums() == []
