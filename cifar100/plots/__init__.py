"""Figures: tidy data in, a matplotlib `Figure` out. Nothing is read or trained."""

from cifar100.plots.curves import plot_learning_curves, plot_train_against_val
from cifar100.plots.data_study import (
    plot_class_colours,
    plot_floors,
    plot_likeness,
)
from cifar100.plots.effects import plot_effects
from cifar100.plots.images import (
    plot_image_grid,
    plot_image_groups,
    plot_image_pairs,
    plot_image_rows,
)
from cifar100.plots.journey import plot_journey
from cifar100.plots.style import FIGSIZE_HALF, FIGSIZE_WIDE, use_style

__all__ = [
    "FIGSIZE_HALF",
    "FIGSIZE_WIDE",
    "plot_class_colours",
    "plot_effects",
    "plot_floors",
    "plot_image_grid",
    "plot_image_groups",
    "plot_image_pairs",
    "plot_image_rows",
    "plot_journey",
    "plot_learning_curves",
    "plot_likeness",
    "plot_train_against_val",
    "use_style",
]
