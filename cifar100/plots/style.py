"""One look for every figure of the course."""

from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
import seaborn as sns
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cifar100.experiments import EXPERIMENTS, STORY

FIGSIZE_WIDE = (7.2, 3.6)  # inches: the width of the text
FIGSIZE_HALF = (3.5, 3.0)  # two beside each other

FONTS = Path(__file__).parent / "fonts"  # of the pages: Source Sans 3
INK = "#555555"  # lines and words that are no data
COLORS = sns.color_palette("colorblind").as_hex()
# One marker fewer than colours: a notebook can show ninety, and no two alike in both.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<")
DASHES = ("-", "--", "-.", ":")
TRAIN_IN_INFERENCE = "train top-1 (inference mode)"
NOTEBOOK_OF = {step.row: step.notebook for step in STORY}
LABELS = {
    "train_top1": "train top-1 (training mode)",
    "train_loss": "train loss, nats (training mode)",
    "val_top1": "val top-1",
    "val_loss": "val loss, nats",
    "test_top1": "test top-1",
}


def use_style() -> None:
    """Set fonts, grid and SVG output once; equal figures then give equal files."""
    sns.set_theme(context="paper", style="whitegrid", palette="colorblind")
    for file in sorted(FONTS.glob("*.ttf")):
        font_manager.fontManager.addfont(file)
    mpl.rcParams.update(
        {
            "axes.titlesize": 10,
            "axes.labelsize": 9,
            "figure.dpi": 110,
            "font.family": ["Source Sans 3", "DejaVu Sans"],
            "font.size": 9,
            "grid.color": "#dddddd",
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "lines.linewidth": 1.6,
            "savefig.dpi": 160,
            "svg.hashsalt": "cifar100",  # ids in an SVG are random otherwise
        }
    )


def experiment_palette(names: Iterable[str]) -> dict[str, str]:
    """A colour for each experiment, the same in every notebook: its place among the
    experiments of the notebook that tests it decides."""
    return {name: COLORS[_place(name) % len(COLORS)] for name in names}


def experiment_markers(names: Iterable[str]) -> dict[str, str]:
    """A marker for each experiment, by the same rule; never colour alone."""
    return {name: MARKERS[_place(name) % len(MARKERS)] for name in names}


def percent_axis(axes: Axes, which: str = "y") -> None:
    """Show fractions as percent."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    room = 5 if which == "x" else "auto"  # side by side, labels would touch
    axis.set_major_locator(MaxNLocator(room, steps=[1, 2, 5, 10]))  # not at 42.5 %


def legend_above(figure: Figure, axes: Axes, place: str = "right") -> None:
    """The legend of `axes` in one row above all panels, where it covers no line."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc=f"outside upper {place}", ncols=len(labels))


def finished(figure: Figure) -> Figure:
    """The figure without spines, ready to be shown once and not twice."""
    sns.despine(figure)
    mpl.pyplot.close(figure)
    return figure


def _place(name: str) -> int:
    if name not in EXPERIMENTS:
        return 0
    notebook = NOTEBOOK_OF[EXPERIMENTS[name].row]
    rows = {row for row, number in NOTEBOOK_OF.items() if number == notebook}
    return [e.name for e in EXPERIMENTS.values() if e.row in rows].index(name)
