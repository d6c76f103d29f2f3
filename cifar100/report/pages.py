"""One page: an executed notebook through nbconvert, with our own template."""

import re
from dataclasses import dataclass, field

import nbformat
from bs4 import BeautifulSoup
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
    """A page before the site is known: its summary, body and pictures; `linked` are
    the addresses of terms and references that its text mentions."""

    executed: Executed
    summary: Summary
    body: str
    pictures: dict[str, bytes]
    linked: set[str]
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


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
        page.linked,
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
