"""Figures of notebook 15: val against test, cost against accuracy."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from cifar100.evidence import on_front
from cifar100.experiments import EXPERIMENTS
from cifar100.plots.style import (
    COLORS,
    FIGSIZE_WIDE,
    INK,
    finished,
    legend_above,
    percent_axis,
)
from cifar100.plots.tidy import with_data

GROUPS = {  # of experiments: colour, marker
    "steps S1 to S19": (COLORS[0], "o"),
    "a recipe of our own": (COLORS[1], "s"),
    "from ImageNet": (COLORS[2], "^"),
}
GROUP_OF = {"S21": "a recipe of our own", "S20": "from ImageNet"}  # else the first
COSTS = {
    "parameters": "parameters",
    "petaflop": "training compute, 10¹⁵ operations",
    "minutes": "training, minutes on one and the same machine",
}
WORTH_A_NAME, CLEAR = 0.02, 1.25  # top-1 and cost (a factor) between two names


@with_data
def plot_val_against_test(standings: pd.DataFrame) -> Figure:
    """Mean test top-1 of each experiment by its mean val top-1, and their difference.

    `standings` has one row an experiment (its index), with `val_top1` and `test_top1`
    in [0, 1]. At the left, both are equal on the dashed line; at the right stands test
    minus val in percentage points, and dashes mark its mean.
    """
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(FIGSIZE_WIDE[0], 3.7), layout="constrained"
    )
    for axes, height in (
        (left, standings["test_top1"]),
        (right, 100 * (standings["test_top1"] - standings["val_top1"])),
    ):
        _groups(axes, standings["val_top1"], height)
        percent_axis(axes, "x")
        axes.set_xlabel("val top-1")
    ends = [standings["val_top1"].min(), standings["val_top1"].max()]
    dashed = {"color": INK, "linewidth": 1, "linestyle": "--", "zorder": 1}
    left.plot(ends, ends, gid="equal", **dashed)
    percent_axis(left)
    left.set_ylabel("test top-1")
    shift = 100 * (standings["test_top1"] - standings["val_top1"]).mean()
    right.axhline(shift, gid="shift", **dashed)
    right.axhline(0, color=INK, linewidth=0.6)
    right.set_ylabel("test minus val, percentage points")
    legend_above(figure, left)
    return finished(figure)


@with_data
def plot_costs(table: pd.DataFrame) -> Figure:
    """Test top-1 against what it costs, a panel for each of `COSTS`.

    `table` has one row an experiment (its index), with `val_top1` and `test_top1` in
    [0, 1] and those columns, nan where a cost is not known; axes of cost are
    logarithmic. The line runs along the Pareto front on *val*, so that the test set
    chooses nothing: nothing recorded is better there at that cost or less. Its points
    carry their names where they lie clear of each other.
    """
    figure, panels = plt.subplots(
        len(COSTS),
        1,
        figsize=(FIGSIZE_WIDE[0], 0.4 + 2.9 * len(COSTS)),
        squeeze=False,
        layout="constrained",
    )
    for axes, (column, label) in zip(panels.flat, COSTS.items(), strict=True):
        known = table[table[column].notna()].sort_values(column)
        axes.set(xscale="log", xlabel=label, ylabel="test top-1")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(_plainly)
        axes.xaxis.set_minor_formatter(NullFormatter())
        percent_axis(axes)
        axes.margins(x=0.12, y=0.16)
        if known.empty:
            words = "no run to be shown here is recorded yet"
            axes.text(0.5, 0.5, words, ha="center", transform=axes.transAxes)
            continue
        _groups(axes, known[column], known["test_top1"])
        front = known[on_front(known[column], known["val_top1"])]
        line = {"color": INK, "linewidth": 1.2, "where": "post", "zorder": 1}
        axes.step(front[column], front["test_top1"], gid="front", **line)
        for name in _named(front, column):
            place = front.loc[name, column], front.loc[name, "test_top1"]
            look = {"xytext": (-3, 4), "textcoords": "offset points", "ha": "right"}
            axes.annotate(name, place, fontsize=7, **look)
    legend_above(figure, panels.flat[0])
    return finished(figure)


def group_of(name: str) -> str:
    """The key of `GROUPS` that an experiment belongs to."""
    return GROUP_OF.get(EXPERIMENTS[name].row, next(iter(GROUPS)))


def _groups(axes: Axes, across: pd.Series, up: pd.Series) -> None:
    """A mark for each experiment; `across` and `up` are indexed by its name."""
    groups = np.array([group_of(name) for name in across.index])
    for group, (color, marker) in GROUPS.items():
        mine = groups == group
        look = {"color": color, "marker": marker, "markersize": 4.5, "alpha": 0.8}
        look |= {"markeredgewidth": 0, "linestyle": "", "gid": "experiments"}
        axes.plot(across[mine], up[mine], label=group, **look)


def _named(front: pd.DataFrame, column: str) -> Iterator[str]:
    """From the best one down, those that lie clear of the last one named."""
    cost, top1 = np.inf, np.inf
    for name, row in front[::-1].iterrows():
        if row[column] * CLEAR <= cost and row["test_top1"] + WORTH_A_NAME <= top1:
            cost, top1 = row[column], row["test_top1"]
            yield name


def _plainly(value: float, place: int | None = None) -> str:
    """A cost on an axis: 0.05, 20, 500 k, 2 M."""
    return EngFormatter(sep="\N{THIN SPACE}")(value) if value >= 1 else f"{value:g}"
