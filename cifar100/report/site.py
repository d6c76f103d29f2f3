"""The whole report: frame each page, write index and files, check every link."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from bs4 import BeautifulSoup
from markupsafe import Markup

from cifar100 import paths
from cifar100.errors import WorkError
from cifar100.evidence import findings
from cifar100.records import Record
from cifar100.report import measured, verdicts
from cifar100.report.assets import assets
from cifar100.report.explorer import PAGE as EXPLORER
from cifar100.report.explorer import explorer_page
from cifar100.report.links import dead_links
from cifar100.report.pages import Summary, Written
from cifar100.report.printing import BOOK, write_book
from cifar100.report.prose import Page, inline
from cifar100.report.searching import sections_script
from cifar100.report.sources import EVIDENCE, TEMPLATES
from cifar100.report.terms import Term, link_terms, references, terms
from cifar100.report.words import Words

VENDOR = TEMPLATES / "vendor"


@dataclass(frozen=True)
class Provenance:
    """What the footer says of a report."""

    commit: str
    code: str  # address where it is published, or empty
    profile: str
    built: str  # UTC, to the minute
    runs: int  # recorded runs in this checkout
    devices: str  # that the runs were made on
    versions: dict[str, str]  # of what executed
    missing: list[str]  # notebooks that are not in a partial report
    pdf: bool  # whether there is a printed report beside the pages


def write_site(
    folder: Path,
    pages: Sequence[Written],
    found: list[Record],
    provenance: Provenance,
) -> None:
    """Write index, pages, pictures and notebooks into `folder`; `found`: all records.

    Raises WorkError for pages that break a rule, and for links and ids that do not fit.
    """
    fail([problem for page in pages for problem in page.problems])
    site = {
        "summaries": [page.summary for page in pages],
        "provenance": provenance,
        "assets": assets(),
    }
    html = {
        **_claims_in_all_languages(site, found),
        EXPLORER: explorer_page(found, environment_of("en"), site),
        **_measured(site, found),
        **_glossary(site),
        **_references(site, pages),
        **_notebooks(site, pages),
    }
    for address, text in html.items():
        (folder / address).write_text(text, encoding="utf-8")
    write_files(folder, pages, html)
    if provenance.pdf:
        write_book(folder, _in_reading_order(html, site["summaries"]))
    fail(dead_links(folder))


def _in_reading_order(
    html: dict[str, str], summaries: Sequence[Summary]
) -> dict[str, str]:
    """The pages of the printed report: overview, notebooks, what one looks up."""
    last = ["verdicts.html", "measured.html", "glossary.html", "references.html"]
    return {a: html[a] for a in ["index.html", *(s.address for s in summaries), *last]}


def environment_of(code: str) -> jinja2.Environment:
    """Templates in one language: what all of them share are globals."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES / "site", TEMPLATES / "page"]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    words = Words(code)
    environment.filters["inline"] = lambda text: Markup(inline(text))  # noqa: S704 (ours)
    environment.globals |= {
        "words": words,
        "book": BOOK,
        "look_up": [
            (words.verdicts_address, words.verdicts),
            (EXPLORER, words.explorer),
            ("measured.html", words.measured),
            ("glossary.html", words.glossary),
            ("references.html", words.references),
        ],
    }
    return environment


def _claims_in_all_languages(
    site: dict[str, Any], found: list[Record]
) -> dict[str, str]:
    """Index and verdict table, once a language."""
    table = findings(found)
    html = {}
    for language in verdicts.LANGUAGES:
        environment = environment_of(language.code)
        lines = verdicts.lines(table, language)
        content = {
            **site,
            "lines": lines,
            "heads": language.heads,
            "board": verdicts.by_kind(lines),
            "verdicts": verdicts.by_notebook(lines),
            "journey": verdicts.journey(lines),
            "addresses": {s.number: s.address for s in site["summaries"]},
        }
        words = environment.globals["words"]
        for name, address in (
            ("index.html.j2", words.home_address),
            ("verdicts.html.j2", words.verdicts_address),
        ):
            html[address] = environment.get_template(name).render(**content)
    return html


def _measured(site: dict[str, Any], found: Sequence[Record]) -> dict[str, str]:
    page = Page("measured", paths.package_root() / "docs")
    body = measured.measured_page(found, page)
    fail([f"{EVIDENCE.name}: {problem}" for problem in page.problems])
    template = environment_of("en").get_template("measured.html.j2")
    return {"measured.html": template.render(**site, body=body)}


def _glossary(site: dict[str, Any]) -> dict[str, str]:
    numbers = {summary.number: summary for summary in site["summaries"]}
    entries = [
        (
            term,
            _linked(term),
            [numbers[n] for n in term.notebooks if n in numbers],
        )
        for term in terms()
    ]
    by_letter = groupby(terms(), key=lambda term: term.name[0].upper())
    letters = [(letter, next(members).id) for letter, members in by_letter]
    template = environment_of("en").get_template("glossary.html.j2")
    html = template.render(**site, entries=entries, letters=letters)
    return {"glossary.html": html}


def _linked(term: Term) -> Markup:
    """The text of a term, with the terms and references that it names."""
    soup = BeautifulSoup(inline(term.text), "html.parser")
    link_terms(soup, {term.address})
    return Markup(soup)  # noqa: S704 (sanitised)


def _references(site: dict[str, Any], pages: Sequence[Written]) -> dict[str, str]:
    entries = [
        (reference, [p.summary for p in pages if reference.address in p.linked])
        for reference in references()
    ]
    template = environment_of("en").get_template("references.html.j2")
    return {"references.html": template.render(**site, entries=entries)}


def _notebooks(site: dict[str, Any], pages: Sequence[Written]) -> dict[str, str]:
    template = environment_of("en").get_template("notebook.html.j2")
    html = {}
    for page, before, after in zip(
        pages, [None, *pages[:-1]], [*pages[1:], None], strict=True
    ):
        html[page.summary.address] = template.render(
            **site,
            page=page.summary,
            body=Markup(page.body),  # noqa: S704 (sanitised when written)
            status=page.executed.status,
            previous=summary_of(before),
            next=summary_of(after),
        )
    return html


def summary_of(page: Written | None) -> Summary | None:
    return page.summary if page else None


def write_files(folder: Path, pages: Sequence[Written], html: dict[str, str]) -> None:
    """Fonts, search, pictures, and the notebooks as they stand in the repository."""
    shutil.copytree(TEMPLATES / "fonts", folder / "fonts")
    for name in ("figures", "notebooks", "search"):
        (folder / name).mkdir()
    shutil.copyfile(
        VENDOR / "minisearch" / "minisearch.js", folder / "search/minisearch.js"
    )
    (folder / "search" / "sections.js").write_text(
        sections_script(html), encoding="utf-8"
    )
    written: dict[str, tuple[str, bytes]] = {}
    for page in pages:
        source = page.executed.source.path
        shutil.copyfile(source, folder / "notebooks" / source.name)
        for name, content in page.pictures.items():
            owner, known = written.setdefault(name, (page.summary.name, content))
            if known != content:
                fail([f"figure {name}: another one in {owner} and {page.summary.name}"])
            (folder / "figures" / name).write_bytes(content)


def fail(problems: Sequence[str]) -> None:
    if problems:
        raise WorkError("\n".join(problems))
