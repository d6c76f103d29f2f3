"""Reliability: are answers as often right as they are probable?"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from cifar100.plots.style import COLORS, FIGSIZE_WIDE, INK, finished, percent_axis

LOOKS = (
    {"color": COLORS[0], "marker": "o", "linestyle": "--", "markersize": 4},
    {"color": COLORS[3], "marker": "s", "linestyle": "-", "markersize": 4},
)
FEWEST = 10  # images in a bin: of fewer, the share of right ones says nothing


def plot_reliability(networks: Mapping[str, Mapping[str, Sequence[dict]]]) -> Figure:
    """A column for each network: accuracy by confidence, and how often that is met.

    `networks` holds, by name, one or two sets of bins (`calibration.reliability`) by
    what they are, such as "as trained". Above, the dashed diagonal is a network that
    can be taken at its word; bins of fewer than 10 images are left out there. Below
    stands the share of all images in each bin.
    """
    figure, panels = plt.subplots(
        2,
        len(networks),
        figsize=(FIGSIZE_WIDE[0], 4.4),
        sharex=True,
        sharey="row",
        squeeze=False,
        height_ratios=(3, 1),
        layout="constrained",
    )
    for (above, below), (name, kinds) in zip(panels.T, networks.items(), strict=True):
        above.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":")
        for (kind, bins), look in zip(kinds.items(), LOOKS, strict=False):
            table = pd.DataFrame(bins)
            table["share"] = table["images"] / table["images"].sum()
            full = table[table["images"] >= FEWEST]
            above.plot(full["confidence"], full["top1"], label=kind, gid=kind, **look)
            edges = [*table["low"], table["high"].iloc[-1]]
            style = {"color": look["color"], "ls": look["linestyle"], "lw": 1.2}
            below.stairs(table["share"], edges, gid=kind, **style)
        above.set_title(name)
        percent_axis(below, "x")
    for axes in panels[:, 0]:
        percent_axis(axes)
    panels[1, 0].set_ylim(bottom=0)
    panels[0, 0].set_ylabel("top-1 in the bin")
    panels[1, 0].set_ylabel("images")
    figure.supxlabel("probability of the predicted class", fontsize=9)
    lines = {}
    for axes in panels[0]:
        handles, words = axes.get_legend_handles_labels()
        lines |= dict(zip(words, handles, strict=True))
    place = {"loc": "outside upper right", "ncols": len(lines)}
    figure.legend(lines.values(), lines.keys(), **place)
    return finished(figure)
