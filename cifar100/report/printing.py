"""The whole report as one PDF: one long page of all pages, printed by Chromium."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag

from cifar100.errors import UserError, WorkError
from cifar100.report.assets import FOLDER, assets

BOOK = "cifar-100-step-by-step.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 300  # seconds
ONLY_ON_SCREENS = ".filters, .letters, .languages, .downloads, .in-dark, .copy"


def find_chromium(what: str = "--pdf") -> str:
    """The browser; UserError that says `what` needs it when there is none."""
    named = os.environ.get("CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else BROWSERS)), None)
    if not found:
        raise UserError(
            f"{what}: needs Chromium or Chrome on the PATH, or its path in $CHROMIUM."
            " Nothing was written."
        )
    return found


def write_book(folder: Path, html: Mapping[str, str]) -> Path:
    """Print the pages `html`, by address and in their order, into one PDF in `folder`.

    Links between the pages lead to their places in the book. Raises WorkError when the
    browser fails.
    """
    page = folder / "book.html"
    page.write_text(book_of(html), encoding="utf-8")
    try:
        _print(page, folder / BOOK)
    finally:
        page.unlink()
    return folder / BOOK


def book_of(html: Mapping[str, str]) -> str:
    """One HTML document of all pages, a chapter each."""
    chapters = [_chapter(address, text, html) for address, text in html.items()]
    first = BeautifulSoup(next(iter(html.values())), "html.parser")
    chapters.insert(1, str(first.select_one("dl.facts") or ""))  # of which commit, when
    style = assets().style + (FOLDER / "css" / "book.css").read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>CIFAR-100 step by step</title><style>{style}</style></head>"
        f"<body>{''.join(chapters)}</body></html>"
    )


def _chapter(address: str, html: str, pages: Mapping[str, str]) -> str:
    article = BeautifulSoup(html, "html.parser").find("article")
    for element in article.select(ONLY_ON_SCREENS):
        element.decompose()
    for element in article.find_all(id=True):
        element["id"] = f"{address}:{element['id']}"
    for element in article.find_all(attrs={"aria-labelledby": True}):
        element["aria-labelledby"] = f"{address}:{element['aria-labelledby']}"
    for solution in article.select("details.solution"):
        solution["open"] = ""  # paper can't be unfolded
    for picture in article.find_all("img"):
        del picture["loading"]
    for link in article.find_all("a"):
        _point_into_the_book(link, address, pages)
    return f'<section class="chapter" id="{address}">{article}</section>'


def _point_into_the_book(link: Tag, address: str, pages: Mapping[str, str]) -> None:
    target = urlsplit(link["href"])
    if target.scheme:
        return
    page = target.path or address
    if page not in pages:
        link.unwrap()  # a file of the report: it does not travel with the book
    else:
        link["href"] = f"#{page}:{target.fragment}" if target.fragment else f"#{page}"


def _print(page: Path, pdf: Path) -> None:
    command = [find_chromium(), "--headless", "--disable-gpu", "--no-first-run"]
    command += ["--no-pdf-header-footer", "--generate-pdf-document-outline"]
    if os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium refuses to run as root with one
    command += [f"--print-to-pdf={pdf}", page.as_uri()]
    try:
        done = subprocess.run(  # noqa: S603 (fixed words and our own paths)
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise WorkError(f"--pdf: not printed within {PATIENCE} s") from None
    if done.returncode or not pdf.is_file():
        last = done.stderr.strip().splitlines()[-3:]
        raise WorkError("\n".join([f"--pdf: {command[0]} did not print", *last]))
