"""Pages from executed notebooks: what is shown, what is refused. No kernel runs."""

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import v4
from small_notebooks import PNG, code, markdown, notebook, shown

from cifar100.report.assets import assets
from cifar100.report.links import dead_links
from cifar100.report.pages import write_page
from cifar100.report.runner import Executed
from cifar100.report.sources import Source

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="518.4pt" height="72pt"><g/></svg>'
WORDS = {"name": "curves", "caption": "Both *rise*.", "alt": "Two rising lines"}


@pytest.fixture
def page(tmp_path):
    """A function from cells to (Written, soup of its body)."""

    def make(*cells, title="# 00 · A title", names=("00-a", "01-b")):
        path = tmp_path / "00-a.ipynb"
        nbformat.write(notebook(*cells, title=title), path)
        executed = Executed(Source(path, "0"), path, {})
        written = write_page(executed, set(names))
        return written, BeautifulSoup(written.body, "html.parser")

    return make


def with_output(data, **words):
    return code("show()", outputs=[shown(data, **words)])


# figures


def test_figure_has_files_size_alt_text_caption_and_number(page):
    data = {"image/svg+xml": SVG, "image/png": PNG, "text/html": "<figure>"}
    written, soup = page(with_output(data | {"text/csv": "a\n1\n"}, **WORDS))
    figure = soup.find("figure")
    light, dark = figure.find_all("img")
    assert figure["id"] == "curves"
    assert (light["class"], dark["class"]) == (["in-light"], ["in-dark"])
    assert light["src"] == "figures/curves.svg"
    assert dark["src"] == "figures/curves-dark.svg"
    for image in (light, dark):
        assert image["alt"] == "Two rising lines"
        assert (image["width"], image["height"]) == ("781", "108")
        assert image["loading"] == "lazy"
    downloads = figure.find(class_="downloads").extract()
    assert [link["href"] for link in downloads.find_all("a")] == [
        "figures/curves.svg",
        "figures/curves.png",
        "figures/curves.csv",
    ]
    assert figure.find("figcaption").get_text().strip() == "Figure 1. Both rise."
    assert figure.find("em").get_text() == "rise"
    names = ["curves-dark.svg", "curves.csv", "curves.png", "curves.svg"]
    assert sorted(written.pictures) == names
    assert written.problems == []


@pytest.mark.parametrize("lacking", ["caption", "alt"])
def test_figure_without_caption_or_alt_text_is_a_problem_of_its_cell(page, lacking):
    words = {**WORDS, lacking: "  "}
    written, _ = page(markdown("text"), with_output({"image/png": PNG}, **words))
    (problem,) = written.problems
    assert "00-a.ipynb, cell 4: a picture without" in problem
    assert lacking in problem


@pytest.mark.parametrize(
    "html",
    [
        "<figure><img src='data:image/png;,'><figcaption>c</figcaption></figure>",
        "<img alt='lines' src='data:image/png;base64,AA'>",
        "<figure><img alt='lines' src='absent.png'><figcaption>c</figcaption></figure>",
    ],
    ids=["alt", "caption", "file"],
)
def test_picture_in_html_is_held_to_the_same_rules(page, html):
    written, _ = page(with_output({"text/html": html}))
    assert len(written.problems) == 1


def test_two_pictures_of_one_name_are_a_problem(page):
    first = with_output({"image/svg+xml": SVG}, **WORDS)
    second = with_output({"image/svg+xml": SVG.replace("72", "73")}, **WORDS)
    written, _ = page(first, second)
    assert any("a second figure called curves" in text for text in written.problems)


def test_heading_steps_aside_for_a_figure_and_for_another_heading(page):
    figure = with_output({"image/svg+xml": SVG}, **WORDS)
    written, soup = page(markdown("## Curves"), figure, markdown("## Curves"))
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert [identifier for _, identifier, _ in written.summary.headings] == [
        "curves-2",
        "curves-3",
    ]


