"""Figures of what is taken for what."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from cifar100.class_names import COARSE_NAMES
from cifar100.evidence import BY_SUPERCLASS
from cifar100.plots.style import COLORS, FIGSIZE_WIDE, INK, finished, percent_axis
from cifar100.plots.tidy import with_data

EACH = len(BY_SUPERCLASS) // len(COARSE_NAMES)  # classes of a superclass
SHADES = "rocket_r"  # light for none, dark for all: readable in grey


def plot_confusion(counts: np.ndarray) -> Figure:
    """All 100 classes by the 100 answers, classes of a superclass beside each other.

    `counts` (100, 100) in the order of the class ids, rows are true classes. A cell is
    the share of its row; the colour grows with its root, so that rare errors show.
    Lines part the superclasses, whose names stand at the rows.
    """
    ordered = counts[np.ix_(BY_SUPERCLASS, BY_SUPERCLASS)]
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], 5.4), layout="constrained")
    norm = PowerNorm(0.5, vmin=0, vmax=1)
    picture = axes.imshow(_shares(ordered), cmap=SHADES, norm=norm, aspect="auto")
    edges = np.arange(EACH, len(ordered), EACH) - 0.5
    axes.hlines(edges, -0.5, len(ordered) - 0.5, color="#999999", lw=0.3)
    axes.vlines(edges, -0.5, len(ordered) - 0.5, color="#999999", lw=0.3)
    middles = np.arange(len(COARSE_NAMES)) * EACH + (EACH - 1) / 2
    axes.set_yticks(middles, _words(COARSE_NAMES), fontsize=7)
    axes.set_xticks(middles, range(1, len(COARSE_NAMES) + 1), fontsize=7)
    axes.set(xlabel="answer, by superclass in the order of the rows")
    axes.grid(visible=False)
    bar = figure.colorbar(picture, shrink=0.7, format=PercentFormatter(1, decimals=0))
    bar.set_label("share of the images of a class")
    return finished(figure)


def plot_superclass_confusion(counts: np.ndarray) -> Figure:
    """The 20 superclasses by the 20 superclasses of the answers.

    `counts` (20, 20), rows are true. A cell is the share of its row; a number, in
    percent, stands where that is 2 % or more.
    """
    shares = _shares(counts)
    words = np.where(shares >= 0.02, np.round(100 * shares).astype(int), "")
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], 5.6), layout="constrained")
    names = _words(COARSE_NAMES)
    sns.heatmap(
        shares,
        cmap=SHADES,
        norm=PowerNorm(0.5, vmin=0, vmax=1),
        annot=words.astype(object),
        fmt="",
        annot_kws={"fontsize": 7},
        linewidths=0.4,
        xticklabels=names,
        yticklabels=names,
        cbar_kws={"shrink": 0.7, "format": PercentFormatter(1, decimals=0)},
        ax=axes,
    )
    axes.collections[0].colorbar.set_label("share of the images of a superclass")
    axes.tick_params(labelsize=7)
    axes.set_xticklabels(names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_xlabel("superclass of the answer")
    return finished(figure)


@with_data
def plot_classes(table: pd.DataFrame) -> Figure:
    """Top-1 of each class, a row of dots for each superclass, the lowest mean first.

    `table` has `name`, `superclass` and `top1` in [0, 1]. The lowest and the highest
    class of a row are named; a vertical line is the mean of all classes.
    """
    means = table.groupby("superclass")["top1"].mean().sort_values()
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], 5.4), layout="constrained")
    axes.axvline(table["top1"].mean(), color=INK, linewidth=1, linestyle="--")
    for place, group in enumerate(means.index):
        mine = table[table["superclass"] == group].sort_values("top1")
        heights = [place] * len(mine)
        axes.plot(mine["top1"], heights, color=COLORS[0], linewidth=0.8, alpha=0.5)
        axes.plot(mine["top1"], heights, "o", color=COLORS[0], ms=4, gid="classes")
        for row, side, shift in ((0, "right", -5), (-1, "left", 5)):
            axes.annotate(
                _words([mine["name"].iloc[row]])[0],
                (mine["top1"].iloc[row], place),
                xytext=(shift, 0),
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize=7,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )
    axes.set_yticks(range(len(means)), _words(means.index), fontsize=7.5)
    axes.set_ylim(len(means) - 0.5, -0.5)
    axes.margins(x=0.14)
    percent_axis(axes, "x")
    axes.set_xlabel("top-1 of a class")
    return finished(figure)


def _shares(counts: np.ndarray) -> np.ndarray:
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _words(names) -> list[str]:
    return [str(name).replace("_", " ") for name in names]
