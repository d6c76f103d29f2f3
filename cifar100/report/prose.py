"""Markdown to the HTML of our pages: headings with ids, tables that fit, links."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mistune
from bs4 import BeautifulSoup, Tag
from bs4.dammit import EntitySubstitution
from bs4.formatter import HTMLFormatter
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from cifar100.report.sanitise import sanitise
from cifar100.report.tables import dress_table
from cifar100.report.terms import link_terms
from cifar100.report.units import dress_numbers

CODE = re.compile(r"(`{3,}|~{3,}).*?\1|(`+)(?!`).+?(?<!`)\2(?!`)", re.DOTALL)
MATH = re.compile(
    r"\$\$|\\\(|\\\[|\\begin\{"
    r"|(?<![\\$\w])\$(?=\S)[^$\n]*[\\^_{=][^$\n]*(?<=\S)\$(?!\d)"
)
PLAIN_HTML = HTMLFormatter(
    EntitySubstitution.substitute_xml, void_element_close_prefix=""
)
BLOCKS = ["p", "pre", "blockquote", "ul", "ol", "li", re.compile("^(h[1-6]|t.*)$")]
NUMBERED = re.compile(r"(\d\d) · ")


@dataclass
class Page:
    """What is gathered while one page is written.

    `problems` fail the build, `warnings` only with `--strict`; both start with the
    cell. `pictures` holds files to write, by name.
    """

    name: str
    folder: Path  # of the notebook: what relative addresses start from
    pages: set[str] = field(default_factory=set)  # names of all pages of the report
    cell: int = 0
    ids: set[str] = field(default_factory=set)
    headings: list[tuple[int, str, str]] = field(
        default_factory=list
    )  # level, id, text
    pictures: dict[str, bytes] = field(default_factory=dict)
    figures: int = 0
    tables: int = 0
    linked: set[str] = field(default_factory=set)  # terms and references so far
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        self.problems.append(f"cell {self.cell}: {text}")

    def warning(self, text: str) -> None:
        self.warnings.append(f"cell {self.cell}: {text}")

    def keep(self, name: str, content: bytes) -> None:
        """Keep a file for the report; a second one of that name is a problem."""
        if self.pictures.setdefault(name, content) != content:
            self.problem(f"a second figure called {name.partition('.')[0]}")

    def new_id(self, wanted: str) -> str:
        """`wanted`, or with a number where the page has it already."""
        identifier, number = wanted, 2
        while identifier in self.ids:
            identifier, number = f"{wanted}-{number}", number + 1
        self.ids.add(identifier)
        return identifier


def coloured(code: str, language: str = "python") -> str:
    """`code` as HTML with Pygments' short classes; unknown languages stay plain."""
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    return highlight(code, lexer, HtmlFormatter(nowrap=True)).rstrip("\n")


class Renderer(mistune.HTMLRenderer):
    """mistune's HTML, with fenced code coloured."""

    def block_code(self, code: str, info: str | None = None) -> str:
        language = (info or "").split(" ")[0]
        return f"<pre><code>{coloured(code, language)}</code></pre>\n"


@cache
def _parser() -> mistune.Markdown:
    renderer = Renderer(escape=False)  # raw HTML is allowed; all is sanitised after
    return mistune.create_markdown(
        renderer=renderer, plugins=["table", "strikethrough"]
    )


def markdown_to_html(markdown: str, page: Page) -> str:
    """Prose of a cell or an output as HTML for `page`, which learns its headings."""
    if MATH.search(CODE.sub("", markdown)):
        page.problem("a formula, which the page would show raw; write it in words")
    return html_to_page(str(_parser()(markdown)), page)


def inline(markdown: str) -> str:
    """A caption: emphasis, code and links, no paragraph around them."""
    soup = BeautifulSoup(sanitise(str(_parser()(markdown))), "html.parser")
    for block in soup.find_all(BLOCKS):  # a caption may be wrong, the page has to hold
        block.unwrap()
    dress_numbers(soup)
    return soup.decode(formatter=PLAIN_HTML).strip()


