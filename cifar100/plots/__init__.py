"""Figures: tidy data in, a matplotlib `Figure` out. Nothing is read or trained."""

from cifar100.plots.curves import plot_learning_curves, plot_train_against_val
from cifar100.plots.effects import plot_effects, plot_seed_spread
from cifar100.plots.style import FIGSIZE_HALF, FIGSIZE_WIDE, use_style

__all__ = [
    "FIGSIZE_HALF",
    "FIGSIZE_WIDE",
    "plot_effects",
    "plot_learning_curves",
    "plot_seed_spread",
    "plot_train_against_val",
    "use_style",
]
