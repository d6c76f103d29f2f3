"""Figures of the data set that show numbers, not images."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cifar100.plots.style import (
    COLORS,
    DASHES,
    FIGSIZE_WIDE,
    MARKERS,
    finished,
    legend_above,
    percent_axis,
)
from cifar100.plots.tidy import with_data


def plot_class_colours(
    colours: np.ndarray, names: Sequence[str], *, named: int = 12
) -> Figure:
    """The mean colour of each class, (100, 3) in [0, 1], as a dot in that colour.

    Across: how much more red than blue. Up: how bright. The `named` classes that lie
    farthest from the middle carry their names.
    """
    colours = np.asarray(colours)
    warmth, brightness = colours[:, 0] - colours[:, 2], colours.mean(1)
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], 4.4), layout="constrained")
    axes.scatter(warmth, brightness, s=70, c=colours, edgecolor="#555555", lw=0.5)
    places = np.stack([warmth, brightness], 1)
    scaled = (places - places.mean(0)) / places.std(0)
    for label in np.argsort(-np.linalg.norm(scaled, axis=1))[:named]:
        left = scaled[label, 0] < 0  # names point outwards, away from the crowd
        axes.annotate(
            names[label],
            places[label],
            xytext=(-7 if left else 7, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=8,
        )
    axes.margins(x=0.14)
    axes.set(xlabel="red minus blue", ylabel="brightness, 0 to 1")
    return finished(figure)


@with_data
def plot_floors(floors: pd.DataFrame) -> Figure:
    """Top-1 on val of classifiers without a network, a pair of bars each: over the 100
    classes (val_top1) and over the 20 superclasses (val_coarse_top1), with chance.

    `floors` is tidy, one row per classifier.
    """
    height = 1.2 + 0.62 * len(floors)
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], height), layout="constrained")
    looks = (
        ("val_top1", "100 classes", 1 / 100, COLORS[0], "", -0.19),
        ("val_coarse_top1", "20 superclasses", 1 / 20, COLORS[1], "///", 0.19),
    )
    for column, name, chance, color, hatch, shift in looks:
        places = np.arange(len(floors)) + shift
        bars = axes.barh(
            places,
            floors[column],
            height=0.36,
            color=color,
            hatch=hatch,
            edgecolor="white",
            label=f"{name} (chance {chance:.0%})",
        )
        axes.bar_label(bars, [f"{value:.1%}" for value in floors[column]], padding=3)
        axes.vlines(
            [chance] * len(floors), places - 0.18, places + 0.18, color="black", lw=1.2
        )
    axes.set_yticks(range(len(floors)), floors["classifier"])
    axes.set_ylim(len(floors) - 0.5, -0.5)
    percent_axis(axes, "x")
    axes.set(xlabel="val top-1", xlim=(0, 1.15 * floors["val_coarse_top1"].max()))
    axes.grid(visible=False, axis="y")
    axes.legend(loc="upper right")
    return finished(figure)


def plot_likeness(
    edges: Sequence[float],
    found: Sequence[int],
    upside_down: Sequence[int],
    threshold: float,
) -> Figure:
    """Pairs of images by likeness, log scale: those found, the yardstick of images
    turned upside down, and the threshold. Counts are per bin between `edges`."""
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    for counts, name, color, style in (
        (found, "as they are", COLORS[0], "-"),
        (upside_down, "one of the two upside down", COLORS[1], "--"),
    ):
        axes.stairs(counts, edges, label=name, color=color, ls=style, lw=1.6)
    axes.axvline(threshold, color="#333333", lw=1, ls=":")
    axes.text(
        threshold + 0.004,
        0.97,
        f"counted as copies: from {threshold:.2f} on",
        transform=axes.get_xaxis_transform(),
        va="top",
        fontsize=8,
    )
    axes.set(
        yscale="log", xlim=(edges[0], edges[-1]), xlabel="likeness", ylabel="pairs"
    )
    axes.set_ylim(bottom=0.8)
    axes.legend(loc="upper left", bbox_to_anchor=(0.62, 0.88))
    return finished(figure)


def plot_agreement(
    curves: Mapping[str, pd.DataFrame], chosen: Mapping[str, Mapping[str, float]]
) -> Figure:
    """Precision against recall of searches for copies, both in [0, 1], by name.

    `curves` holds a table with `precision` and `recall` for each search, a row a cut;
    `chosen` the two values at the cut that was chosen for it, a large mark.
    """
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    for turn, (name, curve) in enumerate(curves.items()):
        look = {"color": COLORS[turn], "linestyle": DASHES[turn]}
        known = curve.dropna()
        axes.plot(known["recall"], known["precision"], label=name, gid="cuts", **look)
        point = chosen[name]["recall"], chosen[name]["precision"]
        mark = {"color": COLORS[turn], "marker": MARKERS[turn], "markersize": 8}
        axes.plot(*point, linestyle="", gid="chosen", **mark)
    percent_axis(axes)
    percent_axis(axes, "x")
    axes.set(xlabel="recall: listed images that are found", ylim=(-0.03, 1.05))
    axes.set_ylabel("precision: found images that are listed")
    legend_above(figure, axes)
    return finished(figure)
