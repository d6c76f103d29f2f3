"""Figures of notebook 06: what they mark is where the table has it."""

import numpy as np
import pandas as pd
import pytest

from cifar100 import plots
from cifar100.experiments import get
from cifar100.training.schedules import learning_rates


def run(experiment, seed, top1):
    epochs = np.arange(1, len(top1) + 1)
    table = pd.DataFrame({"epoch": epochs, "val_top1": top1, "val_loss": 3.0 / epochs})
    return table.assign(experiment=experiment, seed=seed)


def ends(axes):
    """(x, y) of every mark at the end of a curve."""
    marks = [line for line in axes.lines if len(line.get_xdata()) == 1]
    return [(float(m.get_xdata()[0]), float(m.get_ydata()[0])) for m in marks]


def curves(axes):
    return [line for line in axes.lines if len(line.get_xdata()) > 1]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


# Schedules


@pytest.fixture
def rates():
    return pd.concat(
        pd.DataFrame(
            {
                "schedule": name,
                "epoch": np.linspace(0, 15, 100),
                "learning_rate": learning_rates(get(experiment), 100),
            }
        )
        for name, experiment in (("constant", "dropout_after"), ("cosine", "cosine"))
    )


def test_schedules_are_drawn_as_they_are_with_a_look_of_their_own(rates):
    figure = plots.plot_learning_rates(rates)
    constant, cosine = curves(figure.axes[0])
    assert np.allclose(constant.get_ydata(), 1e-3)
    assert np.array_equal(cosine.get_ydata(), learning_rates(get("cosine"), 100))
    assert constant.get_linestyle() != cosine.get_linestyle()
    assert legend(figure) == ["constant", "cosine"]
    assert figure.axes[0].get_ylim()[0] == 0


# Long curves


def test_long_curves_end_in_a_mark_at_the_mean_of_the_last_epochs():
    epochs = pd.concat(
        [run("short", s, np.linspace(0.1, 0.3 + s / 100, 15)) for s in (0, 1)]
        + [run("long", s, np.linspace(0.1, 0.4, 60)) for s in (0, 1)]
    )
    (axes,) = plots.plot_long_curves(epochs).axes
    assert ends(axes) == [pytest.approx((15, 0.305)), pytest.approx((60, 0.4))]
    assert len({line.get_linestyle() for line in curves(axes)}) == 2
    marks = [line.get_marker() for line in axes.lines if len(line.get_xdata()) == 1]
    assert len(set(marks)) == 2


def test_mean_goes_as_far_as_all_seeds_do():
    long, stopped = np.full(30, 0.4), np.full(12, 0.2)
    epochs = pd.concat([run("stopping", 0, long), run("stopping", 1, stopped)])
    (axes,) = plots.plot_long_curves(epochs).axes
    assert ends(axes) == [pytest.approx((12, 0.3))]


def test_cut_hides_the_steep_rise_and_no_end():
    rising = run("good", 0, 0.5 * (1 - np.exp(-np.arange(1, 61) / 3)))
    failed = run("bad", 0, np.full(2, 0.05))  # ends within the rise of the other
    (axes,) = plots.plot_long_curves(rising).axes
    assert rising["val_top1"].iloc[0] < axes.get_ylim()[0]
    assert axes.get_ylim()[0] < rising["val_top1"].iloc[6]
    (axes,) = plots.plot_long_curves(pd.concat([rising, failed])).axes
    assert axes.get_ylim()[0] < 0.05


def test_losses_are_not_cut():
    (axes,) = plots.plot_long_curves(run("one", 0, np.full(60, 0.4)), "val_loss").axes
    assert axes.get_ylim()[1] > 3.0
    assert axes.get_ylabel() == "val loss, nats"
    assert "%" not in axes.yaxis.get_major_formatter().format_data_short(2.0)


# The best epoch


def test_star_stands_on_the_best_epoch_and_dot_on_the_last_of_each_seed():
    up_and_down = np.array([0.1, 0.3, 0.5, 0.4, 0.45])
    epochs = pd.concat([run("one", 0, up_and_down), run("one", 3, up_and_down + 0.01)])
    figure = plots.plot_best_epochs(epochs)
    assert [axes.get_title() for axes in figure.axes] == ["seed 0", "seed 3"]
    for axes, more in zip(figure.axes, (0, 0.01), strict=True):
        last, best = ends(axes)
        assert last == pytest.approx((5, 0.45 + more))
        assert best == pytest.approx((3, 0.5 + more))
        marks = [m.get_marker() for m in axes.lines if len(m.get_xdata()) == 1]
        assert marks == ["o", "*"]
    assert legend(figure) == ["last epoch", "best epoch"]


# The search


def test_search_rings_the_best_rate_of_each_optimizer():
    search = pd.DataFrame(
        {
            "optimizer": ["adam"] * 3 + ["sgd"] * 2,
            "learning_rate": [8e-3, 1e-3, 2e-3, 0.01, 0.1],  # in no order
            "val_top1": [0.3, 0.42, 0.41, 0.44, 0.2],
        }
    )
    (axes,) = plots.plot_rate_search(search).axes
    rings = [line for line in axes.lines if line.get_gid() == "best"]
    assert [(r.get_xdata()[0], r.get_ydata()[0]) for r in rings] == [
        (1e-3, 0.42),
        (0.01, 0.44),
    ]
    assert [text.get_text() for text in axes.texts] == [
        "42.0% at 0.001",
        "44.0% at 0.01",
    ]
    assert axes.get_xscale() == "log"
    adam, sgd = curves(axes)
    assert list(adam.get_xdata()) == [1e-3, 2e-3, 8e-3]
    assert adam.get_marker() != sgd.get_marker()
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["Adam", "SGD, Nesterov"]
