"""Effects with their intervals."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from cifar100.evidence import PairedEffect
from cifar100.plots.style import (
    COLORS,
    FIGSIZE_WIDE,
    INK,
    finished,
)
from cifar100.plots.tidy import with_data


@with_data
def plot_effects(
    effects: Sequence[PairedEffect] | Mapping[str, PairedEffect],
) -> Figure:
    """Mean paired difference in val top-1 of each effect, in percentage points, with
    the plain and the moderated 95 % interval. A row is labelled with both experiments,
    in a mapping with its key."""
    if isinstance(effects, Mapping):
        labels, effects = list(effects), list(effects.values())
    else:
        labels = [f"{e.child}\nagainst {e.parent}" for e in effects]
    lines = max(label.count("\n") for label in labels) + 1 if labels else 1
    height = 1.2 + (0.1 + 0.2 * lines) * len(effects)
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], height), layout="constrained")
    for place, effect in enumerate(effects):
        line = {"color": COLORS[0], "solid_capstyle": "butt"}
        axes.plot(
            [100 * effect.moderated_low, 100 * effect.moderated_high],
            [place, place],
            linewidth=5,
            alpha=0.35,
            gid="moderated",
            **line,
        )
        own = [100 * effect.low, 100 * effect.high]
        axes.plot(own, [place, place], gid="own", **line)
        axes.plot(100 * effect.mean, place, "o", color=COLORS[0], gid="mean")
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(range(len(effects)), labels)
    axes.set_ylim(len(effects) - 0.5, -0.5)
    axes.set_xlabel("difference in val top-1, percentage points")
    return finished(figure)
