"""Learning curves and what they say about overfitting."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cifar100.plots.style import (
    COLORS,
    FIGSIZE_WIDE,
    LABELS,
    experiment_markers,
    experiment_palette,
    finished,
    percent_axis,
)
from cifar100.plots.tidy import with_data


@with_data
def plot_learning_curves(epochs: pd.DataFrame, metric: str = "val_top1") -> Figure:
    """Mean over seeds per epoch, with a band of one standard deviation.

    `epochs` is tidy, one row per (experiment, seed, epoch); `metric` is a column of it,
    an accuracy in [0, 1] or a loss in nats.
    """
    names = list(dict.fromkeys(epochs["experiment"]))
    figure, axes = plt.subplots(figsize=FIGSIZE_WIDE, layout="constrained")
    sns.lineplot(
        epochs,
        x="epoch",
        y=metric,
        hue="experiment",
        style="experiment",
        markers=experiment_markers(names),
        dashes=False,
        errorbar="sd",
        palette=experiment_palette(names),
        ax=axes,
    )
    if metric.endswith("top1"):
        percent_axis(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel=LABELS[metric])
    axes.legend(title=None)
    return finished(figure)


@with_data
def plot_train_against_val(epochs: pd.DataFrame) -> Figure:
    """Accuracy and loss of one experiment, train and val: the picture of overfitting.

    `epochs` is tidy, one row per (seed, epoch), with train_top1, val_top1, train_loss,
    val_loss. Bands are one standard deviation over seeds.
    """
    figure, panels = plt.subplots(1, 2, figsize=FIGSIZE_WIDE, layout="constrained")
    for axes, quantity in zip(panels, ("top1", "loss"), strict=True):
        for split, style, color in (
            ("train", "--", COLORS[1]),
            ("val", "-", COLORS[0]),
        ):
            sns.lineplot(
                epochs,
                x="epoch",
                y=f"{split}_{quantity}",
                errorbar="sd",
                linestyle=style,
                color=color,
                label=split,
                ax=axes,
            )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(
            xlabel="epoch", ylabel={"top1": "top-1", "loss": "loss, nats"}[quantity]
        )
    figure.get_layout_engine().set(wspace=0.06)
    percent_axis(panels[0])
    panels[1].get_legend().remove()
    return finished(figure)
