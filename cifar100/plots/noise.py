"""How sure can one be: noise of seeds and images, seeds needed, ensembles."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from cifar100.plots.style import (
    COLORS,
    DASHES,
    FIGSIZE_WIDE,
    INK,
    MARKERS,
    finished,
    legend_above,
    percent_axis,
)
from cifar100.plots.tidy import with_data

RECORDED = (3, 5)  # seeds of exploratory and of confirmatory contrasts


@with_data
def plot_noise(finals: pd.DataFrame, spread: pd.DataFrame) -> Figure:
    """How far runs of one experiment lie apart, and how far the images alone would
    throw a figure.

    `finals` is tidy, one row per run with `experiment` and `test_top1`; `spread` is
    indexed by experiment, with `mean` and `image_error` (a fraction). A dot is a run,
    minus the mean of its experiment, in percentage points; the bar is plus and minus
    two standard errors of 10,000 images.
    """
    height = 1.0 + 0.34 * len(spread)
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], height), layout="constrained")
    for place, (name, row) in enumerate(spread.iterrows()):
        error = 200 * row["image_error"]
        bar = {"left": -error, "height": 0.5, "color": COLORS[1], "alpha": 0.3}
        label = "± 2 standard errors of 10,000 images" if place == 0 else None
        axes.barh(place, 2 * error, linewidth=0, gid="images", label=label, **bar)
        top1 = finals.loc[finals["experiment"] == name, "test_top1"]
        apart = 100 * (top1 - row["mean"])
        look = {"color": COLORS[0], "markersize": 4.5, "gid": "seeds"}
        label = "a run" if place == 0 else None
        axes.plot(apart, [place] * len(apart), "o", label=label, **look)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(spread)), spread.index)
    axes.set_ylim(len(spread) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("test top-1 minus the mean of the experiment, percentage points")
    legend_above(figure, axes)
    return finished(figure)


@with_data
def plot_seeds_needed(needed: pd.DataFrame) -> Figure:
    """Paired seeds that find an effect with 80 % power, by its size, on two log axes.

    `needed` is tidy: `effect` in percentage points, `sd` (a name of the spread of a
    paired difference) and `seeds`. Lines across are numbers of seeds that we recorded.
    """
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    for turn, (sd, rows) in enumerate(needed.groupby("sd", sort=False)):
        look = {"color": COLORS[turn], "marker": MARKERS[turn], "markersize": 4}
        look |= {"linestyle": DASHES[turn % len(DASHES)], "label": sd}
        axes.plot(rows["effect"], rows["seeds"], gid="needed", **look)
    for count in RECORDED:
        axes.axhline(count, color=INK, linewidth=0.8, linestyle=":", gid="recorded")
        place = (1, count)
        side = axes.get_yaxis_transform()
        words = f" {count} seeds"
        axes.text(*place, words, transform=side, va="center", fontsize=8, color=INK)
    axes.set(xscale="log", yscale="log", ylabel="paired seeds")
    axes.set_xlabel("true difference, percentage points")
    ticks = np.array(sorted(set(needed["effect"])))
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.minorticks_off()
    legend_above(figure, axes)
    return finished(figure)


@with_data
def plot_ensembles(sizes: pd.DataFrame) -> Figure:
    """Test top-1 of ensembles by the number of runs in them.

    `sizes` is tidy: `experiment`, `way` (how answers are put together), `k` and `top1`
    in [0, 1], the mean over subsets. A colour an experiment, a line style a way.
    """
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    names = list(dict.fromkeys(sizes["experiment"]))
    ways = list(dict.fromkeys(sizes["way"]))
    for (name, way), rows in sizes.groupby(["experiment", "way"], sort=False):
        turn = names.index(name)
        look = {"color": COLORS[turn % len(COLORS)], "marker": MARKERS[turn % 9]}
        style = DASHES[ways.index(way)]
        label = f"{name}, {way}"
        axes.plot(rows["k"], rows["top1"], linestyle=style, label=label, **look)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    percent_axis(axes)
    axes.set(xlabel="runs in the ensemble", ylabel="test top-1")
    figure.legend(loc="outside right center", fontsize=8, handlelength=3.5)
    return finished(figure)
