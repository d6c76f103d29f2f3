"""Figures of notebook 05: every number given is drawn, and where it belongs."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cifar100 import plots
from cifar100.evidence import Contrast, effects
from cifar100.plots.mechanisms import POSITIONS


def drawn(axes, gid):
    """The lines of `axes` that carry `gid`, as lists of (x, y)."""
    return [
        list(zip(*line.get_data(), strict=True))
        for line in axes.lines
        if line.get_gid() == gid
    ]


def ticks(axis):
    """Labels of the ticks within the limits; matplotlib keeps others beside them."""
    low, high = sorted(axis.get_view_interval())
    return [
        tick.label1
        for tick in axis.get_major_ticks()
        if low <= tick.get_loc() <= high and tick.label1.get_visible()
    ]


def overlaps(figure):
    """Pairs of texts whose boxes, as drawn, cover one another."""
    FigureCanvasAgg(figure).draw()
    texts = [
        text
        for axes in figure.axes
        for text in (*axes.texts, *ticks(axes.xaxis), *ticks(axes.yaxis))
        if text.get_text()
    ]
    boxes = [(t.get_text(), t.get_window_extent().shrunk(0.98, 0.98)) for t in texts]
    return [
        (one, other)
        for place, (one, box) in enumerate(boxes)
        for other, second in boxes[:place]
        if box.overlaps(second)
    ]


# Two orders


@pytest.fixture
def orders():
    whole = np.arange(16.0).reshape(4, 4)
    part = np.array([[5.0, 7.0], [13.0, 15.0]])
    gone = np.zeros((4, 4), bool)
    gone[1, 1] = gone[3, 2] = True
    return {
        "before pooling": [
            plots.Grid("map", whole),
            plots.Grid("dropout", whole, gone),
            plots.Grid("max-pooling", part),
        ],
        "after pooling": [
            plots.Grid("map", whole),
            plots.Grid("max-pooling", part),
            plots.Grid("dropout", part, np.ones((2, 2), bool)),
        ],
    }


def test_orders_write_every_number_of_every_map(orders):
    axes = plots.plot_orders(orders).axes[0]
    expected = [
        f"{value:.1f}"
        for grids in orders.values()
        for grid in grids
        for value in grid.values.flat
    ]
    written = [t.get_text() for t in axes.texts]
    assert sorted(t for t in written if t.endswith(".0")) == sorted(expected)
    assert {"before\npooling", "after\npooling", "max-pooling"} <= set(written)


def test_orders_cross_out_what_was_dropped_and_nothing_else(orders):
    axes = plots.plot_orders(orders).axes[0]
    crosses = drawn(axes, "dropped")
    assert len(crosses) == 2 * (2 + 4)  # two strokes each
    left, _, lower, upper = axes.images[1].get_extent()  # of the first with dropout
    middles = {tuple(np.round(np.mean(c, axis=0) - (left, upper), 3)) for c in crosses}
    assert {(1.5, 1.5), (2.5, 3.5)} <= middles
    assert lower - upper == 4


def test_orders_draw_all_maps_inside_the_figure_and_apart(orders):
    axes = plots.plot_orders(orders).axes[0]
    boxes = [image.get_extent() for image in axes.images]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert all(left < a < b < right and top < d < c < bottom for a, b, c, d in boxes)
    assert min(text.get_position()[0] for text in axes.texts) > left
    for place, one in enumerate(boxes):
        for other in boxes[:place]:
            beside = one[1] < other[0] or other[1] < one[0]
            assert beside or one[2] < other[3] or other[2] < one[3]


def test_orders_need_equally_many_maps_a_row(orders):
    orders["after pooling"].pop()
    with pytest.raises(ValueError, match="shorter"):
        plots.plot_orders(orders)


# Simulated mismatch, and rates


def test_mismatch_draws_each_quantity_of_each_position_in_its_panel():
    rows = [
        {
            "position": p,
            "rate": r,
            "mean_ratio": 1 + r * k,
            "kept": 1 - r,
            "variance_ratio": 2 + r * k,
        }
        for k, p in enumerate(POSITIONS)
        for r in (0.0, 0.2, 0.5)
    ]
    panels = plots.plot_mismatch(pd.DataFrame(rows)).axes
    table = pd.DataFrame(rows)
    for axes, column in zip(
        panels, ("mean_ratio", "variance_ratio", "kept"), strict=True
    ):
        for position in POSITIONS:
            line = next(x for x in axes.lines if x.get_label() == position)
            expected = table.loc[table["position"] == position, column]
            assert np.array_equal(line.get_ydata(), expected)


@pytest.fixture
def curve():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "position": position,
            "rate": rate,
            "share": rate**power,
            "seed": seed,
            "val_top1": 0.4 + rate / 10 + rng.normal(0, 0.004),
        }
        for position, power in zip(POSITIONS, (4, 1), strict=True)
        for rate in (0.5, 0.1, 0.2)
        for seed in range(3)
    )


def test_rates_join_the_means_in_the_order_of_the_axis(curve):
    panels = plots.plot_rates(curve, [0.40, 0.42]).axes
    for axes, column in zip(panels, ("rate", "share"), strict=True):
        for position in POSITIONS:
            line = next(x for x in axes.lines if x.get_label() == position)
            rows = curve[curve["position"] == position]
            means = rows.groupby(column)["val_top1"].mean()
            assert np.array_equal(line.get_xdata(), sorted(set(rows[column])))
            assert np.allclose(line.get_ydata(), means)
        assert sum(len(points) for points in drawn(axes, "seeds")) == len(curve)


def test_rates_show_the_network_without_dropout_with_its_spread(curve):
    figure = plots.plot_rates(curve, [0.40, 0.42])
    for axes in figure.axes:
        line = next(x for x in axes.lines if x.get_label() == "no dropout")
        assert line.get_ydata()[0] == pytest.approx(0.41)
        box = axes.patches[0].get_bbox()
        spread = np.std([0.40, 0.42], ddof=1)
        assert (box.y0, box.y1) == pytest.approx((0.41 - spread, 0.41 + spread))
    assert overlaps(figure) == []


# Conditions


@pytest.fixture
def conditions():
    """Two conditions of three seeds: scores, and after minus before."""
    values = {
        "one": {"before pooling": [0.40, 0.41, 0.42], "after pooling": [0.44] * 3},
        "two": {"before pooling": [0.45] * 3, "after pooling": [0.43, 0.42, 0.43]},
    }
    scores = pd.DataFrame(
        {"condition": c, "position": p, "seed": s, "val_top1": v}
        for c, both in values.items()
        for p, found in both.items()
        for s, v in enumerate(found)
    )
    seeds = {
        f"{c}, {p}": dict(enumerate(found))
        for c, both in values.items()
        for p, found in both.items()
    }
    asked = [Contrast(f"{c}, after pooling", f"{c}, before pooling") for c in values]
    return scores, dict(zip(values, effects(seeds, asked), strict=True))


def test_conditions_put_levels_left_and_differences_right(conditions):
    scores, differences = conditions
    left, right = plots.plot_conditions(scores, differences).axes
    labels = [text.get_text() for text in left.get_yticklabels()]
    assert labels == ["one", "two"]
    means = sorted(point for line in drawn(left, "mean") for point in line)
    assert np.allclose(
        means, sorted([(0.41, 0), (0.44, 0), (0.45, 1), (0.42667, 1)]), atol=1e-4
    )
    assert sum(len(points) for points in drawn(left, "seeds")) == len(scores)
    dots = [x for x in right.lines if x.get_marker() == "D"]
    assert [float(d.get_xdata()[0]) for d in dots] == pytest.approx(
        [3.0, -2.3333], 1e-3
    )
    bars = [
        x.get_xdata()
        for x in right.lines
        if len(set(x.get_ydata())) == 1 and len(x.get_xdata()) == 2
    ]
    for bar, effect in zip(bars, differences.values(), strict=True):
        assert 0.01 * bar[0] == pytest.approx(effect.moderated_low)
        assert 0.01 * bar[1] == pytest.approx(effect.moderated_high)


def test_positions_differ_by_more_than_their_colour(conditions):
    looks = list(POSITIONS.values())
    for key in ("color", "marker", "linestyle"):
        assert len({look[key] for look in looks}) == len(looks)
    figure = plots.plot_conditions(*conditions)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == list(POSITIONS)
    assert overlaps(figure) == []
