"""Grids of images, and the figures of notebook 01: everything given is drawn."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cifar100 import plots


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def boxes(figure):
    """(left, right, lower, upper) of every image drawn, in cells."""
    return [image.get_extent() for image in figure.axes[0].images]


def inside(figure):
    """Whether every image lies within its figure and none covers another."""
    axes, drawn = figure.axes[0], boxes(figure)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    within = all(
        left <= x0 < x1 <= right and top <= y1 < y0 <= bottom
        for x0, x1, y0, y1 in drawn
    )
    apart = all(
        a[1] <= b[0] or b[1] <= a[0] or a[2] <= b[3] or b[2] <= a[3]
        for place, a in enumerate(drawn)
        for b in drawn[:place]
    )
    return within and apart


def test_grid_draws_every_image_with_its_label(images):
    names = [f"class {n}" for n in range(12)]
    figure = plots.plot_image_grid(images, names, columns=5)
    assert texts(figure) == names
    assert len(boxes(figure)) == 12
    assert inside(figure)


def test_grid_shows_the_pixels_it_was_given(images):
    figure = plots.plot_image_grid(images[:1], columns=1, width=1.0)
    figure.set_dpi(340)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., :3]
    left, right, lower, upper = boxes(figure)[0]
    centres = (np.arange(32) + 0.5) / 32
    columns = ((left + centres * (right - left)) * drawn.shape[1]).astype(int)
    rows = ((upper + centres * (lower - upper)) * drawn.shape[0]).astype(int)
    assert np.array_equal(drawn[np.ix_(rows, columns)], images[0])


def test_groups_have_titles_and_names(images):
    groups = images.reshape(4, 3, 32, 32, 3)
    names = [[f"{g}{n}" for n in "abc"] for g in range(4)]
    figure = plots.plot_image_groups(groups, names, ["one", "two", "three", "four"])
    assert sorted(texts(figure)) == sorted(
        ["one", "two", "three", "four", *(name for group in names for name in group)]
    )
    assert len(boxes(figure)) == 12
    assert inside(figure)


def test_rows_take_images_of_any_size(images):
    rows = [[images[0], images[0][:4, :4], images[1] / 255.0]] * 2
    figure = plots.plot_image_rows(rows, ["x", "y"], ("a", "b", "c"), smooth=(1,))
    assert texts(figure) == ["a", "b", "c", "x", "y"]
    smooth = [i.get_interpolation() for i in figure.axes[0].images]
    assert smooth == ["nearest", "bicubic", "nearest"] * 2
    assert inside(figure)


@pytest.mark.parametrize("columns", [2, 4, 6])
def test_pairs_stand_side_by_side_with_one_label(images, columns):
    labels = [f"one\nother {n}" for n in range(6)]
    figure = plots.plot_image_pairs(images[:6], images[6:], labels, columns=columns)
    assert texts(figure) == labels
    drawn = boxes(figure)
    assert len(drawn) == 12
    assert all(a[2:] == b[2:] for a, b in zip(drawn[::2], drawn[1::2], strict=True))
    assert inside(figure)


def test_no_pairs_give_a_figure_that_says_so(images):
    figure = plots.plot_image_pairs(images[:0], images[:0], [])
    assert texts(figure) == ["no such pair among these images"]


def test_figures_are_closed_and_leave_the_style_alone(images):
    before = dict(mpl.rcParams)
    plots.plot_image_grid(images, columns=4)
    plots.plot_likeness([0.6, 0.8, 1], [100, 20], [50, 0], 0.8)
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


def test_class_colours_name_the_classes_at_the_rim():
    colours = np.full((100, 3), 0.5) + np.linspace(0, 0.01, 100)[:, None]
    colours[17], colours[60] = (0.9, 0.5, 0.1), (0.1, 0.4, 0.9)
    names = [f"class {n}" for n in range(100)]
    figure = plots.plot_class_colours(colours, names, named=2)
    assert sorted(texts(figure)) == ["class 17", "class 60"]
    dots = figure.axes[0].collections[0]
    assert dots.get_facecolors()[17, :3] == pytest.approx([0.9, 0.5, 0.1])


def test_bars_of_floors_are_as_long_as_the_scores_and_start_at_zero():
    scores = {"val_top1": [0.05, 0.1], "val_coarse_top1": [0.12, 0.2]}
    floors = pd.DataFrame({"classifier": ["colour", "pixels"], **scores})
    axes = plots.plot_floors(floors).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.05, 0.1, 0.12, 0.2]
    assert axes.get_xlim()[0] == 0
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "colour",
        "pixels",
    ]