@pytest.mark.parametrize(
    "inside",
    [
        "<script>1</script>",
        "<g onload='run()'/>",
        "<a xlink:href='javascript:run()'/>",
        "<image href='https://example.org/x.png'/>",
        "<style>@import 'x.css'</style>",
        "<foreignObject/>",
        "<rect fill='url(https://example.org/#a)'/>",
    ],
)
def test_svg_that_acts_or_loads_is_a_problem(page, inside):
    hostile = SVG.replace("<g/>", inside).replace(
        "<svg ", "<svg xmlns:xlink='http://www.w3.org/1999/xlink' "
    )
    written, _ = page(with_output({"image/svg+xml": hostile}, **WORDS))
    assert len(written.problems) == 1


# what outputs bring along


def test_text_output_and_titles_are_escaped(page):
    stream = v4.new_output("stream", name="stdout", text="<b>x</b>\x1b[31mred\x1b[0m\n")
    more = v4.new_output("stream", name="stdout", text="of the same\n")
    bar = v4.new_output("stream", name="stdout", text=" 1%\r 50%\r100%\r\nend")
    cell = code(
        "print('<i>')", outputs=[stream, more, shown({"text/plain": "value"}), bar]
    )
    _, soup = page(cell, title="# 00 · A <script>1</script> `<b>` & more")
    texts = [block.get_text() for block in soup.select(".output pre")]
    assert texts == ["<b>x</b>red\nof the same\n", "value", "100%\nend"]
    assert not soup.find(["script", "b", "i"])
    assert soup.find("h1").get_text() == "00 A  <b> & more"


# prose


@pytest.mark.parametrize(
    "text", ["$$x^2$$", "so \\(x\\)", "\\begin{align}", "is $x_1$ here", "$a=b$"]
)
def test_formula_is_a_problem(page, text):
    written, _ = page(markdown(text))
    assert ["formula" in problem for problem in written.problems] == [True]


@pytest.mark.parametrize(
    "text", ["costs $5 and $6", "`$x_1$`", "```\n$$x$$\n```", "$HOME and $PATH"]
)
def test_dollars_that_are_no_formula_pass(page, text):
    written, _ = page(markdown(text))
    assert written.problems == []


def test_links_between_notebooks_lead_to_pages(page, tmp_path):
    (tmp_path / "02-c.ipynb").write_text("not in this report")
    (tmp_path / "README.md").write_text("a file of the repository")
    _, soup = page(
        markdown(
            "[a](01-b.ipynb) [b](01-b.ipynb#What-Comes-Next) [c](02-c.ipynb) "
            "[d](README.md) [e](https://example.org/) [f](#A-title)"
        )
    )
    links = {link.get_text(): link["href"] for link in soup.find_all("a")}
    assert links == {
        "a": "01-b.html",
        "b": "01-b.html#what-comes-next",
        "e": "https://example.org/",
        "f": "#a-title",
    }


def test_link_to_what_is_not_there_is_a_problem(page):
    written, _ = page(markdown("[a](09-x.ipynb) [b](gone.md)"))
    assert len(written.problems) == 2


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("from 47% to 48.1 %", "from 47~% to 48.1~%"),
        ("−3.7 pp at 64\npx", "−3.7~pp at 64~px"),
        ("1%p, 38%입니다, 3 places", "1%p, 38%입니다, 3 places"),
        ('`f"{x:.1%} 5%"`', 'f"{x:.1%} 5%"'),
        ("-0.35, (-2 to +1), -7%", "−0.35, (−2 to +1), −7~%"),
        ("5e-4, CIFAR-100, 2026-11-24, `-1`", "5e-4, CIFAR-100, 2026-11-24, -1"),
    ],
)
def test_a_number_has_its_unit_beside_it_and_a_true_minus(page, said, shown):
    _, soup = page(markdown(said))
    text = soup.find_all("p")[-1].get_text()
    assert text == shown.replace("~", "\N{NO-BREAK SPACE}")


@pytest.mark.parametrize("cell", [markdown("# Another"), markdown("text")])
def test_page_needs_exactly_one_title(page, cell):
    title = "# 00 · A title" if cell.source.startswith("#") else "no title"
    written, _ = page(cell, title=title)
    assert "headings of level 1, not one" in written.problems[0]


