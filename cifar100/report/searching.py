"""What the search of the report works on: the text of every section of every page."""

import json
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag

HEADINGS = ("h1", "h2", "h3", "dt")
TEXTS = ("p", "li", "dd", "figcaption", "blockquote")
LEFT_OUT = (
    "pre, script, style, svg, table, summary, .downloads, .languages, .letters, .see"
)


def sections_script(pages: dict[str, str]) -> str:
    """A script that sets `cifar100Sections`: `pages` are HTML by address.

    A script and not a JSON file, since pages from `file://` may not fetch.
    """
    found = [s for address, html in pages.items() for s in sections(address, html)]
    for number, section in enumerate(found):
        section["id"] = number
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return f"globalThis.cifar100Sections = {text};\n"


def sections(address: str, html: str) -> list[dict]:
    """Address, title and language of the page, heading and text of each section, code
    left out."""
    soup = BeautifulSoup(html, "html.parser")
    article = soup.find("article")
    for element in article.select(LEFT_OUT):
        element.decompose()
    title, lang = _text(article.find("h1")), soup.find("html").get("lang", "en")
    page = {"title": title, "lang": lang}
    found = [{"address": address, "heading": "", "words": [], **page}]
    for element in article.find_all(True):
        if element.name in HEADINGS and element.get("id"):
            place = address if element.name == "h1" else f"{address}#{element['id']}"
            heading = "" if element.name == "h1" else _text(element)
            found.append({"address": place, "heading": heading, "words": [], **page})
        elif element.name not in HEADINGS:
            found[-1]["words"] += _own_words(element)
    kept = [section for section in found if section["words"] or section["heading"]]
    for section in kept:
        section["text"] = " ".join(" ".join(section.pop("words")).split())
    return kept


def _own_words(element: Tag) -> Iterator[str]:
    """The text of a paragraph, list item or caption that holds no other."""
    if element.name in TEXTS and not element.find(["p", "li"]):
        yield element.get_text()


def _text(element: Tag) -> str:
    return " ".join(element.get_text().split())
