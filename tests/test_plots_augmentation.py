"""Figures of notebooks 11 and 12: every number given is drawn, and where it belongs."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cifar100 import plots
from cifar100.evidence import Contrast, effects
from cifar100.plots.augmentation import BELOW, BESIDE, LOOKS, RIGHT, WRONG


def drawn(axes, gid):
    """The points of all lines of `axes` that carry `gid`, in the order of drawing."""
    lines = [line for line in axes.lines if line.get_gid() == gid]
    points = [zip(*line.get_data(), strict=True) for line in lines]
    return [(float(x), float(y)) for some in points for x, y in some]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


# Two changes at once

TOP1 = {
    ("plain", "narrow"): [0.40, 0.42, 0.41],
    ("plain", "wide"): [0.41, 0.42, 0.44],
    ("crops", "narrow"): [0.45, 0.46, 0.47],
    ("crops", "wide"): [0.50, 0.50, 0.50],
}


def interaction():
    rows = [
        {"first": first, "second": second, "seed": seed, "val_top1": top1}
        for (first, second), values in TOP1.items()
        for seed, top1 in enumerate(values)
    ]
    gains = {
        first: np.subtract(TOP1[first, "wide"], TOP1[first, "narrow"])
        for first in ("plain", "crops")
    }
    gains["difference"] = gains["crops"] - gains["plain"]
    values = {name: dict(enumerate(gain)) for name, gain in gains.items()}
    values["zero"] = dict.fromkeys(range(3), 0.0)
    asked = [Contrast(name, "zero") for name in gains]
    return pd.DataFrame(rows), gains, effects(values, asked)


def test_interaction_shows_all_four_levels_and_every_seed():
    scores, _, found = interaction()
    left, _ = plots.plot_interaction(scores, found).axes
    means = [(i % 2, float(np.mean(v))) for i, v in enumerate(TOP1.values())]
    assert drawn(left, "mean") == [(x, pytest.approx(y)) for x, y in means]
    seeds = [(i % 2 + BESIDE, y) for i, v in enumerate(TOP1.values()) for y in v]
    assert drawn(left, "seeds") == [(x, pytest.approx(y)) for x, y in seeds]
    assert ticks(left.xaxis) == ["narrow", "wide"]


def test_interaction_shows_each_gain_and_their_difference_seed_by_seed():
    scores, gains, found = interaction()
    _, right = plots.plot_interaction(scores, found).axes
    expected = [
        (pytest.approx(100 * gain), row + BELOW)
        for row, values in enumerate(gains.values())
        for gain in values
    ]
    assert drawn(right, "seeds") == expected
    assert ticks(right.yaxis) == ["plain", "crops", "difference"]
    bottom, top = right.get_ylim()
    assert bottom > top


def test_interaction_draws_the_intervals_that_it_was_given():
    scores, _, found = interaction()
    _, right = plots.plot_interaction(scores, found).axes
    ends = [
        (pytest.approx(100 * end), row)
        for row, effect in enumerate(found)
        for end in (effect.moderated_low, effect.moderated_high)
    ]
    assert drawn(right, "interval") == ends
    means = [(pytest.approx(100 * e.mean), row) for row, e in enumerate(found)]
    assert drawn(right, "mean") == means


def test_interaction_pairs_seeds_by_their_number_and_not_by_their_place():
    scores, _, found = interaction()
    _, straight = plots.plot_interaction(scores, found).axes
    swapped = scores.groupby(["first", "second"], sort=False).sample(
        frac=1, random_state=3
    )
    assert list(swapped["seed"]) != list(scores["seed"])
    _, mixed = plots.plot_interaction(swapped, found).axes
    assert drawn(mixed, "seeds") == drawn(straight, "seeds")


# Stored copies


def copies():
    stored = {"0": 1, "1": 2, "3": 4, "fresh": 15}
    rows = [
        {
            "label": label,
            "versions": versions,
            "seed": seed,
            "val_top1": 0.4 + 0.01 * versions + 0.002 * seed,
            "train_top1": 0.9 - 0.02 * versions - 0.001 * seed,
        }
        for label, versions in stored.items()
        for seed in range(3)
    ]
    return pd.DataFrame(rows).iloc[::-1]


def test_copies_join_the_means_along_an_axis_that_doubles():
    val, train = plots.plot_copies(copies()).axes
    x = [pytest.approx(np.log2(v)) for v in (1, 2, 4, 15)]
    assert drawn(val, "mean") == [
        (at, pytest.approx(0.402 + 0.01 * v))
        for at, v in zip(x, (1, 2, 4, 15), strict=True)
    ]
    assert drawn(train, "mean") == [
        (at, pytest.approx(0.899 - 0.02 * v))
        for at, v in zip(x, (1, 2, 4, 15), strict=True)
    ]


def test_copies_show_every_seed_and_name_what_is_stored():
    for axes in plots.plot_copies(copies()).axes:
        seeds = drawn(axes, "seeds")
        assert len(seeds) == 12
        right_of = {round(x - BESIDE, 6) for x, _ in seeds}
        assert right_of == {round(float(np.log2(v)), 6) for v in (1, 2, 4, 15)}
        assert ticks(axes.xaxis) == ["0", "1", "3", "fresh"]


def test_copies_mark_the_level_of_the_most_versions():
    val, train = plots.plot_copies(copies()).axes
    lines = [line for axes in (val, train) for line in axes.lines[:1]]
    assert [line.get_linestyle() for line in lines] == [":", ":"]
    assert [line.get_ydata()[0] for line in lines] == pytest.approx([0.552, 0.599])


# Protocols


def protocols():
    top1 = {"split first": [0.41, 0.43], "split last": [0.60, 0.62]}
    rows = [(name, s, v) for name, vs in top1.items() for s, v in enumerate(vs)]
    return pd.DataFrame(rows, columns=["protocol", "seed", "top1"])


def test_a_wrong_protocol_is_labelled_and_marked_as_an_error():
    figure = plots.plot_protocols(protocols(), wrong=["split last"])
    (axes,) = figure.axes
    assert ticks(axes.yaxis) == ["split first", "ERROR: split last"]
    means = [line for line in axes.lines if line.get_gid() == "mean"]
    assert [line.get_marker() for line in means] == [RIGHT["marker"], WRONG["marker"]]
    assert [t.get_weight() for t in axes.get_yticklabels()] == ["normal", "bold"]


def test_protocols_write_and_mark_mean_and_seeds_of_each():
    (axes,) = plots.plot_protocols(protocols(), wrong=["split last"]).axes
    assert drawn(axes, "mean") == [(pytest.approx(0.42), 0), (pytest.approx(0.61), 1)]
    assert [text.get_text() for text in axes.texts] == ["42.0%", "61.0%"]
    assert drawn(axes, "seeds") == [
        *((0.41, BELOW), (0.43, BELOW)),
        *((0.60, 1 + BELOW), (0.62, 1 + BELOW)),
    ]
    bottom, top = axes.get_ylim()
    assert bottom > top


# All of them


def test_looks_differ_by_more_than_colour():
    for key in ("color", "marker", "linestyle"):
        assert len({look[key] for look in LOOKS}) == len(LOOKS)
    assert RIGHT["marker"] != WRONG["marker"]


def test_figures_are_closed():
    scores, _, found = interaction()
    plots.plot_interaction(scores, found)
    plots.plot_copies(copies())
    plots.plot_protocols(protocols(), wrong=[])
    assert plt.get_fignums() == []
