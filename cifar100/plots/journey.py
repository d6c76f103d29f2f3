"""The student's journey as one figure, with what we recorded beside it."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cifar100.experiments import EXPERIMENTS, Step
from cifar100.experiments.story import TARGET_OWN_NETWORK, TARGET_TRANSFER
from cifar100.plots.style import COLORS, FIGSIZE_WIDE, LABELS, finished

STUDENT, OURS, MUTED = COLORS[0], COLORS[3], "#707070"
APART = 0.16  # of a row: the student above its middle, the records below


def plot_journey(
    steps: Sequence[Step], finals: pd.DataFrame, metric: str = "val_top1"
) -> Figure:
    """The student's figures step by step, from top to bottom, as accuracies in [0, 1].

    A dot is a figure as the student gave it, hollow where it is the "before" of a
    change; a bar is one given as a range. The path joins the dots in their order; it
    skips ranges and steps without a figure, which have no mark. A diamond is the mean
    over seeds of `metric` of one experiment of that step: `finals` is tidy, one row per
    (experiment, seed), and may be empty. Lines mark the student's two targets.
    """
    height = 1.2 + 0.235 * len(steps)
    figure, axes = plt.subplots(figsize=(FIGSIZE_WIDE[0], height), layout="constrained")
    _targets(axes)
    _student(axes, steps)
    lowest, highest = _records(axes, steps, finals, metric)
    labels = [f"{step.title}  {step.row}" for step in steps]
    axes.set_yticks(range(len(steps)), labels)
    for label, step in zip(axes.get_yticklabels(), steps, strict=True):
        label.set_color("#222222" if step.student else MUTED)
    axes.set_ylim(len(steps) - 0.5, -0.6)
    axes.set_xlim(min(0.25, lowest - 0.03), max(0.82, highest + 0.02))
    axes.set_xlabel("accuracy")
    axes.grid(axis="y", visible=False)
    handles = [Line2D([], [], marker="o", color=STUDENT, label="student")]
    handles.append(Patch(color=STUDENT, alpha=0.35, label="student, a range"))
    if lowest < 1:
        mark = {"marker": "D", "linestyle": "", "color": OURS, "markersize": 5}
        words = f"our records, {LABELS[metric]}"
        handles.append(Line2D([], [], label=words, **mark))
    # Below the axes: inside, it would cover marks of the last steps.
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return finished(figure)


def _targets(axes: Axes) -> None:
    targets = ((TARGET_OWN_NETWORK, "own network"), (TARGET_TRANSFER, "transfer"))
    for value, name in targets:
        axes.axvline(value, color=MUTED, linewidth=1, linestyle="--", gid="target")
        axes.annotate(
            f"target {value:.2f}\n{name}",
            (value, 1),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=8,
            color=MUTED,
        )


def _student(axes: Axes, steps: Sequence[Step]) -> None:
    path = []
    for place, step in enumerate(steps):
        for turn, (low, high) in enumerate(step.figures):
            height = place - APART
            if low < high:
                bar = {"height": 0.3, "color": STUDENT, "alpha": 0.35, "gid": "range"}
                axes.barh(height, high - low, left=low, linewidth=0, **bar)
                continue
            is_before = step.is_change and turn == 0
            face = "white" if is_before else STUDENT
            dot = {"markeredgecolor": STUDENT, "markersize": 6, "zorder": 3}
            axes.plot(low, height, "o", markerfacecolor=face, gid="student", **dot)
            path.append((low, height))
    if path:
        axes.plot(*zip(*path, strict=True), color=STUDENT, linewidth=1.2, gid="path")


def _records(
    axes: Axes, steps: Sequence[Step], finals: pd.DataFrame, metric: str
) -> tuple[float, float]:
    """Draw the mean of each recorded experiment; the lowest and the highest of them, 1
    and 0 without any."""
    if finals.empty:
        return 1.0, 0.0
    places = {step.row: place for place, step in enumerate(steps)}
    means = finals.groupby("experiment", sort=False)[metric].mean()
    rows = [places.get(EXPERIMENTS[name].row) for name in means.index]
    drawn = [(m, p + APART) for m, p in zip(means, rows, strict=True) if p is not None]
    for mean, height in drawn:
        mark = {"color": OURS, "markersize": 4.5, "alpha": 0.85, "zorder": 3}
        axes.plot(mean, height, "D", gid="ours", **mark)
    shown = [mean for mean, _ in drawn]
    return min(shown, default=1.0), max(shown, default=0.0)
