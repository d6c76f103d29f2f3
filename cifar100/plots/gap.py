"""The gap between what a network has seen and what it has not."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar100.plots.style import (
    COLORS,
    FIGSIZE_WIDE,
    INK,
    finished,
    legend_above,
    percent_axis,
)
from cifar100.plots.tidy import with_data

LOOKS = {
    "val": {"color": COLORS[0], "marker": "o"},
    "train": {"color": COLORS[1], "marker": "s"},
}
APART = 0.24  # of a row: seeds stand below the means, not under them


@with_data
def plot_train_val_gap(finals: pd.DataFrame) -> Figure:
    """A row for each experiment: mean train and val top-1, joined by a line.

    `finals` is tidy, one row per (experiment, seed), with `train_top1` and `val_top1`
    in [0, 1], both of the final network in inference mode. A small mark below stands
    for each seed; the number is the mean gap, train minus val, in percentage points.
    Rows keep the order of `finals`.
    """
    names = list(dict.fromkeys(finals["experiment"]))
    figure, axes = plt.subplots(
        figsize=(FIGSIZE_WIDE[0], 1.1 + 0.36 * len(names)), layout="constrained"
    )
    for place, name in enumerate(names):
        _row(axes, place, finals[finals["experiment"] == name])
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.margins(x=0.09)  # the number at the end of a row needs room
    axes.grid(axis="y", visible=False)
    percent_axis(axes, "x")
    axes.set_xlabel("top-1 in inference mode; numbers: the gap in percentage points")
    legend_above(figure, axes)
    return finished(figure)


def _row(axes: Axes, place: int, runs: pd.DataFrame) -> None:
    means = {split: runs[f"{split}_top1"].mean() for split in LOOKS}
    axes.plot(list(means.values()), [place, place], color=INK, linewidth=1, zorder=1)
    for split, look in LOOKS.items():
        seeds = runs[f"{split}_top1"]
        below = np.full(len(seeds), place + APART)
        seen = {"linestyle": "", "alpha": 0.6, "markeredgewidth": 0, "gid": "seeds"}
        axes.plot(seeds, below, markersize=3, **look, **seen)
        label = split if place == 0 else None  # once in the legend
        line = {"linestyle": "", "markersize": 7, "gid": "mean"}
        axes.plot(means[split], place, label=label, **look, **line)
    gap = 100 * (means["train"] - means["val"])
    axes.annotate(
        f"{gap:.1f}".replace("-", "\N{MINUS SIGN}"),
        (max(means.values()), place),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=INK,
    )
