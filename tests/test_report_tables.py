"""Tables of notebooks: what counts rows goes, what names them announces them."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from cifar100.report.tables import dress_table


def dressed(frame, **options):
    soup = BeautifulSoup(frame.to_html(**options), "html.parser")
    dress_table(soup, soup.find("table"), 1)
    return soup.find("table")


def texts(table, selector):
    return [cell.get_text(strip=True) for cell in table.select(selector)]


def test_a_column_that_only_counts_rows_is_left_out():
    frame = pd.DataFrame({"layer": ["conv", "pool"], "side": [32, 16]})
    table = dressed(frame)
    assert texts(table, "thead th") == ["layer", "side"]
    assert texts(table, "tbody th[scope=row]") == ["conv", "pool"]
    assert texts(table, "tbody td") == ["32", "16"]


@pytest.mark.parametrize("names", [["conv", "conv"], [3, 4]])
def test_what_does_not_tell_rows_apart_names_none(names):
    table = dressed(pd.DataFrame({"layer": names, "side": [32, 16]}))
    assert texts(table, "tbody th") == []
    assert len(table.select("tbody td")) == 4


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"top-1": [0.1, 0.2]}, index=pd.Index([0, 1], name="seed")),
        pd.DataFrame({"top-1": [0.1, 0.2]}, index=[1, 2]),
        pd.DataFrame({"top-1": [0.1, 0.2]}, index=["a", "b"]),
    ],
)
def test_an_index_that_says_something_stays(frame):
    assert len(texts(dressed(frame), "tbody th[scope=row]")) == 2
