"""Effects with their intervals."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from cifar100.evidence import PairedEffect
from cifar100.plots.style import (
    COLORS,
    FIGSIZE_WIDE,
    experiment_palette,
    finished,
    percent_axis,
)


def plot_effects(effects: Sequence[PairedEffect]) -> Figure:
    """Mean paired difference in val top-1 of each effect, in percentage points, with
    the plain and the moderated 95 % interval."""
    height = 1.2 + 0.5 * len(effects)
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], height), layout="constrained")
    for place, effect in enumerate(effects):
        line = {"color": COLORS[0], "solid_capstyle": "butt"}
        axes.plot(
            [100 * effect.moderated_low, 100 * effect.moderated_high],
            [place, place],
            linewidth=5,
            alpha=0.35,
            **line,
        )
        axes.plot([100 * effect.low, 100 * effect.high], [place, place], **line)
        axes.plot(100 * effect.mean, place, "o", color=COLORS[0])
    axes.axvline(0, color="#555555", linewidth=1)
    names = [f"{e.child}\nagainst {e.parent}" for e in effects]
    axes.set_yticks(range(len(effects)), names)
    axes.set_ylim(len(effects) - 0.5, -0.5)
    axes.set_xlabel("difference in val top-1, percentage points")
    return finished(figure)


def plot_seed_spread(finals: pd.DataFrame, metric: str = "val_top1") -> Figure:
    """Final accuracy of every run, a dot a seed, a bar for the mean.

    `finals` is tidy, one row per (experiment, seed).
    """
    names = list(dict.fromkeys(finals["experiment"]))
    height = 1.2 + 0.45 * len(names)
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], height), layout="constrained")
    sns.stripplot(
        finals,
        x=metric,
        y="experiment",
        hue="experiment",
        palette=experiment_palette(names),
        legend=False,
        jitter=False,
        size=6,
        alpha=0.8,
        ax=axes,
    )
    means = finals.groupby("experiment")[metric].mean()
    for place, name in enumerate(names):
        axes.plot([means[name]] * 2, [place - 0.25, place + 0.25], color="#333333")
    percent_axis(axes, "x")
    axes.xaxis.set_major_formatter("{x:.1%}")
    axes.set(xlabel="final val top-1", ylabel="")
    return finished(figure)
