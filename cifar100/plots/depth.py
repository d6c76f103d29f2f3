"""Deep networks: what a block costs and sees, what a layer hears, what a head holds."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from cifar100.plots.style import (
    COLORS,
    DASHES,
    FIGSIZE_WIDE,
    INK,
    LABELS,
    MARKERS,
    TRAIN_IN_INFERENCE,
    experiment_markers,
    experiment_palette,
    finished,
    legend_above,
    percent_axis,
)
from cifar100.plots.tidy import with_data

HATCHES = ("", "///")
SIDE = 32  # of a picture, pixels


@with_data
def plot_block_costs(blocks: pd.DataFrame) -> Figure:
    """What each block costs, and how much of the picture it sees.

    `blocks` has one row for each block in its order: `block` (its label), `parameters`
    and `macs` (counts), `map` and `sees` (sides in pixels of its map and of the part
    of the picture that one place of the map depends on; nan where there is no map).
    A line across is the side of the picture itself.
    """
    figure, (costs, sides) = plt.subplots(
        1, 2, figsize=FIGSIZE_WIDE, layout="constrained"
    )
    places = np.arange(len(blocks))
    for turn, (column, label) in enumerate(
        (("parameters", "parameters"), ("macs", "multiply-adds"))
    ):
        costs.bar(
            places + 0.4 * turn - 0.2,
            blocks[column] / blocks[column].sum(),
            width=0.38,
            label=label,
            color=COLORS[turn],
            hatch=HATCHES[turn],
            edgecolor="white",
            linewidth=0,
        )
    percent_axis(costs)
    costs.set(ylabel="share of the network", xlabel="block")
    costs.set_xticks(places, blocks["block"])
    costs.grid(axis="x", visible=False)
    costs.legend()
    _sides(sides, blocks[blocks["map"].notna()])
    figure.get_layout_engine().set(wspace=0.06)
    return finished(figure)


def _sides(axes: Axes, blocks: pd.DataFrame) -> None:
    """Side of the map, and of what one of its places sees, on a doubling scale."""
    axes.axhline(SIDE, color=INK, linewidth=1, linestyle=":", label="the picture")
    labels = {"sees": "seen by one place", "map": "map"}
    for turn, (column, label) in enumerate(labels.items()):
        look = {"marker": MARKERS[turn], "linestyle": DASHES[turn]}
        axes.plot(
            blocks["block"], blocks[column], color=COLORS[turn + 2], label=label, **look
        )
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.set(xlabel="block", ylabel="side, pixels")
    axes.legend()


@with_data
def plot_depths(finals: pd.DataFrame) -> Figure:
    """Final train and val top-1 by depth, one line with and one without shortcuts.

    `finals` is tidy, one row per run: `depth` (layers), `shortcuts` (bool),
    `train_top1` and `val_top1` in [0, 1], both in inference mode. Lines join the means
    over seeds, small marks are the seeds. Panels share their axes.
    """
    figure, panels = plt.subplots(
        1, 2, figsize=FIGSIZE_WIDE, layout="constrained", sharey=True
    )
    depths = sorted(set(finals["depth"]))
    for axes, column in zip(panels, ("train_top1", "val_top1"), strict=True):
        for turn, (shortcuts, runs) in enumerate(finals.groupby("shortcuts")):
            look = {"color": COLORS[turn], "marker": MARKERS[turn]}
            seeds = [depths.index(depth) for depth in runs["depth"]]
            dots = {"linestyle": "", "markersize": 3, "alpha": 0.6, "gid": "seeds"}
            axes.plot(seeds, runs[column], **look, **dots)
            means = runs.groupby("depth")[column].mean()
            places = [depths.index(depth) for depth in means.index]
            label = f"{'with' if shortcuts else 'without'} shortcuts"
            line = {"linestyle": DASHES[turn], "label": label, "gid": "means"}
            axes.plot(places, means, **look, **line)
        label = LABELS[column] if column == "val_top1" else TRAIN_IN_INFERENCE
        axes.set(xlabel="layers", title=label)
        axes.set_xticks(range(len(depths)), [str(depth) for depth in depths])
        axes.set_xlim(-0.3, len(depths) - 0.7)
    percent_axis(panels[0])
    panels[0].set_ylabel("top-1")
    panels[0].legend()
    return finished(figure)


@with_data
def plot_gradients(layers: pd.DataFrame) -> Figure:
    """Size of the gradient in each layer, on a logarithmic scale.

    `layers` is tidy, one row per (network, layer): `network`, `layer` (from 1, the one
    next to the picture), `stage` and `norm` (> 0). Vertical lines: a stage begins.
    """
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    for name, rows, look in _by_network(layers):
        mark = {"markersize": 3.5, "linewidth": 1.2}
        axes.plot(rows["layer"], rows["norm"], label=name, **look, **mark)
    starts = layers.groupby("stage")["layer"].min().sort_values()
    for stage, start in starts.items():
        if start > starts.min():
            axes.axvline(start - 0.5, color=INK, linewidth=0.8, linestyle=":")
        axes.annotate(
            f"stage {stage}",
            (start, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            fontsize=8,
            color=INK,
        )
    axes.set_yscale("log")
    axes.set(xlabel="convolution, from the picture on", ylabel="norm of the gradient")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="x", visible=False)
    axes.legend()
    return finished(figure)


@with_data
def plot_promises(steps: pd.DataFrame) -> Figure:
    """The share that a step keeps of what the gradient promises, by its length.

    `steps` is tidy, one row per (network, length): `network`, `length` of the step of
    each weight, `promised` (> 0) and `kept`, by how much the loss would fall, and
    falls. A share below zero is a loss that rises.
    """
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    for name, rows, look in _by_network(steps):
        share = rows["kept"] / rows["promised"]
        axes.plot(rows["length"], share, label=name, **look)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xscale("log")
    percent_axis(axes)
    axes.set(xlabel="step of each weight", ylabel="share of the promise kept")
    axes.legend()
    return finished(figure)


def _by_network(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, dict]]:
    """Name, rows and look of each network, one that is an experiment's as everywhere
    in the course."""
    names = list(dict.fromkeys(table["network"]))
    colors, markers = experiment_palette(names), experiment_markers(names)
    for turn, name in enumerate(names):
        look = {"color": colors[name], "marker": markers[name]}
        look["linestyle"] = DASHES[turn % len(DASHES)]
        yield name, table[table["network"] == name], look


@with_data
def plot_heads(networks: pd.DataFrame) -> Figure:
    """Parameters of each network, those of its convolutions and those of its head.

    `networks` has one row for each: `experiment`, `body` and `head` (counts). The
    number at the end of a bar is the head's share. Rows keep their order.
    """
    height = 1.1 + 0.4 * len(networks)
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], height), layout="constrained")
    start = np.zeros(len(networks))
    for turn, (column, label) in enumerate(
        (("body", "convolutions and batch norm"), ("head", "head"))
    ):
        axes.barh(
            networks["experiment"],
            networks[column],
            left=start,
            height=0.6,
            label=label,
            color=COLORS[turn],
            hatch=HATCHES[turn],
            edgecolor="white",
            linewidth=0,
        )
        start = start + networks[column].to_numpy()
    for place, (head, total) in enumerate(zip(networks["head"], start, strict=True)):
        axes.annotate(
            f"head {head / total:.0%}",
            (total, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.set_ylim(len(networks) - 0.5, -0.5)
    axes.set_xlim(0, 1.12 * start.max())
    axes.xaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    axes.set_xlabel("parameters")
    axes.grid(axis="y", visible=False)
    legend_above(figure, axes)
    return finished(figure)


@with_data
def plot_shifts(found: pd.DataFrame) -> Figure:
    """How often a shifted picture is found again, by what it is described with.

    `found` is tidy, one row per (`features`, `shift`): `features` names the description
    and `shift` counts pixels; `share` in [0, 1] of the pictures whose nearest
    neighbour among the unshifted ones is the picture itself.
    """
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    for turn, (name, rows) in enumerate(found.groupby("features", sort=False)):
        look = {"color": COLORS[turn], "marker": MARKERS[turn], "label": name}
        axes.plot(rows["shift"], rows["share"], linestyle=DASHES[turn], **look)
    axes.set_ylim(0, 1.04)
    percent_axis(axes)
    axes.set_xticks(sorted(set(found["shift"])))
    axes.set(xlabel="shift, pixels", ylabel="pictures found again")
    axes.legend(loc="lower left")
    return finished(figure)
