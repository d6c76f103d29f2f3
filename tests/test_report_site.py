"""What a report says besides its notebooks: words, terms, references, verdicts."""

import math
import re

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from cifar100 import paths
from cifar100.evidence import ENGLISH, KOREAN
from cifar100.experiments import NOTEBOOKS
from cifar100.report import figures, measured, verdicts
from cifar100.report.printing import book_of
from cifar100.report.sources import CONTENT, TEMPLATES
from cifar100.report.terms import link_terms, references, terms
from cifar100.report.words import Words, content

CITATION = re.compile(r"arXiv:\d{4}\.\d{5}")
PROSE = [*paths.package_root().glob("notebooks/**/*.ipynb")]


def linked(text, known=()):
    """HTML of a paragraph after linking, and all that is linked by then."""
    soup, found = BeautifulSoup(f"<p>{text}</p>", "html.parser"), set(known)
    link_terms(soup, found)
    return str(soup), found


# words


@pytest.mark.parametrize("code", [x.code for x in verdicts.LANGUAGES])
def test_every_word_is_said_in_every_language(code):
    sections = {k: v for k, v in content().items() if k != "notebooks"}
    said = [entry for section in sections.values() for entry in section.values()]
    assert len(said) > 50
    assert all(entry[code].strip() for entry in said)


def test_every_word_that_templates_ask_for_is_there_and_none_is_left_over():
    text = "".join(p.read_text() for p in TEMPLATES.rglob("*.j2"))
    code = "".join(p.read_text() for p in CONTENT.parent.glob("*.py"))
    asked = set(re.findall(r"\bwords\.(\w+)", text + code))
    asked -= {"title_of", "question_of", "lang_of_notebook", "language", "toml"}
    there = {k for name, s in content().items() if name != "notebooks" for k in s}
    assert asked - there == set()
    assert there - asked == set()


def test_every_notebook_has_a_korean_title_and_question():
    titles = content()["notebooks"]
    assert titles.keys() == {notebook.stem for notebook in NOTEBOOKS}
    hangul = re.compile("[가-힣]")
    assert all(hangul.search(t["title"] + t["question"]) for t in titles.values())


def test_notebook_without_a_translation_keeps_its_title_and_says_its_language():
    from cifar100.report.pages import Summary

    summary = Summary("98-new", "98", "A new one", "Why?", 3, [])
    assert Words("ko").title_of(summary) == "A new one"
    assert Words("ko").lang_of_notebook(summary) == ' lang="en"'
    assert Words("en").lang_of_notebook(summary) == ""


# terms and references


def test_first_use_of_a_term_is_linked_and_the_second_is_not():
    html, found = linked("Dropout helps; more dropout, less overfitting.")
    assert html.count("glossary.html#dropout") == 1
    assert html.index(">Dropout</a>") < html.index("more dropout")
    assert "glossary.html#overfitting" in found
    again, _ = linked("dropout", found)
    assert "<a" not in again


def test_longest_term_wins_and_parts_of_words_are_left_alone():
    html, _ = linked("spatial dropout, an epochal seedling")
    assert 'href="glossary.html#spatial-dropout">spatial dropout</a>' in html
    assert html.count("<a") == 1


@pytest.mark.parametrize(
    "text", ["<code>dropout</code>", "<a href='x'>dropout</a>", "<h2>dropout</h2>"]
)
def test_code_links_and_headings_stay_as_they_are(text):
    html, found = linked(text)
    assert (html.count("<a"), found) == (text.count("<a"), set())


@pytest.mark.parametrize(
    "text", ["Li et al. 2018", "Li et\nal. (2018, CVPR)", "see arXiv:1801.05134"]
)
def test_citation_leads_to_the_reference_however_it_is_written(text):
    assert linked(text)[1] == {"references.html#li-2018"}


def test_every_arxiv_number_of_the_course_is_among_the_references():
    code = [*paths.package_root().glob("cifar100/**/*.py")]
    texts = [p.read_text(encoding="utf-8") for p in (*PROSE, *code)]
    cited = {number for text in texts for number in CITATION.findall(text)}
    assert len(cited) > 20
    assert cited - {reference.link for reference in references()} == set()


def test_entries_have_ids_of_their_own_and_notebooks_that_exist():
    assert len({term.id for term in terms()}) == len(terms()) > 40
    assert len({r.key for r in references()}) == len(references())
    numbers = {notebook.number for notebook in NOTEBOOKS}
    assert all(set(term.notebooks) <= numbers for term in terms())
    names = [name.lower() for term in terms() for name in (term.name, *term.also)]
    assert len(set(names)) == len(names)
    for reference in references():
        assert reference.url.startswith("https://")


def test_every_reference_of_the_list_is_cited_or_named_in_the_course():
    files = [*PROSE, *paths.package_root().glob("cifar100/**/*.py")]
    files += paths.package_root().glob("docs/*.md")
    texts = [nbformat.read(p, 4) if p.suffix == ".ipynb" else p for p in files]
    joined = " ".join(
        " ".join(c.source for c in t.cells) if hasattr(t, "cells") else t.read_text()
        for t in texts
    )
    words = " ".join(joined.split())

    def is_named(name):  # "Li et al. 2018": the first author, and soon after the year
        author, year = re.split(r"[ ,]", name)[0], re.search(r"\d{4}", name)[0]
        return re.search(rf"\b{author}\b.{{0,60}}\b{year}\b", words)

    unused = [r for r in references() if r.link not in words and not is_named(r.name)]
    assert [reference.name for reference in unused] == []


