"""Effects as rows with their intervals, and the data behind them."""

import pytest
from test_plots_speed import drawn

from cifar100 import plots
from cifar100.evidence import Contrast, effects


def test_effects_stand_in_named_rows_with_both_intervals():
    values = {
        "recipe": {0: 0.66, 1: 0.67, 2: 0.665},
        "bare": {0: 0.64, 1: 0.66, 2: 0.648},
        "more": {0: 0.67, 1: 0.67, 2: 0.669},
    }
    asked = [Contrast("bare", "recipe"), Contrast("more", "recipe")]
    found = effects(values, asked)
    rows = dict(zip(("without it", "with more"), found, strict=True))
    figure = plots.plot_effects(rows)
    (axes,) = figure.axes
    assert drawn(axes, "mean") == [
        [(pytest.approx(100 * effect.mean), row)] for row, effect in enumerate(found)
    ]
    for gid, low, high in (
        ("moderated", "moderated_low", "moderated_high"),
        ("own", "low", "high"),
    ):
        assert drawn(axes, gid) == [
            [(pytest.approx(100 * getattr(effect, end)), row) for end in (low, high)]
            for row, effect in enumerate(found)
        ]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["without it", "with more"]
    bottom, top = axes.get_ylim()
    assert bottom > top
    assert list(figure.tidy["row"]) == names
    assert list(figure.tidy["child"]) == ["bare", "more"]


def test_without_names_a_row_says_what_is_compared():
    values = {name: {0: 0.1 * k, 1: 0.1 * k} for k, name in enumerate("abc")}
    found = effects(values, [Contrast("b", "a"), Contrast("c", "a")])
    (axes,) = plots.plot_effects(found).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["b\nagainst a", "c\nagainst a"]
