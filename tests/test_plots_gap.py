"""The train/val gap and curves in panels: every run is drawn, every number is right."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from cifar100 import plots


def finals(**runs):
    """A table from (train, val) accuracies of the seeds of each experiment."""
    columns = ("train_top1", "val_top1")
    rows = [
        {"experiment": name, "seed": seed, **dict(zip(columns, pair, strict=True))}
        for name, pairs in runs.items()
        for seed, pair in enumerate(pairs)
    ]
    return pd.DataFrame(rows)


def marks(figure, name):
    """(x, y, marker) of every line that the figure calls `name`."""
    return [
        (list(line.get_xdata()), list(line.get_ydata()), line.get_marker())
        for line in figure.axes[0].lines
        if line.get_gid() == name
    ]


TABLE = finals(baseline=[(0.6, 0.4), (0.8, 0.5)], lenet5=[(0.30, 0.31)])


def test_gap_marks_the_mean_of_train_and_val_in_the_row_of_the_experiment():
    drawn = marks(plots.plot_train_val_gap(TABLE), "mean")
    where = {(marker, ys[0]): xs[0] for xs, ys, marker in drawn}
    assert where == {
        ("o", 0): pytest.approx(0.45),
        ("s", 0): pytest.approx(0.7),
        ("o", 1): pytest.approx(0.31),
        ("s", 1): pytest.approx(0.30),
    }


def test_gap_shows_every_seed_and_tells_the_splits_apart_by_more_than_colour():
    drawn = marks(plots.plot_train_val_gap(TABLE), "seeds")
    assert [(marker, xs) for xs, _, marker in drawn] == [
        ("o", [0.4, 0.5]),
        ("s", [0.6, 0.8]),
        ("o", [0.31]),
        ("s", [0.30]),
    ]


def test_gap_is_written_in_percentage_points_with_its_sign():
    figure = plots.plot_train_val_gap(TABLE)
    assert [text.get_text() for text in figure.axes[0].texts] == ["25.0", "−1.0"]


def test_gap_rows_keep_their_order_from_top_to_bottom():
    axes = plots.plot_train_val_gap(TABLE[::-1]).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["lenet5", "baseline"]
    bottom, top = axes.get_ylim()
    assert bottom > top


def curves(*names):
    rows = [
        {"experiment": n, "seed": s, "epoch": e, "val_top1": 0.1 * e + place + s / 50}
        for place, n in enumerate(names)
        for s in range(3)
        for e in (1, 2)
    ]
    return pd.DataFrame(rows)


def heights(axes):
    """y of the mean curves of a panel, in the order in which they were drawn."""
    return [[round(float(y), 6) for y in line.get_ydata()] for line in axes.lines]


def test_each_panel_has_the_reference_dashed_and_its_own_curve_solid():
    figure = plots.plot_learning_panels(curves("a", "b", "c"), "b")
    assert [axes.get_title() for axes in figure.axes] == ["a", "c"]
    first, second = figure.axes
    assert heights(first) == [[1.12, 1.22], [0.12, 0.22]]
    assert heights(second) == [[1.12, 1.22], [2.12, 2.22]]
    assert [line.get_linestyle() for line in first.lines] == ["--", "-"]
    assert first.get_ylim() == second.get_ylim()


def test_panels_can_be_chosen_and_ordered():
    table = curves("a", "b", "c", "d")
    figure = plots.plot_learning_panels(table, "a", names=["d", "b"])
    assert [axes.get_title() for axes in figure.axes] == ["d", "b"]


@pytest.mark.parametrize(("count", "shape"), [(1, 1), (4, 4), (5, 3), (6, 3), (7, 4)])
def test_panels_stand_in_rows_of_at_most_four(count, shape):
    names = [f"e{number}" for number in range(count)]
    figure = plots.plot_learning_panels(curves("r", *names), "r")
    titled = [axes for axes in figure.axes if axes.get_title()]
    assert len(titled) == count
    assert figure.axes[0].get_gridspec().ncols == shape
    assert [axes.axison for axes in figure.axes[count:]] == [False] * (
        len(figure.axes) - count
    )


def test_a_panel_for_a_curve_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="no curve of 'z' among a, b"):
        plots.plot_learning_panels(curves("a", "b"), "a", names=["z"])


def test_both_figures_are_closed():
    plots.plot_train_val_gap(TABLE)
    plots.plot_learning_panels(curves("a", "b"), "a")
    assert plt.get_fignums() == []
