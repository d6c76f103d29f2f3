"""A figure carries the data that it was drawn from, so that readers can have it too."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cifar100.evidence import PairedEffect


def with_data(plot: Callable[..., Figure]) -> Callable[..., Figure]:
    """`plot`, whose first argument is tidy data, or paired effects in a sequence or by
    the labels of their rows: the figure keeps it, for `data_of`."""

    @functools.wraps(plot)
    def drawn(data: Any, *arguments: Any, **options: Any) -> Figure:
        figure = plot(data, *arguments, **options)
        figure.tidy = data if isinstance(data, pd.DataFrame) else _tabled(data)
        return figure

    return drawn


def _tabled(effects: Sequence[PairedEffect] | Mapping[str, PairedEffect]):
    if not isinstance(effects, Mapping):
        return pd.DataFrame(e.as_json() for e in effects)
    rows = [
        {"row": label.replace("\n", ", "), **e.as_json()}
        for label, e in effects.items()
    ]
    return pd.DataFrame(rows)


def data_of(figure: Figure) -> str | None:
    """The data of a figure as CSV, one header row; None where it carries none."""
    table = getattr(figure, "tidy", None)
    if table is None:
        return None
    has_names = any(name is not None for name in table.index.names)
    return table.to_csv(index=has_names, float_format="%.6g")
