"""Two places for dropout, and why it might matter where it stands. Notebook 05."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar100.evidence import PairedEffect
from cifar100.plots.style import (
    COLORS,
    FIGSIZE_WIDE,
    INK,
    finished,
    legend_above,
    percent_axis,
)
from cifar100.plots.tidy import with_data

WIDTH = FIGSIZE_WIDE[0]  # inches
POSITIONS = {
    "before pooling": {"color": COLORS[0], "marker": "o", "linestyle": "-"},
    "after pooling": {"color": COLORS[1], "marker": "s", "linestyle": "--"},
}
GAP, NAMES = 1.7, 2.6  # between two maps, and left of the first; in cells
WINDOW = 2  # side of a window of pooling, cells
SHARES = (0.0001, 0.001, 0.01, 0.1, 0.5)  # ticks of a log axis


class Grid(NamedTuple):
    """A map of numbers (H, W) with its name, and which of them were dropped."""

    title: str
    values: np.ndarray
    dropped: np.ndarray | None = None


def plot_orders(rows: Mapping[str, Sequence[Grid]]) -> Figure:
    """Maps of numbers, step by step from left to right, a row for each order of steps.

    Darker is larger, a dropped number is crossed out. Thick lines mark the windows of
    2 × 2 pooling in maps that hold more than one. Rows have equally many maps, else
    `ValueError`.
    """
    places = list(zip(*rows.values(), strict=True))
    widths = [max(grid.values.shape[1] for grid in grids) for grids in places]
    lefts = np.cumsum([0, *(width + GAP for width in widths)])
    side = max(len(grid.values) for grids in places for grid in grids)
    largest = max(grid.values.max() for grids in places for grid in grids)
    wide, high = lefts[-1] - GAP + NAMES + 0.2, side + 1.3  # cells, with titles
    figure = plt.figure(figsize=(WIDTH, WIDTH / wide * high * len(rows)))
    axes = figure.add_axes((0, 0, 1, 1))
    right = lefts[-1] - GAP + 0.1
    axes.set(xlim=(right - wide, right), ylim=(len(rows) * high - 1.2, -1.3))
    axes.set_axis_off()
    for row, (name, grids) in enumerate(rows.items()):
        middle = row * high + side / 2
        words = name.replace(" ", "\n")
        axes.text(-NAMES, middle, words, va="center", fontsize=9, weight="bold")
        for step, grid in enumerate(grids):
            _grid(axes, grid, lefts[step], middle, largest)
            if step:
                end = lefts[step - 1] + grids[step - 1].values.shape[1]
                _arrow(axes, end, lefts[step], middle)
    return finished(figure)


def _grid(axes: Axes, grid: Grid, left, middle, largest) -> None:
    high, wide = grid.values.shape
    top = middle - high / 2
    axes.text(left, top - 0.15, grid.title, va="bottom", fontsize=8)
    extent = (left, left + wide, top + high, top)
    look = {"cmap": "Blues", "vmin": 0, "vmax": 1.6 * largest}  # text stays legible
    axes.imshow(grid.values, extent=extent, interpolation="nearest", **look)
    for (y, x), value in np.ndenumerate(grid.values):
        x0, y0 = left + x, top + y
        axes.text(x0 + 0.5, y0 + 0.5, f"{value:.1f}", ha="center", va="center", size=7)
        if grid.dropped is not None and grid.dropped[y, x]:
            cross = {"color": COLORS[3], "linewidth": 1, "gid": "dropped"}
            axes.plot([x0 + 0.1, x0 + 0.9], [y0 + 0.1, y0 + 0.9], **cross)
            axes.plot([x0 + 0.1, x0 + 0.9], [y0 + 0.9, y0 + 0.1], **cross)
    for place in range(max(high, wide) + 1):
        thick = place % WINDOW == 0 and max(high, wide) > WINDOW
        line = {"color": INK, "linewidth": 1.4 if thick else 0.4}
        axes.plot([left, left + wide], [top + place] * 2, **line)
        axes.plot([left + place] * 2, [top, top + high], **line)


def _arrow(axes: Axes, start: float, end: float, height: float) -> None:
    look = {"arrowstyle": "->", "color": INK}
    ends = {"xy": (end - 0.2, height), "xytext": (start + 0.2, height)}
    axes.annotate("", arrowprops=look, **ends)


@with_data
def plot_mismatch(simulated: pd.DataFrame) -> Figure:
    """What dropout does to pooled units, by rate, for both positions.

    `simulated` is tidy, one row per (position, rate), with `mean_ratio` and
    `variance_ratio`, dropout on over dropout off, and `kept`, the squared correlation
    of a pooled unit with what it is without dropout.
    """
    titles = {
        "mean_ratio": "mean, on / off",
        "variance_ratio": "variance, on / off",
        "kept": "squared correlation",
    }
    figure, panels = plt.subplots(1, 3, figsize=(WIDTH, 2.7), layout="constrained")
    for axes, (column, title) in zip(panels, titles.items(), strict=True):
        for position, look in POSITIONS.items():
            rows = simulated[simulated["position"] == position]
            axes.plot(rows["rate"], rows[column], markersize=4, label=position, **look)
        axes.set(title=title, xlabel="dropout rate")
        if column != "kept":
            axes.axhline(1, color=INK, linewidth=0.8, zorder=1)
    panels[2].set_ylim(0, 1.05)
    legend_above(figure, panels[0], "center")
    return finished(figure)


@with_data
def plot_rates(scores: pd.DataFrame, reference: Sequence[float]) -> Figure:
    """Val top-1 by the rate of dropout, and by the share of pooled units that it
    zeroes, before pooling of those whose whole window is positive.

    `scores` is tidy, one row per (position, seed, rate), with `share` and `val_top1`,
    all in [0, 1]. Lines join means, a thin mark is a seed. `reference` holds the val
    top-1 of the same network without dropout, by seed: a line with a band of ± one
    standard deviation.
    """
    figure, panels = plt.subplots(
        1, 2, figsize=FIGSIZE_WIDE, sharey=True, layout="constrained"
    )
    middle, spread = np.mean(reference), np.std(reference, ddof=1)
    for axes, column in zip(panels, ("rate", "share"), strict=True):
        axes.axhspan(middle - spread, middle + spread, color=INK, alpha=0.15, lw=0)
        axes.axhline(middle, color=INK, linewidth=1, linestyle=":", label="no dropout")
        for position, look in POSITIONS.items():
            rows = scores[scores["position"] == position]
            mean = rows.groupby(column)["val_top1"].mean()
            axes.plot(mean.index, mean, label=position, **look)
            seeds = {"linestyle": "", "markersize": 3, "alpha": 0.45, "gid": "seeds"}
            axes.plot(rows[column], rows["val_top1"], **(look | seeds))
    panels[0].set(xlabel="dropout rate", ylabel="val top-1")
    panels[1].set(xlabel="full windows zeroed, log scale", xscale="log")
    panels[1].set_xticks(SHARES)
    panels[1].xaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    panels[1].minorticks_off()
    percent_axis(panels[0])
    legend_above(figure, panels[0], "center")
    return finished(figure)


@with_data
def plot_conditions(
    scores: pd.DataFrame, differences: Mapping[str, PairedEffect]
) -> Figure:
    """Both positions under several conditions: levels at the left, differences right.

    `scores` is tidy, one row per (condition, position, seed), with `val_top1`; large
    marks are means, small ones seeds. `differences` holds after minus before for each
    condition, drawn with its moderated 95 % interval, in percentage points. Rows keep
    the order of `differences`.
    """
    height = 1.2 + 0.42 * len(differences)
    figure, (left, right) = plt.subplots(
        1,
        2,
        figsize=(WIDTH, height),
        sharey=True,
        layout="constrained",
        width_ratios=(1, 1),
    )
    for place, (condition, effect) in enumerate(differences.items()):
        _levels(left, place, scores[scores["condition"] == condition])
        ends = [100 * effect.moderated_low, 100 * effect.moderated_high]
        right.plot(ends, [place, place], color="black", linewidth=1.6)
        right.plot(100 * effect.mean, place, "D", color="black", markersize=5)
    right.axvline(0, color=INK, linewidth=1)
    left.set_yticks(range(len(differences)), differences)
    left.set_ylim(len(differences) - 0.5, -0.5)
    left.grid(axis="y", visible=False)
    percent_axis(left, "x")
    left.set_xlabel("val top-1")
    right.set_xlabel("after minus before, percentage points")
    legend_above(figure, left)
    return finished(figure)


def _levels(axes: Axes, place: int, runs: pd.DataFrame) -> None:
    means = runs.groupby("position")["val_top1"].mean()
    axes.plot(means, [place] * len(means), color=INK, linewidth=1, zorder=1)
    for position, look in POSITIONS.items():
        seeds = runs.loc[runs["position"] == position, "val_top1"]
        point = look | {"linestyle": ""}
        small = {"markersize": 3, "alpha": 0.6, "markeredgewidth": 0, "gid": "seeds"}
        axes.plot(seeds, [place + 0.25] * len(seeds), **point, **small)
        label = position if place == 0 else None  # once in the legend
        mean = {"markersize": 7, "gid": "mean", "label": label}
        axes.plot(means[position], place, **point, **mean)
