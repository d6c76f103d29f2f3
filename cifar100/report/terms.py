"""Glossary and references: what they hold, and links to them from the text of pages."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from bs4 import BeautifulSoup

from cifar100.report.sources import CONTENT
from cifar100.report.units import texts

GLOSSARY, REFERENCES = "glossary.html", "references.html"
NOT_IN = ("a", "code", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "table", "summary")
CITED = re.compile(r"(.+) (\d{4})")


@dataclass(frozen=True)
class Term:
    """One entry of the glossary; `text` is Markdown, `notebooks` are numbers."""

    name: str
    text: str
    ko: str
    notebooks: tuple[str, ...]
    also: tuple[str, ...] = ()
    link: bool = True

    @property
    def id(self) -> str:
        """`weight-decay`: the entry's id on its page."""
        return re.sub(r"\W+", "-", self.name.lower()).strip("-")

    @property
    def address(self) -> str:
        return f"{GLOSSARY}#{self.id}"


@dataclass(frozen=True)
class Reference:
    """One work that the course builds on: `name` is how text cites it, `link` an
    arXiv number, a DOI or an address, `idea` what is taken from it."""

    key: str
    name: str
    title: str
    link: str
    idea: str
    venue: str = ""

    @property
    def address(self) -> str:
        return f"{REFERENCES}#{self.key}"

    @property
    def url(self) -> str:
        kind, _, number = self.link.partition(":")
        places = {"arXiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}
        return places[kind] + number if kind in places else self.link


@cache
def terms() -> tuple[Term, ...]:
    """The glossary in alphabetical order."""
    entries = _entries("glossary.toml", "term")
    found = [
        Term(**{k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()})
        for entry in entries
    ]
    return tuple(sorted(found, key=lambda term: term.name.lower()))


@cache
def references() -> tuple[Reference, ...]:
    """All references in alphabetical order."""
    found = [Reference(**entry) for entry in _entries("references.toml", "reference")]
    return tuple(sorted(found, key=lambda reference: reference.name.lower()))


def _entries(file: str, table: str) -> list[dict]:
    return tomllib.loads((CONTENT / file).read_text(encoding="utf-8"))[table]


def link_terms(soup: BeautifulSoup, linked: set[str]) -> None:
    """Link the first use of each term and reference in the text of `soup`.

    `linked` holds the addresses that the page has linked already, and learns new ones.
    Headings, code and the text of links stay as they are.
    """
    pattern, addresses = _patterns()
    for text in texts(soup, NOT_IN):
        pieces, end = [], 0
        for match in pattern.finditer(text):
            address = addresses[match.lastgroup]
            if address in linked:
                continue
            linked.add(address)
            link = soup.new_tag("a", href=address, string=match[0])
            if address.startswith(GLOSSARY):
                link["class"] = "term"
            pieces += [text[end : match.start()], link]
            end = match.end()
        if pieces:
            text.replace_with(*pieces, text[end:])


@cache
def _patterns() -> tuple[re.Pattern, dict[str, str]]:
    """One pattern for all names, a group for each entry, and the groups' addresses."""
    names = [
        (form, term.address)
        for term in terms()
        if term.link
        for form in map(_term_form, (term.name, *term.also))
    ]
    names += [(f, r.address) for r in references() for f in _reference_forms(r)]
    names.sort(key=lambda entry: len(entry[0]), reverse=True)  # the longest name wins
    groups = {f"n{place}": address for place, (_, address) in enumerate(names)}
    parts = [f"(?P<n{place}>{form})" for place, (form, _) in enumerate(names)]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?![\w-])"), groups


def _term_form(name: str) -> str:
    """A pattern for `name`, which may begin a sentence and break over lines."""
    first, rest = name[0], re.escape(name[1:]).replace(r"\ ", r"\s+")
    is_word = first.islower()
    return (f"[{first}{first.upper()}]" if is_word else re.escape(first)) + rest


def _reference_forms(reference: Reference) -> Iterable[str]:
    """`Li et al. 2018`, `Li et al. (2018`, and its arXiv number."""
    if cited := CITED.fullmatch(reference.name):
        authors = re.escape(cited[1]).replace(r"\ ", r"\s+")
        yield rf"{authors}\s+\(?{cited[2]}"
    if reference.link.startswith("arXiv:"):
        yield re.escape(reference.link)
