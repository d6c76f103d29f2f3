"""Figures of notebook 14: resolution, pictures needed, and the kind of the errors."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar100.plots.style import (
    COLORS,
    DASHES,
    FIGSIZE_WIDE,
    INK,
    finished,
    legend_above,
    percent_axis,
)
from cifar100.plots.tidy import with_data

LOOKS = {
    "frozen": {"color": COLORS[0], "marker": "o", "linestyle": "-"},
    "fine-tuned": {"color": COLORS[1], "marker": "s", "linestyle": "--"},
    "from scratch": {"color": COLORS[2], "marker": "^", "linestyle": "-."},
}
PARTS = {  # column: label, colour, hatch
    "right": ("right", COLORS[0], ""),
    "near": ("wrong, superclass right", COLORS[1], "///"),
    "far": ("wrong, another superclass", COLORS[7], ".."),
}
SEEDS = {"linestyle": "", "markersize": 3, "alpha": 0.5, "gid": "seeds"}
BESIDE = 0.07  # of a doubling: seeds stand clear of the mean


@with_data
def plot_resolutions(finals: pd.DataFrame, target: float | None = None) -> Figure:
    """Val top-1 by the size that pictures are enlarged to, a line a way of training.

    `finals` is tidy, one row per run: `kind` ("frozen", "fine-tuned" or "from
    scratch"), `image_size` (pixels a side), `macs` (multiply-adds of an image at that
    size) and `val_top1` in [0, 1]. The axis doubles at equal distances. Lines join
    means, small marks are seeds. `target` is a level to reach, in [0, 1]. Raises
    `KeyError` for another kind.
    """
    looks = {kind: LOOKS[kind] for kind in finals["kind"]}
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    if target is not None:
        _level(axes, f"target {target:.0%}", target, ":")
    for kind, runs in finals.groupby("kind", sort=False):
        look = looks[kind]
        means = runs.groupby("image_size")["val_top1"].mean()
        axes.plot(np.log2(means.index), means, label=kind, gid="means", **look)
        beside = np.log2(runs["image_size"]) + BESIDE
        axes.plot(beside, runs["val_top1"], **(look | SEEDS))
    macs = finals.groupby("image_size")["macs"].first()
    words = [f"{size}\n{count / 1e6:.0f} M" for size, count in macs.items()]
    axes.set_xticks(np.log2(macs.index), words)
    axes.margins(x=0.1)
    axes.set(xlabel="pixels a side, multiply-adds of an image", ylabel="val top-1")
    percent_axis(axes)
    legend_above(figure, axes)
    return finished(figure)


@with_data
def plot_images_needed(finals: pd.DataFrame, levels: Mapping[str, float]) -> Figure:
    """Val top-1 by the number of training pictures of each class, on a log scale.

    `finals` is tidy, one row per run: `images_per_class` and `val_top1` in [0, 1].
    Means are joined, small marks are seeds. `levels` are accuracies in [0, 1] to
    compare with, by name; each is a line across.
    """
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    for turn, (name, level) in enumerate(levels.items(), start=1):
        _level(axes, name, level, DASHES[turn % len(DASHES)])
    look, counts = LOOKS["frozen"], finals["images_per_class"]
    means = finals.groupby("images_per_class")["val_top1"].mean()
    axes.plot(means.index, means, label="frozen features", gid="means", **look)
    axes.plot(counts * 2**BESIDE, finals["val_top1"], **(look | SEEDS))
    axes.set_xscale("log")
    axes.set_xticks(means.index, [str(count) for count in means.index])
    axes.minorticks_off()
    axes.set(xlabel="training pictures of each class", ylabel="val top-1")
    percent_axis(axes)
    legend_above(figure, axes)
    return finished(figure)


@with_data
def plot_superclass_errors(shares: pd.DataFrame, chance: float) -> Figure:
    """What becomes of all pictures: right, wrong within the superclass, wrong beyond.

    `shares` is tidy, one row per (`experiment`, seed): `right`, `near` (wrong, but of
    the right superclass) and `far`, which add up to 1. Bars are means over seeds, in
    the order of the table; the number is the share of `near` among the errors. A black
    mark stands where `near` would end if its share of the errors were `chance`.
    """
    means = shares.groupby("experiment", sort=False)[list(PARTS)].mean()
    height = 1.2 + 0.45 * len(means)
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], height), layout="constrained")
    start = np.zeros(len(means))
    for column, (label, color, hatch) in PARTS.items():
        bars = {"color": color, "hatch": hatch, "edgecolor": "white", "linewidth": 0}
        places = range(len(means))
        axes.barh(places, means[column], left=start, height=0.6, label=label, **bars)
        start = start + means[column].to_numpy()
    for place, (right, near, far) in enumerate(means.itertuples(index=False)):
        _error_share(axes, place, right, near / max(near + far, 1e-9), chance)
    axes.set_yticks(range(len(means)), means.index)
    axes.set_ylim(len(means) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.grid(axis="y", visible=False)
    percent_axis(axes, "x")
    axes.set_xlabel("share of the validation pictures")
    legend_above(figure, axes)
    return finished(figure)


def _level(axes: Axes, name: str, level: float, dashes: str) -> None:
    look = {"color": INK, "linewidth": 1, "linestyle": dashes, "zorder": 1}
    axes.axhline(level, label=name, gid="level", **look)


def _error_share(axes: Axes, place: int, right: float, share: float, chance: float):
    """Where chance would end, and the share of errors that stay in the superclass."""
    end = right + chance * (1 - right)
    mark = {"color": "black", "linewidth": 1.6, "gid": "chance"}
    axes.plot([end, end], [place - 0.3, place + 0.3], **mark)
    axes.annotate(
        f"{share:.0%}",
        (1, place),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=INK,
    )
