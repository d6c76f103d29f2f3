"""Numbers stay on one line with their units, and below zero have a true minus."""

import re
from collections.abc import Iterable

from bs4 import BeautifulSoup, NavigableString

CODE = ("code", "pre")
# A percentage that a word goes on from is Korean, and written without a space.
UNIT = re.compile(r"(?<=\d)(?:\s?(?=%(?!\w))|\s(?=(?:pp|px)\b))")
# Python's formats write a hyphen. One that follows a word or a digit is none of theirs.
HYPHEN = re.compile(r"(?<![\w.,)–—-])-(?=\.?\d)")


def texts(soup: BeautifulSoup, not_in: Iterable[str]) -> list[NavigableString]:
    """All text of `soup` but that within elements of these names."""
    found = soup.find_all(string=True)
    return [
        t for t in found if type(t) is NavigableString and not t.find_parent(not_in)
    ]


def dress_numbers(soup: BeautifulSoup) -> None:
    """Put a space that does not break before units in the text of `soup`, also where a
    percentage has none, so that all are written alike; and a minus where Python wrote a
    hyphen, in tables too. Code stays as it is."""
    for text in texts(soup, CODE):
        dressed = HYPHEN.sub("\N{MINUS SIGN}", text)
        if not text.find_parent("table"):
            dressed = UNIT.sub("\N{NO-BREAK SPACE}", dressed)
        text.replace_with(dressed)
