"""Figures of the deep networks: what is given is drawn, and not by colour alone."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cifar100 import plots


@pytest.fixture
def blocks():
    return pd.DataFrame(
        {
            "block": ["1", "2", "head"],
            "parameters": [10, 30, 60],
            "macs": [600, 300, 100],
            "map": [32.0, 16.0, np.nan],
            "sees": [5.0, 14.0, np.nan],
        }
    )


@pytest.fixture
def finals():
    rows = [
        (20, False, 0.6, 0.4),
        (20, False, 0.7, 0.5),
        (20, True, 0.65, 0.45),
        (56, True, 0.8, 0.5),
        (56, False, 0.3, 0.2),
    ]
    columns = ["depth", "shortcuts", "train_top1", "val_top1"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def layers():
    rows = [
        (network, layer, 1 + (layer > 3), norm * layer)
        for network, norm in (("plain56", 0.1), ("resnet56", 10.0))
        for layer in range(1, 7)
    ]
    return pd.DataFrame(rows, columns=["network", "layer", "stage", "norm"])


@pytest.fixture
def steps():
    rows = [
        ("plain56", 1e-4, 2.0, -0.1),
        ("plain56", 1e-3, 20.0, 0.0),
        ("resnet56", 1e-4, 0.1, 0.09),
        ("resnet56", 1e-3, 1.0, 0.5),
    ]
    return pd.DataFrame(rows, columns=["network", "length", "promised", "kept"])


@pytest.fixture
def heads():
    columns = {"experiment": ["dense", "average"], "body": [25, 25], "head": [75, 5]}
    return pd.DataFrame(columns)


@pytest.fixture
def shifts():
    rows = [("map", 0, 1.0), ("map", 8, 0.4), ("mean", 0, 0.9), ("mean", 8, 0.8)]
    return pd.DataFrame(rows, columns=["features", "shift", "share"])


def curve(axes, label):
    """(xs, ys) of the line with that label in the legend."""
    [line] = [line for line in axes.lines if line.get_label() == label]
    return list(line.get_xdata()), list(line.get_ydata())


def looks(axes, labels):
    """Marker and line style of each of these lines."""
    lines = [line for line in axes.lines if line.get_label() in labels]
    return {(line.get_marker(), line.get_linestyle()) for line in lines}


def test_bars_of_blocks_are_shares_of_the_network_and_start_at_zero(blocks):
    axes = plots.plot_block_costs(blocks).axes[0]
    heights = [round(bar.get_height(), 6) for bar in axes.patches]
    assert heights == [0.1, 0.3, 0.6, 0.6, 0.3, 0.1]
    assert {bar.get_y() for bar in axes.patches} == {0}
    assert {bar.get_hatch() for bar in axes.patches} == {"", "///"}


def test_map_and_view_are_drawn_where_there_is_a_map(blocks):
    axes = plots.plot_block_costs(blocks).axes[1]
    assert curve(axes, "map") == (["1", "2"], [32, 16])
    assert curve(axes, "seen by one place") == (["1", "2"], [5, 14])
    assert curve(axes, "the picture")[1] == [32, 32]
    assert len(looks(axes, ["map", "seen by one place"])) == 2


def test_depths_join_the_means_and_show_every_seed(finals):
    train, val = plots.plot_depths(finals).axes
    assert curve(train, "with shortcuts") == ([0, 1], [0.65, 0.8])
    assert curve(val, "without shortcuts") == ([0, 1], pytest.approx([0.45, 0.2]))
    assert [label.get_text() for label in val.get_xticklabels()] == ["20", "56"]
    seeds = [line for line in val.lines if line.get_gid() == "seeds"]
    drawn = sorted(y for line in seeds for y in line.get_ydata())
    assert drawn == sorted(finals["val_top1"])


def test_depths_can_be_compared_across_panels(finals):
    train, val = plots.plot_depths(finals).axes
    assert train.get_ylim() == val.get_ylim()
    assert looks(val, ["with shortcuts", "without shortcuts"]) == {
        ("o", "-"),
        ("s", "--"),
    }


def test_gradient_of_every_layer_is_drawn_on_a_scale_of_factors(layers):
    axes = plots.plot_gradients(layers).axes[0]
    xs, ys = curve(axes, "plain56")
    assert xs == [1, 2, 3, 4, 5, 6]
    assert ys == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert axes.get_yscale() == "log"
    markers = {marker for marker, _ in looks(axes, ["plain56", "resnet56"])}
    assert len(markers) == 2


def test_a_line_stands_between_two_stages_and_not_before_the_first(layers):
    axes = plots.plot_gradients(layers).axes[0]
    borders = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 2]
    assert borders == [3.5]
    named = {text.get_text(): text.xy[0] for text in axes.texts}
    assert named == {"stage 1": 1, "stage 2": 4}


def test_a_promise_is_the_share_kept_and_may_be_negative(steps):
    axes = plots.plot_promises(steps).axes[0]
    assert curve(axes, "plain56") == ([1e-4, 1e-3], pytest.approx([-0.05, 0.0]))
    assert curve(axes, "resnet56") == ([1e-4, 1e-3], pytest.approx([0.9, 0.5]))
    markers = {marker for marker, _ in looks(axes, ["plain56", "resnet56"])}
    assert len(markers) == 2


def test_a_network_keeps_its_colour_whatever_stands_beside_it(layers, steps):
    def color(figure):
        lines = figure.axes[0].lines
        return next(x.get_color() for x in lines if x.get_label() == "resnet56")

    alone = layers[layers["network"] == "resnet56"]
    figures = [
        plots.plot_gradients(layers),
        plots.plot_gradients(alone),
        plots.plot_promises(steps),
    ]
    assert len({color(figure) for figure in figures}) == 1


def test_head_follows_body_and_its_share_is_written_at_the_end(heads):
    axes = plots.plot_heads(heads).axes[0]
    bars = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    assert bars == [(0, 25), (0, 25), (25, 75), (25, 5)]
    assert [text.get_text() for text in axes.texts] == ["head 75%", "head 17%"]
    assert axes.get_xlim()[0] == 0
    bottom, top = axes.get_ylim()
    assert bottom > top  # the first network stands on top


def test_shifts_are_drawn_for_each_description(shifts):
    axes = plots.plot_shifts(shifts).axes[0]
    assert curve(axes, "map") == ([0, 8], [1.0, 0.4])
    assert curve(axes, "mean") == ([0, 8], [0.9, 0.8])
    assert axes.get_ylim()[0] == 0
    assert len(looks(axes, ["map", "mean"])) == 2


def test_all_figures_are_closed(blocks, finals, layers, steps, heads, shifts):
    plots.plot_block_costs(blocks)
    plots.plot_depths(finals)
    plots.plot_gradients(layers)
    plots.plot_promises(steps)
    plots.plot_heads(heads)
    plots.plot_shifts(shifts)
    assert plt.get_fignums() == []
