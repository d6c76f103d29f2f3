"""Figures of notebook 06: schedules, long runs, the best epoch, a search for a rate."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar100.plots.style import (
    COLORS,
    DASHES,
    FIGSIZE_WIDE,
    LABELS,
    MARKERS,
    finished,
    legend_above,
    percent_axis,
)
from cifar100.plots.tidy import with_data

OPTIMIZERS = {"adam": "Adam", "sgd": "SGD, Nesterov"}


@with_data
def plot_learning_rates(rates: pd.DataFrame) -> Figure:
    """The learning rate over the epochs of a run, a line for each schedule.

    `rates` is tidy, one row per (schedule, epoch) in the order of the epochs, which
    may be fractions, with `learning_rate`.
    """
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], 2.6), layout="constrained")
    for name, rows, look in _looks(rates, "schedule"):
        axes.plot(rows["epoch"], rows["learning_rate"], label=name, **look)
    axes.set(xlabel="epoch", ylabel="learning rate")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    legend_above(figure, axes)
    return finished(figure)


@with_data
def plot_long_curves(epochs: pd.DataFrame, metric: str = "val_top1") -> Figure:
    """Runs of many epochs and of different lengths: the mean over seeds, with a band of
    one standard deviation, and a mark where each experiment ends.

    `epochs` is tidy, one row per (experiment, seed, epoch); `metric` is a column of it,
    an accuracy in [0, 1] or a loss in nats. A mean goes as far as all seeds do; a run
    that stopped earlier than others of its experiment ends the line. The first steep
    epochs of an accuracy are cut off: what matters here are small differences late.
    """
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    for place, (name, rows, look) in enumerate(_looks(epochs, "experiment")):
        common = rows.groupby("seed")["epoch"].max().min()
        by_epoch = rows[rows["epoch"] <= common].groupby("epoch")[metric]
        mean, spread = by_epoch.mean(), by_epoch.std(ddof=1).fillna(0)
        axes.plot(mean.index, mean, zorder=3, **look)
        band = {"color": look["color"], "alpha": 0.2, "linewidth": 0}
        axes.fill_between(mean.index, mean - spread, mean + spread, **band)
        mark = {"marker": MARKERS[place % len(MARKERS)], "markersize": 7}
        end = {**look, **mark, "markeredgecolor": "white", "zorder": 4}
        axes.plot(mean.index[-1], mean.iloc[-1], label=name, **end)
    rises = metric.endswith("top1")
    if rises:
        percent_axis(axes)
        axes.set_ylim(bottom=_after_the_rise(epochs, metric))
    axes.set(xlabel="epoch", ylabel=LABELS[metric])
    axes.set_xlim(left=0)
    axes.legend(loc=f"{'lower' if rises else 'upper'} right", handlelength=3)
    return finished(figure)


@with_data
def plot_best_epochs(epochs: pd.DataFrame) -> Figure:
    """val_top1 over the epochs of one experiment, a panel a seed: a star on the best
    epoch, a dot on the last one.

    `epochs` is tidy, one row per (seed, epoch), with val_top1 in [0, 1].
    """
    seeds = sorted(epochs["seed"].unique())
    figure, panels = plt.subplots(
        1,
        len(seeds),
        figsize=(FIGSIZE_WIDE[0], 2.8),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axes, seed in zip(panels[0], seeds, strict=True):
        curve = epochs[epochs["seed"] == seed].set_index("epoch")["val_top1"]
        _best_and_last(axes, curve)
        axes.set(title=f"seed {seed}", xlabel="epoch")
    percent_axis(panels[0, 0])
    panels[0, 0].set_ylim(bottom=_after_the_rise(epochs, "val_top1"))
    panels[0, 0].set_ylabel(LABELS["val_top1"])
    legend_above(figure, panels[0, 0])
    return finished(figure)


@with_data
def plot_rate_search(search: pd.DataFrame) -> Figure:
    """val_top1 against the peak learning rate, on a log axis, a line an optimiser; a
    ring and the value stand at the best rate of each.

    `search` is tidy, one row per (optimizer, learning_rate), with val_top1 in [0, 1].
    """
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    for place, (name, rows, look) in enumerate(_looks(search, "optimizer")):
        rows = rows.sort_values("learning_rate")
        axes.plot(
            rows["learning_rate"],
            rows["val_top1"],
            marker=MARKERS[place % len(MARKERS)],
            label=OPTIMIZERS.get(name, name),
            **look,
        )
        best = rows.loc[rows["val_top1"].idxmax()]
        point = (best["learning_rate"], best["val_top1"])
        ring = {"markersize": 15, "markerfacecolor": "none", "gid": "best"}
        axes.plot(*point, "o", markeredgecolor=look["color"], **ring)
        axes.annotate(
            f"{best['val_top1']:.1%} at {best['learning_rate']:g}",
            point,
            xytext=(0, 11),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    axes.set(xscale="log", xlabel="peak learning rate", ylabel=LABELS["val_top1"])
    axes.margins(x=0.1, y=0.16)
    percent_axis(axes)
    axes.legend(loc="lower center")
    return finished(figure)


def _looks(
    table: pd.DataFrame, column: str
) -> Iterator[tuple[str, pd.DataFrame, dict]]:
    """Each value of `column` in the order of the table, its rows, colour and dashes."""
    for place, (name, rows) in enumerate(table.groupby(column, sort=False)):
        style = DASHES[place % len(DASHES)]
        yield name, rows, {"color": COLORS[place % len(COLORS)], "linestyle": style}


def _after_the_rise(epochs: pd.DataFrame, metric: str) -> float:
    """The lowest value once the steep first tenth of the longest run is over, or of
    any last epoch; a little less, so that nothing lies on the edge."""
    late = epochs["epoch"] > epochs["epoch"].max() / 10
    runs = [column for column in ("experiment", "seed") if column in epochs]
    last = epochs.groupby(runs)["epoch"].idxmax()
    values = pd.concat([epochs.loc[late, metric], epochs.loc[last, metric]])
    return values.min() - 0.05 * (epochs[metric].max() - values.min()) - 1e-3


def _best_and_last(axes: Axes, curve: pd.Series) -> None:
    axes.plot(curve.index, curve, color=COLORS[0], linewidth=1.2)
    best = {"marker": "*", "markersize": 12, "color": COLORS[1], "linestyle": ""}
    last = {"marker": "o", "markersize": 7, "color": COLORS[0], "linestyle": ""}
    edge = {"markeredgecolor": "white", "zorder": 3}
    axes.plot(curve.index[-1], curve.iloc[-1], label="last epoch", **last, **edge)
    axes.plot(curve.idxmax(), curve.max(), label="best epoch", **best, **edge)
