"""The whole report: frame each page, write index and files, check every link."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jinja2
from markupsafe import Markup

from cifar100.errors import WorkError
from cifar100.records import list_records
from cifar100.report.explorer import PAGE, explorer_page
from cifar100.report.pages import Summary, Written, assets
from cifar100.report.sources import TEMPLATES


@dataclass(frozen=True)
class Provenance:
    """What the footer says of a report."""

    commit: str
    profile: str
    built: str  # UTC, to the minute
    runs: int  # recorded runs in this checkout
    missing: list[str]  # notebooks that are not in a partial report


def write_site(folder: Path, pages: Sequence[Written], provenance: Provenance) -> None:
    """Write index, pages, pictures and notebooks into `folder`.

    Raises WorkError for pages that break a rule, and for links and ids that do not fit.
    """
    fail([problem for page in pages for problem in page.problems])
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES / "site", TEMPLATES / "page"]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    site = {
        "summaries": [page.summary for page in pages],
        "provenance": provenance,
        "assets": assets(),
    }
    index = environment.get_template("index.html.j2").render(**site)
    (folder / "index.html").write_text(index)
    explorer = explorer_page(list_records(), environment, site)
    (folder / PAGE).write_text(explorer, encoding="utf-8")
    template = environment.get_template("notebook.html.j2")
    for page, before, after in zip(
        pages, [None, *pages[:-1]], [*pages[1:], None], strict=True
    ):
        html = template.render(
            **site,
            page=page.summary,
            body=Markup(page.body),  # noqa: S704 (sanitised when written)
            status=page.executed.status,
            previous=summary_of(before),
            next=summary_of(after),
        )
        (folder / page.summary.address).write_text(html)
    write_files(folder, pages)
    fail(dead_links(folder))


def summary_of(page: Written | None) -> Summary | None:
    return page.summary if page else None


def write_files(folder: Path, pages: Sequence[Written]) -> None:
    """Fonts, pictures, and the notebooks as they stand in the repository."""
    shutil.copytree(TEMPLATES / "fonts", folder / "fonts")
    (folder / "figures").mkdir()
    (folder / "notebooks").mkdir()
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


class _Links(HTMLParser):
    """Ids and addresses of one page, and how many `h1` it has."""

    def __init__(self, html: str):
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.titles = 0
        self.feed(html)

    def has(self, fragment: str) -> bool:
        """Whether `fragment` leads somewhere: to an id, or a view of the explorer."""
        return fragment in self.ids or ("=" in fragment and "explorer" in self.ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.titles += tag == "h1"
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            elif name in ("href", "src") and value:
                self.addresses.append(value)


def dead_links(folder: Path) -> list[str]:
    """Everything in the pages of `folder` that points nowhere; doubled ids as well."""
    pages = {path.name: _Links(path.read_text()) for path in folder.glob("*.html")}
    problems = []
    for name, page in sorted(pages.items()):
        if page.titles != 1:
            problems.append(f"{name}: {page.titles} headings of level 1, not one")
        doubled = sorted({i for i in page.ids if page.ids.count(i) > 1})
        problems += [f"{name}: two elements with the id {i}" for i in doubled]
        for address in page.addresses:
            parts = urlsplit(address)
            if parts.scheme:
                continue
            target = unquote(parts.path) or name
            known = pages.get(target)
            if known is None and not (folder / target).is_file():
                problems.append(f"{name}: nothing at {address}")
            elif known and parts.fragment and not known.has(parts.fragment):
                problems.append(f"{name}: no section {address}")
    return problems
