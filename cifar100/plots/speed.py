"""Figures of notebook 13: what a short training is made of, its clock, an ablation."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar100.plots.style import (
    COLORS,
    DASHES,
    FIGSIZE_HALF,
    FIGSIZE_WIDE,
    INK,
    MARKERS,
    experiment_markers,
    experiment_palette,
    finished,
    legend_above,
    percent_axis,
)
from cifar100.plots.tidy import with_data

WIDTH = FIGSIZE_WIDE[0]  # inches
MINUTES = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 240)  # ticks of a log axis
UNTURNED = {"marker": ">", "color": COLORS[0], "gid": "as it is"}
MIRRORED = {"marker": "<", "color": COLORS[1], "gid": "mirrored"}


def plot_covariances(matrices: Mapping[str, np.ndarray]) -> Figure:
    """Covariance matrices side by side, all with one scale around zero.

    Each is float (n, n). The title of a panel is its name.
    """
    figure, panels = plt.subplots(
        ncols=len(matrices),
        figsize=(2 * FIGSIZE_HALF[0], FIGSIZE_HALF[1]),
        layout="constrained",
        squeeze=False,
    )
    limit = max(np.abs(matrix).max() for matrix in matrices.values())
    for axes, (name, matrix) in zip(panels[0], matrices.items(), strict=True):
        look = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
        shown = axes.imshow(matrix, interpolation="nearest", **look)
        axes.set(title=name, xticks=(), yticks=())
        axes.grid(visible=False)
    figure.colorbar(shown, ax=panels[0].tolist(), label="covariance", shrink=0.85)
    return finished(figure)


@with_data
def plot_plan(steps: pd.DataFrame) -> Figure:
    """How the rates and the size of the pictures go along with a run.

    `steps` has a row for each step: `epoch`, which may be a fraction, `side` in pixels,
    and a column for each learning rate, whose name stands in the legend.
    """
    figure, (upper, lower) = plt.subplots(
        2, 1, figsize=FIGSIZE_WIDE, sharex=True, layout="constrained"
    )
    rates = [name for name in steps if name not in ("epoch", "side")]
    for name, dash in zip(rates, DASHES, strict=False):
        upper.plot(steps["epoch"], steps[name], dash, label=name)
    lower.plot(steps["epoch"], steps["side"], color=COLORS[2], drawstyle="steps-post")
    upper.set(ylabel="learning rate", ylim=(0, None))
    lower.set(ylabel="side, pixels", xlabel="epoch", xlim=(0, None))
    lower.set_yticks(sorted(set(steps["side"])))
    lower.set_ylim(0.85 * steps["side"].min(), 1.08 * steps["side"].max())
    legend_above(figure, upper)
    return finished(figure)


def plot_flips(tables: Mapping[str, np.ndarray]) -> Figure:
    """Which pictures are mirrored in which epoch, a panel for each way of drawing.

    Each table is bool (epochs, pictures), true where mirrored. The mark points to the
    right for a picture as it is, to the left for its mirror image; a ring marks a view
    that is the same as in the epoch before.
    """
    figure, panels = plt.subplots(
        ncols=len(tables),
        figsize=(WIDTH, 2.3),
        sharey=True,
        layout="constrained",
        squeeze=False,
    )
    for axes, (name, table) in zip(panels[0], tables.items(), strict=True):
        for chosen, look in ((~table, UNTURNED), (table, MIRRORED)):
            _cells(axes, chosen, label=look["gid"], markersize=7, **look)
        again = np.zeros_like(table)
        again[1:] = table[1:] == table[:-1]
        ring = {"marker": "o", "markerfacecolor": "none", "markeredgecolor": INK}
        _cells(axes, again, label="as before", gid="again", markersize=14, **ring)
        epochs, pictures = table.shape
        axes.set(title=name, xlabel="picture", xticks=range(1, pictures + 1))
        axes.set(yticks=range(1, epochs + 1), ylim=(epochs + 0.6, 0.4))
        axes.set_xlim(0.4, pictures + 0.6)
        axes.grid(visible=False)
    panels[0][0].set_ylabel("epoch")
    legend_above(figure, panels[0][0], "center")
    return finished(figure)


def _cells(axes: Axes, chosen: np.ndarray, **look) -> None:
    """A mark in each chosen cell of (epochs, pictures), both counted from 1."""
    epochs, pictures = np.nonzero(chosen)
    axes.plot(pictures + 1, epochs + 1, linestyle="", **look)


def plot_singular_values(spectra: Mapping[str, Sequence[float]]) -> Figure:
    """Singular values, largest first, on a log scale: a line for each name."""
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    looks = zip(COLORS, DASHES, MARKERS, strict=False)
    for (name, values), (color, dash, marker) in zip(
        spectra.items(), looks, strict=False
    ):
        places = np.arange(1, len(values) + 1)
        look = {"color": color, "linestyle": dash, "marker": marker, "markersize": 4}
        axes.plot(places, np.sort(values)[::-1], label=name, **look)
    axes.set(xlabel="rank of the singular value", yscale="log")
    axes.set_ylabel("singular value, log scale")
    legend_above(figure, axes)
    return finished(figure)


@with_data
def plot_time_to_accuracy(epochs: pd.DataFrame, targets: Sequence[float]) -> Figure:
    """Val top-1 by the minutes of training so far, a line for each run.

    `epochs` is tidy, one row per (experiment, seed, epoch), with `seconds`, those of
    training in that epoch alone, and `val_top1` in [0, 1], scored at its end. Large
    marks are the ends of the runs. `targets` are accuracies, drawn as lines. Only runs
    that had a machine to themselves belong here. Raises `ValueError` without any.
    """
    if epochs.empty:
        raise ValueError("no runs, so no time to show")
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    for target in targets:
        axes.axhline(target, color=INK, linewidth=1, linestyle="--", gid="target")
        place = {"xy": (1, target), "xycoords": ("axes fraction", "data")}
        place |= {"xytext": (3, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(f"{target:.0%}", **place, fontsize=8, color=INK)
    names = list(dict.fromkeys(epochs["experiment"]))
    palette, markers = experiment_palette(names), experiment_markers(names)
    latest = 0.0
    for name in names:
        look = {"color": palette[name], "marker": markers[name]}
        longest = _runs(axes, name, epochs[epochs["experiment"] == name], look)
        latest = max(latest, longest)
    axes.set_xscale("log")
    axes.set_xticks([m for m in MINUTES if m <= 1.3 * latest])
    axes.xaxis.set_major_formatter(lambda minutes, _: f"{minutes:g}")
    axes.minorticks_off()
    axes.set(xlabel="minutes of training so far, log scale", ylabel="val top-1")
    percent_axis(axes)
    legend_above(figure, axes)
    return finished(figure)


def _runs(axes: Axes, name: str, epochs: pd.DataFrame, look: dict) -> float:
    """Draw the runs of one experiment; the minutes of the longest."""
    seeds = epochs.groupby("seed")
    label = f"{name}, {len(seeds)} seed{'' if len(seeds) == 1 else 's'}"
    thin = {"linewidth": 0.9, "markersize": 3, "alpha": 0.6, "gid": "run"}
    end = {"markersize": 8, "markeredgecolor": "white", "gid": "end", "zorder": 3}
    latest = 0.0
    for _, run in seeds:
        run = run.sort_values("epoch")
        spent, top1 = run["seconds"].cumsum() / 60, run["val_top1"]
        axes.plot(spent, top1, **look, **thin)
        last = spent.iloc[-1], top1.iloc[-1]
        axes.plot(*last, linestyle="", label=label, **look, **end)
        latest, label = max(latest, last[0]), None  # once in the legend
    return latest
