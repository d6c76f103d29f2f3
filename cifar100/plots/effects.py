"""Effects with their intervals."""

from collections.abc import Sequence

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
    axes.axvline(0, color=INK, linewidth=1)
    names = [f"{e.child}\nagainst {e.parent}" for e in effects]
    axes.set_yticks(range(len(effects)), names)
    axes.set_ylim(len(effects) - 0.5, -0.5)
    axes.set_xlabel("difference in val top-1, percentage points")
    return finished(figure)
