"""Figures of notebook 13: every number given is drawn, and where it belongs."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cifar100 import plots


def drawn(axes, gid):
    """The points of each line of `axes` that carries `gid`."""
    return [
        [(float(x), float(y)) for x, y in zip(*line.get_data(), strict=True)]
        for line in axes.lines
        if line.get_gid() == gid
    ]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


# Whitening


def test_covariances_share_one_scale_around_zero():
    before, after = np.full((12, 12), -0.9), np.eye(12)
    left, right = plots.plot_covariances({"before": before, "after": after}).axes[:2]
    assert [axes.get_title() for axes in (left, right)] == ["before", "after"]
    assert np.array_equal(left.images[0].get_array(), before)
    assert np.array_equal(right.images[0].get_array(), after)
    assert [axes.images[0].get_clim() for axes in (left, right)] == [(-1, 1)] * 2


# The plan of a run


def test_plan_shows_every_rate_and_each_size_until_the_next():
    steps = pd.DataFrame(
        {
            "epoch": [0.0, 0.5, 1.0, 1.5],
            "one": [0.1, 0.8, 0.4, 0.0],
            "other": [0.01, 0.08, 0.04, 0.0],
            "side": [16, 16, 32, 32],
        }
    )
    figure = plots.plot_plan(steps)
    upper, lower = figure.axes
    assert legend(figure) == ["one", "other"]
    assert [list(line.get_ydata()) for line in upper.lines] == [
        list(steps["one"]),
        list(steps["other"]),
    ]
    (sides,) = lower.lines
    assert list(sides.get_ydata()) == [16, 16, 32, 32]
    assert sides.get_drawstyle() == "steps-post"
    assert list(lower.get_yticks()) == [16, 32]


# Flips


def test_flips_point_to_where_the_picture_points_and_ring_what_was_seen():
    table = np.array([[False, True], [False, False]])
    figure = plots.plot_flips({"drawn": table, "turned": ~table})
    first, second = figure.axes
    assert drawn(first, "as it is") == [[(1, 1), (1, 2), (2, 2)]]
    assert drawn(first, "mirrored") == [[(2, 1)]]
    assert drawn(first, "again") == [[(1, 2)]]
    assert drawn(second, "mirrored") == drawn(first, "as it is")
    marks = {line.get_gid(): line.get_marker() for line in first.lines}
    assert marks["as it is"] == ">"
    assert marks["mirrored"] == "<"
    bottom, top = first.get_ylim()
    assert bottom > top


def test_alternating_flips_ring_nothing():
    once = np.array([True, False, True])
    table = np.array([once, ~once, once])
    (axes,) = plots.plot_flips({"alternating": table}).axes
    assert drawn(axes, "again") == [[]]


# Singular values


def test_singular_values_fall_along_the_axis_with_a_look_of_their_own():
    figure = plots.plot_singular_values({"one": [1, 3, 2], "other": [1, 1, 1]})
    (axes,) = figure.axes
    one, other = axes.lines
    assert list(one.get_ydata()) == [3, 2, 1]
    assert list(one.get_xdata()) == [1, 2, 3]
    assert one.get_marker() != other.get_marker()
    assert one.get_linestyle() != other.get_linestyle()
    assert axes.get_yscale() == "log"
    assert legend(figure) == ["one", "other"]


# The clock


def epochs():
    """Runs in no order; the seconds are those of an epoch, not of all so far."""
    rows = [
        (name, seed, epoch, seconds * (1 + seed), 0.1 * epoch + 0.01 * seed)
        for name, seconds, length in (("fast", 60, 2), ("fast_wide", 240, 3))
        for seed in range(2)
        for epoch in range(1, length + 1)
    ]
    columns = ["experiment", "seed", "epoch", "seconds", "val_top1"]
    return pd.DataFrame(rows, columns=columns).iloc[::-1]


def test_clock_adds_up_the_seconds_of_each_run():
    (axes,) = plots.plot_time_to_accuracy(epochs(), []).axes
    runs = drawn(axes, "run")
    assert [(1, 0.1), (2, 0.2)] in [[pytest.approx(p) for p in run] for run in runs]
    assert [pytest.approx(p) for p in [(8, 0.11), (16, 0.21), (24, 0.31)]] in runs
    assert len(runs) == 4


def test_clock_marks_the_end_of_each_run_and_counts_the_seeds():
    figure = plots.plot_time_to_accuracy(epochs(), [])
    ends = [point for (point,) in drawn(figure.axes[0], "end")]
    expected = [(2, 0.2), (4, 0.21), (12, 0.3), (24, 0.31)]
    assert sorted(ends) == [pytest.approx(point) for point in expected]
    assert set(legend(figure)) == {"fast, 2 seeds", "fast_wide, 2 seeds"}
    one = epochs().query("seed == 0 and experiment == 'fast'")
    assert legend(plots.plot_time_to_accuracy(one, [])) == ["fast, 1 seed"]


def test_clock_draws_the_targets_and_writes_them():
    (axes,) = plots.plot_time_to_accuracy(epochs(), [0.65, 0.75]).axes
    assert [line[0][1] for line in drawn(axes, "target")] == [0.65, 0.75]
    assert [text.get_text() for text in axes.texts] == ["65%", "75%"]


def test_experiments_on_the_clock_differ_by_more_than_colour():
    (axes,) = plots.plot_time_to_accuracy(epochs(), []).axes
    ends = [line for line in axes.lines if line.get_gid() == "end"]
    assert len({line.get_marker() for line in ends}) == 2
    assert len({line.get_color() for line in ends}) == 2


def test_no_runs_are_no_figure():
    with pytest.raises(ValueError, match="no runs"):
        plots.plot_time_to_accuracy(epochs().iloc[:0], [0.65])


def test_figures_are_closed():
    plots.plot_time_to_accuracy(epochs(), [])
    plots.plot_flips({"one": np.zeros((2, 2), bool)})
    plots.plot_covariances({"one": np.eye(3)})
    assert plt.get_fignums() == []
