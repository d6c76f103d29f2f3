"""Figures of notebook 15: what is given is drawn, and not by colour alone."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cifar100 import plots
from cifar100.class_names import COARSE_NAMES, COARSE_OF_FINE, FINE_NAMES
from cifar100.experiments import STORY
from cifar100.plots.calibration import FEWEST


@pytest.fixture
def standings():
    rows = {
        "simple_cnn": (0.30, 0.31, 1e5, 0.01, 1.0),
        "baseline": (0.40, 0.40, 6e5, 0.02, 5.0),
        "fast": (0.60, 0.61, 2e6, 0.02, np.nan),
        "frozen_96": (0.70, 0.69, 4e6, 0.05, np.nan),
    }
    columns = ["val_top1", "test_top1", "parameters", "petaflop", "minutes"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


@pytest.fixture
def counts():
    generator = np.random.default_rng(0)
    return generator.poisson(0.3, (100, 100)) + 60 * np.eye(100, dtype=int)


def drawn(axes, gid):
    """The points of all lines of `axes` that carry `gid`, in the order of drawing."""
    lines = [line for line in axes.lines if line.get_gid() == gid]
    return [
        tuple(map(float, p)) for x in lines for p in zip(*x.get_data(), strict=True)
    ]


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_val_against_test_draws_each_experiment_and_the_shift(standings):
    left, right = plots.plot_val_against_test(standings).axes
    pairs = standings[["val_top1", "test_top1"]].to_numpy()
    assert sorted(drawn(left, "experiments")) == [tuple(pair) for pair in pairs]
    shift = 100 * (pairs[:, 1] - pairs[:, 0])
    heights = [y for _, y in drawn(right, "experiments")]
    assert sorted(heights) == pytest.approx(sorted(shift))
    (line,) = {y for _, y in drawn(right, "shift")}
    assert line == pytest.approx(shift.mean())
    groups = [x for x in left.lines if x.get_gid() == "experiments"]
    assert len({x.get_marker() for x in groups}) == 3


def test_costs_join_and_name_the_front_and_leave_out_what_is_not_known(standings):
    # On val beaten by the cheaper first one, and the test set chooses nothing.
    standings.loc["baseline", ["val_top1", "test_top1"]] = 0.29, 0.35
    figure = plots.plot_costs(standings)
    parameters, compute, minutes = figure.axes
    assert words(parameters) == ["frozen_96", "fast", "simple_cnn"]
    standings.loc["fast", "test_top1"] = 0.315  # the first is hardly worse
    assert words(plots.plot_costs(standings).axes[0]) == ["frozen_96", "fast"]
    standings.loc["fast", "test_top1"] = 0.61
    assert drawn(parameters, "front")[0] == (1e5, 0.31)
    assert words(compute) == ["frozen_96", "fast", "simple_cnn"]
    assert len(drawn(minutes, "experiments")) == 2
    assert words(minutes) == ["simple_cnn"]


def test_a_cost_that_no_run_has_is_said_to_be_missing(standings):
    standings["minutes"] = np.nan
    *_, minutes = plots.plot_costs(standings).axes
    assert words(minutes) == ["no run to be shown here is recorded yet"]


def test_the_journey_shows_the_metric_that_is_asked_for():
    finals = pd.DataFrame(
        [("baseline", 0, 0.4, 0.38), ("baseline", 1, 0.4, 0.36)],
        columns=["experiment", "seed", "val_top1", "test_top1"],
    )
    figure = plots.plot_journey(STORY, finals, "test_top1")
    ((across, _),) = drawn(figure.axes[0], "ours")
    assert across == pytest.approx(0.37)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "our records, test top-1" in labels


def test_confusion_is_ordered_by_superclass_and_shows_shares(counts):
    counts[FINE_NAMES.index("beaver"), FINE_NAMES.index("whale")] = 40
    axes, _ = plots.plot_confusion(counts).axes
    shown = np.asarray(axes.images[0].get_array())
    assert shown.sum(axis=1) == pytest.approx(np.ones(100))
    order = np.argsort(COARSE_OF_FINE, kind="stable").tolist()
    row = order.index(FINE_NAMES.index("beaver"))
    column = order.index(FINE_NAMES.index("whale"))
    expected = 40 / counts[FINE_NAMES.index("beaver")].sum()
    assert shown[row, column] == pytest.approx(expected)
    assert abs(row - column) < 5  # both are aquatic mammals
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [name.replace("_", " ") for name in COARSE_NAMES]


def test_superclasses_are_numbered_where_the_share_is_large(counts):
    coarse = np.full((20, 20), 1)
    np.fill_diagonal(coarse, 100)
    coarse[3, 4] = 20
    axes = plots.plot_superclass_confusion(coarse).axes[0]
    shown = np.array([w or "0" for w in words(axes)], int).reshape(20, 20)
    assert shown[3, 4] == round(100 * 20 / coarse[3].sum())
    assert shown[5, 6] == 0
    assert (np.diag(shown) > 70).all()


def test_classes_stand_in_the_row_of_their_superclass():
    generator = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "name": FINE_NAMES,
            "superclass": [COARSE_NAMES[i] for i in COARSE_OF_FINE],
            "top1": generator.uniform(0.3, 0.9, 100),
        }
    )
    axes = plots.plot_classes(table).axes[0]
    points = drawn(axes, "classes")
    assert len(points) == 100
    means = table.groupby("superclass")["top1"].mean().sort_values()
    lowest = table[table["superclass"] == means.index[0]]["top1"]
    assert sorted(x for x, y in points if y == 0) == pytest.approx(sorted(lowest))
    assert len(words(axes)) == 40


def test_reliability_leaves_out_bins_that_say_nothing():
    def bins(images, top1):
        rows = []
        for i, (n, share) in enumerate(zip(images, top1, strict=True)):
            sure = (0.2, 0.5, 0.8)[i]
            known = {"confidence": sure, "top1": share} if n else {}
            empty = {"confidence": None, "top1": None}
            rows.append(
                {"low": i / 3, "high": (i + 1) / 3, "images": n} | empty | known
            )
        return rows

    before = bins([0, FEWEST - 1, 100], [0, 0.4, 0.6])
    after = bins([50, 50, 100], [0.2, 0.5, 0.7])
    networks = {"one": {"before": before, "after": after}, "two": {"before": before}}
    figure = plots.plot_reliability(networks)
    above, _, below, _ = figure.axes
    assert drawn(above, "before") == [(0.8, 0.6)]
    assert drawn(above, "after") == [(0.2, 0.2), (0.5, 0.5), (0.8, 0.7)]
    steps = [patch for patch in below.patches if patch.get_gid() == "after"]
    assert steps[0].get_data().values == pytest.approx([0.25, 0.25, 0.5])
    styles = [x.get_linestyle() for x in above.lines if x.get_gid()]
    assert len(set(styles)) == 2


def test_noise_sets_seeds_against_the_error_of_the_images():
    finals = pd.DataFrame(
        [("a", 0.50), ("a", 0.52), ("b", 0.7)], columns=["experiment", "test_top1"]
    )
    spread = pd.DataFrame({"mean": [0.51], "image_error": [0.005]}, index=["a"])
    axes = plots.plot_noise(finals, spread).axes[0]
    assert [x for x, _ in drawn(axes, "seeds")] == pytest.approx([-1, 1])
    (band,) = [patch for patch in axes.patches if patch.get_gid() == "images"]
    assert (band.get_x(), band.get_width()) == pytest.approx((-1, 2))


def test_seeds_needed_has_a_line_for_each_spread_and_what_was_recorded():
    rows = [(1, "calm", 3), (2, "calm", 2), (1, "restless", 12), (2, "restless", 5)]
    needed = pd.DataFrame(rows, columns=["effect", "sd", "seeds"])
    axes = plots.plot_seeds_needed(needed).axes[0]
    assert drawn(axes, "needed") == [(1, 3), (2, 2), (1, 12), (2, 5)]
    assert {y for _, y in drawn(axes, "recorded")} == {3, 5}


def test_ensembles_tell_ways_by_line_and_experiments_by_marker():
    rows = [
        (name, way, k, 0.5 + k / 100)
        for name in ("a", "b")
        for way in ("vote", "mean probability")
        for k in (1, 2)
    ]
    sizes = pd.DataFrame(rows, columns=["experiment", "way", "k", "top1"])
    lines = plots.plot_ensembles(sizes).axes[0].lines
    assert len(lines) == 4
    assert len({x.get_linestyle() for x in lines}) == 2
    assert len({x.get_marker() for x in lines}) == 2


def test_agreement_marks_the_chosen_cut_of_each_search():
    curve = pd.DataFrame({"precision": [1.0, 0.8], "recall": [0.1, 0.5]})
    chosen = {"pixels": {"precision": 0.9, "recall": 0.3}}
    axes = plots.plot_agreement({"pixels": curve}, chosen).axes[0]
    assert drawn(axes, "cuts") == [(0.1, 1.0), (0.5, 0.8)]
    assert drawn(axes, "chosen") == [(0.3, 0.9)]


def test_figures_are_closed_once_made(standings):
    before = plt.get_fignums()
    plots.plot_costs(standings)
    assert plt.get_fignums() == before