# verdicts


@pytest.fixture(scope="module")
def table():
    from cifar100.evidence import findings

    return findings()


@pytest.mark.parametrize(
    ("effect", "anew", "turns"),
    [
        ((0.02, 0.01, 0.03), (0.02, 0.01, 0.03), False),
        ((0.02, 0.01, 0.03), (-0.02, -0.03, -0.01), True),
        ((0.02, 0.01, 0.03), (0.02, -0.01, 0.05), True),
        ((0.02, -0.01, 0.05), (-0.02, -0.03, -0.01), False),
        ((0.02, 0.01, 0.03), (math.nan,) * 3, False),
    ],
)
def test_a_difference_that_hangs_on_the_scoring_is_marked(effect, anew, turns):
    row = dict(zip(("effect", "low", "high"), effect, strict=True))
    row |= dict(zip(("anew", "anew_low", "anew_high"), anew, strict=True))
    assert verdicts.Line(row, {}, "held").turns == turns


def test_a_row_without_runs_is_missing_and_one_without_all_seeds_is_open():
    row = {"n": 0, "kind": "confirmatory", "word": None}
    assert verdicts.kind_of(row) == "missing"
    assert verdicts.kind_of(row | {"n": 3}) == "open"
    assert verdicts.kind_of(row | {"n": 5, "word": "held"}) == "held"
    assert verdicts.kind_of(row | {"n": 3, "kind": "exploratory"}) == "exploratory"


def test_groups_hold_every_line_once(table):
    found = verdicts.lines(table, KOREAN)
    groups = verdicts.by_kind(found)
    assert sorted(groups, key=list(verdicts.MARKS).index) == list(groups)
    assert sum(map(len, groups.values())) == len(found) == len(table)


def test_marks_of_the_journey_stand_where_the_figures_say(table):
    found = verdicts.lines(table, ENGLISH)
    drawn = verdicts.journey(found)
    scale = verdicts.Scale([0.3, 0.79])
    assert (scale.low, scale.high) == (0.2, 0.9)
    assert scale.at(0.55) == "50.00%"
    assert [text for _, text in scale.ticks()][::7] == ["0.2", "0.9"]
    step = next(s for s in drawn["steps"] if s["step"].row == "S9")
    (before, hollow), (after, full) = step["dots"]
    assert (hollow, full) == (True, False)
    assert float(before[:-1]) < float(after[:-1])
    assert len(drawn["steps"]) == 21


def test_missing_values_do_not_sort_before_known_ones(table):
    found = verdicts.lines(table, KOREAN)
    missing = [line for line in found if pd.isna(line.found["effect"])]
    assert all(line.values["difference"] == "" for line in missing)


# how it was measured


def test_every_run_is_counted_on_one_machine():
    from cifar100 import records

    found = records.list_records()
    rows = measured.machines(found)
    assert sum(int(row["runs"]) for row in rows) == len(found)
    assert [int(row["runs"]) for row in rows] == sorted(
        (int(row["runs"]) for row in rows), reverse=True
    )


def test_document_becomes_a_section():
    assert measured.demoted("# A\n\n## B\n#no") == "## A\n\n### B\n#no"


# figures in both themes


def test_dark_figure_turns_paper_and_ink_and_keeps_what_is_no_colour():
    svg = '<g id="a" clip-path="url(#abcdef)" style="fill: #ffffff; stroke: #000000"/>'
    themes = figures.in_themes(svg)
    assert "fill: #fdfcf9; stroke: #000000" in themes["light"]
    fill, stroke = re.findall(r": (#\w{6})", themes["dark"])
    assert fill == figures.DARK_PAPER
    assert int(stroke[1:3], 16) > 200
    assert "url(#abcdef)" in themes["dark"]


@pytest.mark.parametrize("colour", ["#0173b2", "#d55e00", "#262626", "#949494"])
def test_colours_of_the_course_stay_clear_of_the_dark_paper(colour):
    def luminance(value):
        parts = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark = figures.in_themes(f'<g style="fill: {colour}"/>')["dark"]
    shown = re.search(r"#\w{6}", dark)[0]
    assert (luminance(shown) + 0.05) / (luminance("#15171a") + 0.05) >= 3


def test_figure_with_a_picture_inside_keeps_its_colours():
    svg = '<svg style="fill: #ffffff"><image href="data:image/png;base64,AA"/></svg>'
    assert figures.in_themes(svg) == {"both": svg}


def test_papers_are_those_of_the_style_sheet():
    css = (TEMPLATES / "assets" / "css" / "base.css").read_text()
    papers = f"{figures.LIGHT_PAPER}, {figures.DARK_PAPER}"
    assert f"--paper: light-dark({papers})" in css


def test_in_the_book_sections_keep_their_names():
    section = '<section aria-labelledby="h"><h2 id="h">Cells</h2></section>'
    pages = dict.fromkeys(("a.html", "b.html"), f"<article>{section}</article>")
    book = BeautifulSoup(book_of(pages), "html.parser")
    named = [s["aria-labelledby"] for s in book.select("section[aria-labelledby]")]
    assert len(set(named)) == 2
    assert all(book.find(id=name).text == "Cells" for name in named)
