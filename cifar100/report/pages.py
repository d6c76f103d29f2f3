"""One page: an executed notebook through nbconvert, with our own template."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from functools import cache

import nbformat
from bs4 import BeautifulSoup
from markupsafe import Markup
from nbconvert import HTMLExporter

from cifar100.report.outputs import Ready
from cifar100.report.prose import Page
from cifar100.report.runner import Executed
from cifar100.report.sources import TEMPLATES

WORDS_A_MINUTE = 220
SECONDS_A_CODE_LINE = 4
SECONDS_A_FIGURE = 15
QUESTION = re.compile(r"^Question\.\s*(.*?)(\s*Predict\..*)?$")


@dataclass(frozen=True)
class Summary:
    """What contents, cards and neighbours say of a page."""

    name: str
    number: str
    title: str
    question: str
    minutes: int  # to read
    headings: list[tuple[int, str, str]]  # level, id, text

    @property
    def address(self) -> str:
        return f"{self.name}.html"


@dataclass
class Written:
    """A page before the site is known: its summary, body and pictures."""

    executed: Executed
    summary: Summary
    body: str
    pictures: dict[str, bytes]
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Assets:
    """Style and script, put into each page, with the policy that allows just these.

    Inline, because a page opened from `file://` is refused most of what stands beside
    it, and by hash, so that nothing that a notebook printed can run.
    """

    style: Markup
    script: Markup
    policy: str


@cache
def assets(*more: str) -> Assets:
    """The assets as they are on disk, with `more` files for a page that needs them."""
    files = [TEMPLATES / "assets" / name for name in ("page.css", "page.js", *more)]
    style, script = (
        "\n".join(file.read_text() for file in files if file.suffix == suffix)
        for suffix in (".css", ".js")
    )
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"img-src 'self' data:; font-src 'self'; "
        f"style-src {_source(style)}; script-src {_source(script)}"
    )
    return Assets(Markup(style), Markup(script), policy)  # noqa: S704 (our own files)


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class BodyExporter(HTMLExporter):
    """nbconvert's exporter, with our template, and escaping on."""

    def __init__(self, page: Page):
        super().__init__(
            template_name="page",
            extra_template_basedirs=[str(TEMPLATES)],
            preprocessors=[Ready(page)],
        )

    default_preprocessors: list = []  # noqa: RUF012 (a trait of nbconvert)

    def _create_environment(self):
        environment = super()._create_environment()
        environment.autoescape = True
        return environment


def write_page(executed: Executed, names: set[str]) -> Written:
    """The body of one notebook's page; `names` are all pages of the report."""
    source = executed.source
    page = Page(source.name, source.path.parent, names)
    notebook = nbformat.read(executed.notebook, as_version=4)
    body, _ = BodyExporter(page).from_notebook_node(notebook)
    titles = [text for level, _, text in page.headings if level == 1]
    if len(titles) != 1:
        page.problems.append(f"{len(titles)} headings of level 1, not one")
    where = source.path
    return Written(
        executed,
        summarise(source.name, body, page, titles[0] if titles else source.name),
        body,
        page.pictures,
        [f"{where}, {text}" for text in page.problems],
        [f"{where}, {text}" for text in page.warnings],
    )


def summarise(name: str, body: str, page: Page, title: str) -> Summary:
    """Title, question and reading time, taken from the page itself."""
    soup = BeautifulSoup(body, "html.parser")
    paragraphs = [" ".join(p.get_text().split()) for p in soup.find_all("p")]
    found = [match[1] for match in map(QUESTION.match, paragraphs) if match]
    question = (found or paragraphs or [""])[0]
    code = sum(block.get_text().count("\n") + 1 for block in soup.select(".code pre"))
    for block in soup.select("pre, table"):
        block.decompose()
    seconds = len(soup.get_text().split()) / WORDS_A_MINUTE * 60
    seconds += code * SECONDS_A_CODE_LINE + page.figures * SECONDS_A_FIGURE
    return Summary(
        name=name,
        number=name[:2],
        title=re.sub(r"^\d\d\s*·?\s*", "", title),
        question=question,
        minutes=max(1, round(seconds / 60)),
        headings=[entry for entry in page.headings if entry[0] in (2, 3)],
    )