def test_question_of_a_page_is_found_and_the_prediction_left_out(page):
    text = "Before.\n\n**Question.** Does it\nhelp?\n**Predict.** By how much?"
    written, _ = page(markdown(text))
    assert written.summary.question == "Does it help?"
    assert (written.summary.number, written.summary.title) == ("00", "A title")


# code, solutions, tables


def test_plumbing_is_folded_solutions_with_their_outputs_too_and_injected_is_out(page):
    stream = v4.new_output("stream", name="stdout", text="the answer")
    _, soup = page(
        code("PROFILE = 'read'", "injected-parameters"),
        code("import this", "hide-input"),
        code("shown = 1"),
        code("course.show(draw(), 'a-name')"),
        code("def draw():\n    pass\n\n\ncourse.show(draw(), 'b-name')"),
        code("lines = []\nMarkdown('said')"),
        code("%time"),
        markdown("### Exercise 1"),
        code("solve()", "solution", outputs=[stream]),
        markdown("because", "solution"),
        markdown("### Exercise 2"),
        code("solve_again()", "solution"),
    )
    assert "read" not in soup.get_text()
    opened = {
        block.find("pre").get_text(): block.find("details").has_attr("open")
        for block in soup.select(".code")
    }
    assert opened["import this"] is False
    assert opened['PROFILE = "quick"'] is False
    assert opened["shown = 1"] is True
    labels = {
        b.find("pre").get_text(): b.summary.get_text() for b in soup.select(".code")
    }
    for text, label in (
        ("course.show(draw(), 'a-name')", "Code of this figure"),
        ("lines = []\nMarkdown('said')", "Code of this text"),
    ):
        assert (opened[text], labels[text]) == (False, label)
    assert opened["%time"] is True
    (defines,) = (text for text in opened if text.startswith("def draw"))
    assert opened[defines] is True
    first, second = soup.select("details.solution")
    assert not first.has_attr("open")
    for text in ("solve()", "the answer", "because"):
        assert text in first.get_text()
    assert "solve_again()" in second.get_text()
    assert "Exercise 2" not in first.get_text()


def test_table_of_pandas_gets_one_header_row_scopes_alignment_and_a_box(page):
    import pandas as pd

    table = pd.DataFrame({"name": ["a", "b"], "top1": [0.5, float("nan")]})
    html = table.rename_axis("seed").to_html()
    _, soup = page(with_output({"text/html": html, "text/plain": "x"}))
    box = soup.select_one("div.table")
    assert box["tabindex"] == "0"
    assert box["aria-label"] == "Table 1"
    (head,) = box.select("thead tr")
    assert [cell.get_text() for cell in head.find_all("th")] == ["seed", "name", "top1"]
    assert {cell["scope"] for cell in head.find_all("th")} == {"col"}
    assert {cell["scope"] for cell in box.select("tbody th")} == {"row"}
    numeric = [cell.get_text() for cell in head.select(".numeric")]
    assert numeric == ["seed", "top1"]
    assert not box.find(style=True)


def test_markdown_output_is_shown_and_a_script_output_is_not(page):
    _, soup = page(
        with_output({"text/markdown": "**Verdict: held.**", "text/plain": "x"}),
        with_output({"application/javascript": "run()", "text/plain": "<IPython>"}),
    )
    assert soup.find("strong").get_text() == "Verdict: held."
    assert "run()" not in soup.get_text()


# the site


def test_dead_links_and_doubled_ids_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="x">A</h1><p id="x"></p><a href="b.html#there">b</a>'
        '<a href="b.html#gone">b</a><a href="c.html">c</a><img src="figures/x.svg">'
        '<a href="https://example.org/">out</a><a href="#x">x</a>'
    )
    (tmp_path / "b.html").write_text('<h1 id="there">B</h1>')
    assert sorted(dead_links(tmp_path)) == [
        "a.html: no section b.html#gone",
        "a.html: nothing at c.html",
        "a.html: nothing at figures/x.svg",
        "a.html: two elements with the id x",
    ]


def test_policy_allows_only_our_own_style_and_script():
    policy = assets().policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "'self'" not in policy.partition("script-src")[2]
    assert "http" not in policy
