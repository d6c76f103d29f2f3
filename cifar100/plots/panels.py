"""Learning curves side by side, for more experiments than one panel can hold."""

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cifar100.plots.style import (
    COLORS,
    FIGSIZE_WIDE,
    INK,
    LABELS,
    finished,
    percent_axis,
)
from cifar100.plots.tidy import with_data


@with_data
def plot_learning_panels(
    epochs: pd.DataFrame,
    reference: str,
    metric: str = "val_top1",
    names: Sequence[str] | None = None,
) -> Figure:
    """One panel for each experiment but `reference`, which is dashed in all of them.

    `epochs` is tidy, one row per (experiment, seed, epoch); `metric` is a column of it,
    an accuracy in [0, 1] or a loss in nats. Lines are means over seeds, bands one
    standard deviation. `names` chooses and orders the panels; without it they stand as
    in `epochs`. At most four stand in a row, and all share their axes.

    Raises `ValueError` for a name that `epochs` does not have, and without any panel.
    """
    known = list(dict.fromkeys(epochs["experiment"]))
    names = [n for n in known if n != reference] if names is None else list(names)
    for name in (reference, *names):
        if name not in known:
            raise ValueError(f"no curve of '{name}' among {', '.join(known)}")
    if not names:
        raise ValueError(f"no curve but that of '{reference}'")
    columns = min(len(names), 4 if len(names) not in (5, 6) else 3)
    rows = math.ceil(len(names) / columns)
    figure, panels = plt.subplots(
        rows,
        columns,
        figsize=(FIGSIZE_WIDE[0], 0.5 + 2.3 * rows),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axes, name in zip(panels.flat, names, strict=False):
        _curve(axes, epochs, reference, metric, color=INK, linestyle="--")
        _curve(axes, epochs, name, metric, color=COLORS[0], linestyle="-")
        axes.set_title(name)
    for axes in panels.flat[len(names) :]:
        axes.set_axis_off()
    for axes in panels.flat[max(0, len(names) - columns) : len(names)]:
        axes.tick_params(labelbottom=True)  # also above a place left empty
    _label(figure, panels.flat[0], metric, reference)
    return finished(figure)


def _curve(axes: Axes, epochs: pd.DataFrame, name: str, metric: str, **look) -> None:
    runs = epochs[epochs["experiment"] == name]
    sns.lineplot(runs, x="epoch", y=metric, errorbar="sd", ax=axes, **look)
    axes.set(xlabel=None, ylabel=None)


def _label(figure: Figure, first: Axes, metric: str, reference: str) -> None:
    """What all panels share is said once."""
    if metric.endswith("top1"):
        percent_axis(first)
    first.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel(LABELS[metric], fontsize=9)
    dashed, solid = first.lines[:2]
    words = [f"{reference}, in every panel", "named above its panel"]
    figure.legend([dashed, solid], words, loc="outside upper right", ncols=2)
