"""Figures of notebooks 11 and 12: two changes at once, stored copies, a wrong split."""

from collections.abc import Sequence

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
    TRAIN_IN_INFERENCE,
    finished,
    legend_above,
    percent_axis,
)
from cifar100.plots.tidy import with_data

WIDTH = FIGSIZE_WIDE[0]  # inches
ABOVE, BELOW = -0.2, 0.2  # of a row: number and seeds stand clear of the mark
BESIDE = 0.15  # of the distance between two ticks: seeds stand clear of the mean
LOOKS = (
    {"color": COLORS[0], "marker": "o", "linestyle": "-"},
    {"color": COLORS[1], "marker": "s", "linestyle": "--"},
)
RIGHT = {"color": COLORS[0], "marker": "o"}
WRONG = {"color": COLORS[3], "marker": "X"}


@with_data
def plot_interaction(scores: pd.DataFrame, effects: Sequence[PairedEffect]) -> Figure:
    """Two changes, each with and without the other: what the second gains, twice, and
    the difference of the two gains.

    `scores` is tidy, one row per (`first`, `second`, seed), with `val_top1` in [0, 1];
    `first` and `second` are words, two of each, the unchanged one first in the table.
    Every seed has all four. `effects` are three: the gain from the second change for
    each `first`, and the gain with the first minus that without. Left: levels, means
    joined, small marks are seeds. Right: the effects with their moderated 95 %
    intervals, in percentage points, and a small mark for each seed.
    """
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(WIDTH, 3.1), layout="constrained", width_ratios=(1, 1.1)
    )
    firsts, seconds = (list(dict.fromkeys(scores[c])) for c in ("first", "second"))
    gains = []
    for first, look in zip(firsts, LOOKS, strict=True):
        rows = scores[scores["first"] == first]
        levels = rows.pivot(index="seed", columns="second", values="val_top1")[seconds]
        _levels(left, first, levels, look)
        gains.append(levels[seconds[1]] - levels[seconds[0]])
    looks = (*LOOKS, {"color": "black", "marker": "D"})
    for place, (effect, gain, look) in enumerate(
        zip(effects, [*gains, gains[1] - gains[0]], looks, strict=True)
    ):
        _effect(right, place, effect, gain, look)
    left.set_xlim(-0.3, 1.3)
    percent_axis(left)
    left.set_ylabel("val top-1")
    left.grid(axis="x", visible=False)
    right.axvline(0, color=INK, linewidth=1, zorder=1)
    right.set_yticks(range(3), [*firsts, "difference"])
    right.set_ylim(2.6, -0.6)
    right.grid(axis="y", visible=False)
    right.set_xlabel(f"{seconds[1]} minus {seconds[0]}, percentage points")
    legend_above(figure, left, "left")
    return finished(figure)


def _levels(axes: Axes, name: str, levels: pd.DataFrame, look: dict) -> None:
    axes.plot([0, 1], levels.mean(), label=name, markersize=7, gid="mean", **look)
    small = {"linestyle": "", "markersize": 3, "alpha": 0.5, "gid": "seeds"}
    for place, (_, top1) in enumerate(levels.items()):
        axes.plot([place + BESIDE] * len(top1), top1, **(look | small))
    axes.set_xticks([0, 1], levels.columns)


def _effect(
    axes: Axes, place: int, effect: PairedEffect, gain: pd.Series, look: dict
) -> None:
    look = {"color": look["color"], "marker": look["marker"]}
    ends = [100 * effect.moderated_low, 100 * effect.moderated_high]
    axes.plot(ends, [place, place], color=look["color"], gid="interval")
    axes.plot(100 * effect.mean, place, markersize=7, gid="mean", **look)
    small = {"linestyle": "", "markersize": 3, "alpha": 0.6, "gid": "seeds"}
    axes.plot(100 * gain, [place + BELOW] * len(gain), **look, **small)


@with_data
def plot_copies(finals: pd.DataFrame) -> Figure:
    """Final top-1 by the number of versions in which each picture is shown.

    `finals` is tidy, one row per (`versions`, seed): `label` names what is stored,
    `val_top1` and `train_top1` lie in [0, 1], both in inference mode. The axis doubles
    from tick to tick. Means are joined, small marks are seeds; a dotted line marks the
    mean with the most versions. The panels have axes of their own.
    """
    figure, panels = plt.subplots(1, 2, figsize=FIGSIZE_WIDE, layout="constrained")
    labels = finals.groupby("versions")["label"].first()
    columns = {"val_top1": "val top-1", "train_top1": TRAIN_IN_INFERENCE}
    for axes, (column, title), look in zip(panels, columns.items(), LOOKS, strict=True):
        means = finals.groupby("versions")[column].mean()
        axes.axhline(means.iloc[-1], color=INK, linewidth=1, linestyle=":", zorder=1)
        axes.plot(np.log2(means.index), means, markersize=7, gid="mean", **look)
        small = {"linestyle": "", "markersize": 3, "alpha": 0.5, "gid": "seeds"}
        beside = np.log2(finals["versions"]) + BESIDE
        axes.plot(beside, finals[column], **(look | small))
        axes.set_xticks(np.log2(labels.index), labels)
        axes.margins(x=0.12)
        axes.set(title=title, xlabel="stored copies of each picture")
        percent_axis(axes)
    figure.get_layout_engine().set(wspace=0.06)
    return finished(figure)


@with_data
def plot_protocols(scores: pd.DataFrame, wrong: Sequence[str]) -> Figure:
    """Top-1 of the same networks under several protocols, a row for each; those in
    `wrong` are errors, and are drawn and labelled as such.

    `scores` is tidy, one row per (protocol, seed), with `top1` in [0, 1]. Large marks
    and numbers are means, small marks seeds. Rows keep their order.
    """
    names = list(dict.fromkeys(scores["protocol"]))
    figure, axes = plt.subplots(
        figsize=(WIDTH, 1.0 + 0.5 * len(names)), layout="constrained"
    )
    for place, name in enumerate(names):
        top1 = scores.loc[scores["protocol"] == name, "top1"]
        look = WRONG if name in wrong else RIGHT
        axes.plot(top1.mean(), place, markersize=9, gid="mean", **look)
        small = {"linestyle": "", "markersize": 3, "alpha": 0.6, "gid": "seeds"}
        axes.plot(top1, [place + BELOW] * len(top1), **look, **small)
        number = {"ha": "center", "va": "bottom", "fontsize": 8, "color": INK}
        axes.text(top1.mean(), place + ABOVE, f"{top1.mean():.1%}", **number)
    axes.set_yticks(
        range(len(names)), [f"ERROR: {n}" if n in wrong else n for n in names]
    )
    for tick, name in zip(axes.get_yticklabels(), names, strict=True):
        tick.set_weight("bold" if name in wrong else "normal")
    axes.set_ylim(len(names) - 0.5, -0.6)
    axes.margins(x=0.08)
    axes.grid(axis="y", visible=False)
    percent_axis(axes, "x")
    axes.set_xlabel("top-1 of the same networks")
    return finished(figure)