def html_to_page(html: str, page: Page) -> str:
    """Any HTML of a notebook, sanitised and made fit for `page`."""
    soup = BeautifulSoup(sanitise(html), "html.parser")
    for heading in soup.find_all(re.compile("h[1-6]")):
        _head(heading, page)
    for table in soup.find_all("table"):
        page.tables += 1
        dress_table(soup, table, page.tables)
    for paragraph in soup.find_all("p"):
        _ask(paragraph)
    for block in soup.find_all("pre"):
        block["tabindex"], block["role"], block["aria-label"] = "0", "group", "Code"
    for link in soup.find_all("a"):
        _link(link, page)
    for picture in soup.find_all("img"):
        _picture(picture, page)
    dress_numbers(soup)
    link_terms(soup, page.linked)
    return soup.decode(formatter=PLAIN_HTML)


def slug(text: str) -> str:
    """A heading's id: lower case, hyphens between words."""
    return re.sub(r"\W+", "-", text.lower()).strip("-") or "section"


def _head(heading: Tag, page: Page) -> None:
    text = " ".join(heading.get_text().split())
    heading["id"] = page.new_id(slug(text))
    page.headings.append((int(heading.name[1]), heading["id"], text))
    first = heading.find(string=True)
    if heading.name == "h1" and first and (numbered := NUMBERED.match(first)):
        number = BeautifulSoup("", "html.parser").new_tag("span", string=numbered[1])
        number["class"] = "number"
        first.replace_with(first[numbered.end() :])
        heading.insert(0, number)
        number.insert_after(" ")


def _ask(paragraph: Tag) -> None:
    """Set the question of a page apart; the prediction starts a line of its own."""
    opening = paragraph.get_text().partition(".")[0]
    if not paragraph.find("strong") or opening not in ("Question", "Predict"):
        return
    paragraph["class"] = "question"
    for strong in paragraph.find_all("strong")[1:]:
        if strong.get_text() == "Predict.":
            strong.insert_before(BeautifulSoup("", "html.parser").new_tag("br"))


def _link(link: Tag, page: Page) -> None:
    """Point at pages where the notebook points at notebooks; undo links to nowhere."""
    address = urlsplit(link.get("href", ""))
    if not link.get("href"):
        link.unwrap()
    elif address.scheme in ("http", "https", "mailto") or address.netloc:
        return
    elif not address.path:
        link["href"] = f"#{slug(unquote(address.fragment))}"
    elif address.path.endswith(".ipynb") and "/" not in address.path:
        name = address.path.removesuffix(".ipynb")
        fragment = f"#{slug(unquote(address.fragment))}" if address.fragment else ""
        if name in page.pages:
            link["href"] = f"{name}.html{fragment}"
        elif (page.folder / address.path).exists():
            link.unwrap()  # a partial report: the page is not in it
        else:
            page.problem(f"a link to {address.path}, which is not there")
    elif (page.folder / unquote(address.path)).exists():
        link.unwrap()  # a file of the repository: it does not travel with the report
    else:
        page.problem(f"a link to {address.path}, which is not there")


def _picture(picture: Tag, page: Page) -> None:
    """Hold a picture in markdown or HTML to the rules of figures: caption, alt text."""
    source = picture.get("src", "")
    if not picture.get("alt", "").strip():
        page.problem("a picture without alt text")
    in_table = picture.find_parent("table")
    figure = picture.find_parent("figure")
    if not in_table and not (figure and figure.find("figcaption")):
        page.problem("a picture without a caption; use course.show, or <figure>")
    if not source:
        page.warning("a picture from elsewhere, which the page leaves out")
        picture.decompose()
    elif not source.lower().startswith("data:"):
        path = page.folder / unquote(source)
        if not path.is_file():
            page.problem(f"a picture {source}, which is not there")
            return
        page.keep(path.name, path.read_bytes())
        picture["src"] = f"figures/{path.name}"
