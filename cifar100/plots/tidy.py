"""A figure carries the data that it was drawn from, so that readers can have it too."""

import functools
from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.figure import Figure


def with_data(plot: Callable[..., Figure]) -> Callable[..., Figure]:
    """`plot`, whose first argument is tidy data or a sequence of paired effects: the
    figure keeps it, for `data_of`."""

    @functools.wraps(plot)
    def drawn(data: Any, *arguments: Any, **options: Any) -> Figure:
        figure = plot(data, *arguments, **options)
        is_table = isinstance(data, pd.DataFrame)
        figure.tidy = data if is_table else pd.DataFrame(e.as_json() for e in data)
        return figure

    return drawn


def data_of(figure: Figure) -> str | None:
    """The data of a figure as CSV, one header row; None where it carries none."""
    table = getattr(figure, "tidy", None)
    if table is None:
        return None
    has_names = any(name is not None for name in table.index.names)
    return table.to_csv(index=has_names, float_format="%.6g")
