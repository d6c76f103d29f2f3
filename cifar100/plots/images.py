"""Pictures of the data set, in grids. What these draw is never tracked."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar100.plots.style import FIGSIZE_WIDE

WIDTH = FIGSIZE_WIDE[0]  # inches
POINT = 1 / 72  # inch


def plot_image_grid(
    images: np.ndarray,
    labels: Sequence[str] | None = None,
    *,
    columns: int = 10,
    width: float = WIDTH,
) -> Figure:
    """Images (N, H, W, 3), uint8 or float in [0, 1], row by row, each with a label
    below it; a label may have several lines. `width` is that of the figure, inches."""
    labels = list(labels) if labels is not None else [""] * len(images)
    lines = max((label.count("\n") + bool(label) for label in labels), default=0)
    size = 7 if columns <= 10 else 6
    side = width / columns
    line = 1.25 * size * POINT / side  # height of a line of text, in cells
    height = 1 + line * (lines + 0.3 if lines else 0)
    rows = -(-len(images) // columns)
    figure, axes = _canvas(columns, rows * height, side)
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        row, column = divmod(place, columns)
        _draw(axes, image, column, row * height)
        middle, below = column + 0.5, row * height + 1 + 0.15 * line
        axes.text(middle, below, label, ha="center", va="top", fontsize=size)
    return figure


def plot_image_groups(
    groups: Sequence[np.ndarray],
    labels: Sequence[Sequence[str]],
    titles: Sequence[str],
) -> Figure:
    """Groups of equally many images, (N, 32, 32, 3) each, two beside each other: a
    title above each group, a label below each image."""
    across, size, gap = 2, len(groups[0]), 0.25
    columns = across * size + gap * (across - 1)
    side = WIDTH / columns
    above, below = 15 * POINT / side, 14 * POINT / side
    height = above + 1 + below
    figure, axes = _canvas(columns, -(-len(groups) // across) * height, side)
    for place, (images, names, title) in enumerate(
        zip(groups, labels, titles, strict=True)
    ):
        x, y = (place % across) * (size + gap), (place // across) * height + above
        axes.text(x + 0.04, y - 0.06, title, va="bottom", fontsize=8, weight="bold")
        for column, (image, name) in enumerate(zip(images, names, strict=True)):
            _draw(axes, image, x + column, y)
            axes.text(x + column + 0.5, y + 1, name, ha="center", va="top", fontsize=7)
    return figure


def plot_image_rows(
    rows: Sequence[np.ndarray],
    names: Sequence[str],
    headings: Sequence[str] = (),
    *,
    smooth: Sequence[int] = (),
) -> Figure:
    """One row of images a name, which stands at its left; `headings` stand above the
    columns. Each row is (N, H, W, 3), or a list of images of any sizes.

    Columns in `smooth` are enlarged with blurred edges, the others with sharp pixels.
    """
    room = 1.1  # inches for the names
    columns = max(map(len, rows))
    side = min((WIDTH - room) / columns, 1.2)
    left, top = room / side, 14 * POINT / side if headings else 0
    figure, axes = _canvas(left + columns, top + len(rows), side)
    for column, heading in enumerate(headings):
        axes.text(left + column + 0.5, 0.9 * top, heading, ha="center", fontsize=8)
    for row, (images, name) in enumerate(zip(rows, names, strict=True)):
        axes.text(left - 0.1, top + row + 0.5, name, ha="right", va="center")
        for column, image in enumerate(images):
            _draw(axes, image, left + column, top + row, column in smooth)
    return figure


def plot_image_pairs(
    first: np.ndarray,
    second: np.ndarray,
    labels: Sequence[str],
    *,
    columns: int = 4,
) -> Figure:
    """Pairs of images side by side, (N, 32, 32, 3) each, with a label below a pair; a
    label may have several lines. Without pairs: a figure that says so."""
    if not len(labels):
        return _empty("no such pair among these images")
    side = WIDTH / (2.2 * columns)
    line = 1.25 * 7 * POINT / side
    height = 1 + line * (max(label.count("\n") for label in labels) + 1.5)
    rows = -(-len(labels) // columns)
    figure, axes = _canvas(2.2 * columns, rows * height, side)
    for place, (one, other, label) in enumerate(
        zip(first, second, labels, strict=True)
    ):
        x, y = 2.2 * (place % columns), height * (place // columns)
        _draw(axes, one, x, y)
        _draw(axes, other, x + 1, y)
        axes.text(x + 1, y + 1 + 0.2 * line, label, ha="center", va="top", fontsize=7)
    return figure


def _canvas(wide: float, high: float, side: float) -> tuple[Figure, Axes]:
    """A figure of `wide` × `high` cells of `side` inches, all of it one axes whose unit
    is a cell and whose y runs down: hundreds of axes would take seconds to draw."""
    figure = plt.figure(figsize=(wide * side, high * side))
    plt.close(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, wide), ylim=(high, 0))
    axes.axis("off")
    return figure, axes


def _draw(
    axes: Axes, image: np.ndarray, x: float, y: float, smooth: bool = False
) -> None:
    """`image` in the cell whose upper left corner is (x, y), with a thin gap around."""
    gap = 0.03
    axes.imshow(
        image,
        extent=(x + gap, x + 1 - gap, y + 1 - gap, y + gap),
        interpolation="bicubic" if smooth else "nearest",
        interpolation_stage="rgba",
        aspect="auto",
    )


def _empty(text: str) -> Figure:
    figure, axes = _canvas(6, 0.5, WIDTH / 6)
    axes.text(3, 0.25, text, ha="center", va="center")
    return figure
