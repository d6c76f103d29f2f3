"""Figures: tidy data in, a matplotlib `Figure` out. Nothing is read or trained."""

from cifar100.plots.augmentation import (
    plot_copies,
    plot_interaction,
    plot_protocols,
)
from cifar100.plots.calibration import plot_reliability
from cifar100.plots.confusion import (
    plot_classes,
    plot_confusion,
    plot_superclass_confusion,
)
from cifar100.plots.curves import plot_learning_curves, plot_train_against_val
from cifar100.plots.data_study import (
    plot_agreement,
    plot_class_colours,
    plot_floors,
    plot_likeness,
)
from cifar100.plots.depth import (
    plot_block_costs,
    plot_depths,
    plot_gradients,
    plot_heads,
    plot_promises,
    plot_shifts,
)
from cifar100.plots.effects import plot_effects
from cifar100.plots.exam import COSTS, plot_costs, plot_val_against_test
from cifar100.plots.gap import plot_train_val_gap
from cifar100.plots.images import (
    plot_image_grid,
    plot_image_groups,
    plot_image_pairs,
    plot_image_rows,
)
from cifar100.plots.journey import plot_journey
from cifar100.plots.mechanisms import (
    Grid,
    plot_conditions,
    plot_mismatch,
    plot_orders,
    plot_rates,
)
from cifar100.plots.noise import plot_ensembles, plot_noise, plot_seeds_needed
from cifar100.plots.panels import plot_learning_panels
from cifar100.plots.schedules import (
    plot_best_epochs,
    plot_learning_rates,
    plot_long_curves,
    plot_rate_search,
)
from cifar100.plots.speed import (
    plot_covariances,
    plot_flips,
    plot_plan,
    plot_singular_values,
    plot_time_to_accuracy,
)
from cifar100.plots.style import FIGSIZE_HALF, FIGSIZE_WIDE, use_style
from cifar100.plots.tidy import data_of
from cifar100.plots.transfer import (
    plot_images_needed,
    plot_resolutions,
    plot_superclass_errors,
)

__all__ = [
    "COSTS",
    "FIGSIZE_HALF",
    "FIGSIZE_WIDE",
    "Grid",
    "data_of",
    "plot_agreement",
    "plot_best_epochs",
    "plot_block_costs",
    "plot_class_colours",
    "plot_classes",
    "plot_conditions",
    "plot_confusion",
    "plot_copies",
    "plot_costs",
    "plot_covariances",
    "plot_depths",
    "plot_effects",
    "plot_ensembles",
    "plot_flips",
    "plot_floors",
    "plot_gradients",
    "plot_heads",
    "plot_image_grid",
    "plot_image_groups",
    "plot_image_pairs",
    "plot_image_rows",
    "plot_images_needed",
    "plot_interaction",
    "plot_journey",
    "plot_learning_curves",
    "plot_learning_panels",
    "plot_learning_rates",
    "plot_likeness",
    "plot_long_curves",
    "plot_mismatch",
    "plot_noise",
    "plot_orders",
    "plot_plan",
    "plot_promises",
    "plot_protocols",
    "plot_rate_search",
    "plot_rates",
    "plot_reliability",
    "plot_resolutions",
    "plot_seeds_needed",
    "plot_shifts",
    "plot_singular_values",
    "plot_superclass_confusion",
    "plot_superclass_errors",
    "plot_time_to_accuracy",
    "plot_train_against_val",
    "plot_train_val_gap",
    "plot_val_against_test",
    "use_style",
]
