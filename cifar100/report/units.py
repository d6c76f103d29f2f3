"""Numbers stay on one line with their units."""

import re

from bs4 import BeautifulSoup, NavigableString

NOT_IN = ("code", "pre", "table")
# A percentage that a word goes on from is Korean, and written without a space.
UNIT = re.compile(r"(?<=\d)(?:\s?(?=%(?!\w))|\s(?=(?:pp|px)\b))")


def hold_units(soup: BeautifulSoup) -> None:
    """Put a space that does not break before units in the text of `soup`, also where a
    percentage has none, so that all are written alike."""
    for text in list(soup.find_all(string=True)):
        if type(text) is NavigableString and not text.find_parent(NOT_IN):
            held = UNIT.sub("\N{NO-BREAK SPACE}", text)
            if held != text:
                text.replace_with(held)
