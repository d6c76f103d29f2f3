"""Numbers stay on one line with their units."""

import re
from collections.abc import Iterable

from bs4 import BeautifulSoup, NavigableString

CODE_AND_TABLES = ("code", "pre", "table")
# A percentage that a word goes on from is Korean, and written without a space.
UNIT = re.compile(r"(?<=\d)(?:\s?(?=%(?!\w))|\s(?=(?:pp|px)\b))")


def texts(soup: BeautifulSoup, not_in: Iterable[str]) -> list[NavigableString]:
    """All text of `soup` but that within elements of these names."""
    found = soup.find_all(string=True)
    return [
        t for t in found if type(t) is NavigableString and not t.find_parent(not_in)
    ]


def hold_units(soup: BeautifulSoup) -> None:
    """Put a space that does not break before units in the text of `soup`, also where a
    percentage has none, so that all are written alike."""
    for text in texts(soup, CODE_AND_TABLES):
        text.replace_with(UNIT.sub("\N{NO-BREAK SPACE}", text))
