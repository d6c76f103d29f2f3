"""Finding things: the search over all pages, tables that sort and filter, terms."""

import hashlib
import json

import pytest

from cifar100.report.sources import TEMPLATES

pytestmark = pytest.mark.browser

PAGE = "00-a-page-like-others"


def expect(locator):
    """Playwright's own, imported late: without it these tests are skipped."""
    from playwright.sync_api import expect

    return expect(locator)


def verdict_column(page, place):
    """The visible texts of one column of the verdict table."""
    cells = page.locator(f"#verdicts tbody tr:visible > :nth-child({place})")
    return cells.all_inner_texts()


def test_search_finds_dropout_and_opens_the_section(visit):
    page = visit("index")
    page.get_by_role("button", name="Search").click()
    page.keyboard.type("dropout")
    first = page.locator("#search-found a").first
    first.wait_for()
    assert first.locator("b").inner_text().startswith("dropout")
    assert "sections found" in page.locator("#search-news").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html#dropout")
    expect(page.locator("#dropout")).to_be_in_viewport()


def test_search_shows_a_short_text_whole_and_marks_where_a_long_one_is_cut(visit):
    page = visit("glossary")
    found = page.locator("#search-found a")
    page.keyboard.press("Control+k")
    page.keyboard.type("one pass over all training images")
    short = found.filter(has_text="One pass over all training images")
    text = short.first.locator("p").inner_text()
    assert text.endswith("images.")
    page.get_by_role("searchbox").first.fill("dropout")
    found.first.wait_for()
    long = found.filter(has_text="…").first.locator("p")
    assert long.inner_text().endswith(" …")


def test_search_opens_a_section_of_a_notebook_from_the_keyboard(visit):
    page = visit("glossary")
    page.keyboard.press("Control+k")
    page.keyboard.type("table numbrs")  # misspelt
    links = page.locator("#search-found a")
    links.first.wait_for()
    page.keyboard.press("ArrowDown")
    assert links.first.evaluate("e => e === document.activeElement")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{PAGE}.html#a-table-of-numbers")


def test_search_that_finds_nothing_says_so_and_escape_closes_it(visit):
    page = visit(PAGE)
    page.get_by_role("button", name="Search").click()
    page.keyboard.type("xylophone")
    page.get_by_text("Nothing found.").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert not page.locator("#search").is_visible()
    assert page.evaluate("document.activeElement.id") == "search-open"


def test_search_does_not_look_into_code(report):
    text = (report / "search" / "sections.js").read_text()
    sections = json.loads(text.removeprefix("globalThis.cifar100Sections = ")[:-2])
    assert len({section["id"] for section in sections}) == len(sections) > 80
    page = [s for s in sections if s["address"].startswith(PAGE)]
    assert any("easy to read" in s["text"] for s in page)
    assert not any("import numpy" in s["text"] for s in page)


def test_verdict_table_sorts_by_effect_both_ways(visit):
    page = visit("verdicts")
    head = page.locator("#verdicts th", has_text="difference")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    values = page.locator("#verdicts td.difference").evaluate_all(
        "cells => cells.map(c => c.dataset.value)"
    )
    known = [float(value) for value in values if value]
    assert known == sorted(known)
    assert len(known) >= 3
    assert values[: len(known)] == [v for v in values if v]  # what is missing is last
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert float(page.locator("td.difference").first.get_attribute("data-value")) > 0


def test_verdict_table_sorts_steps_as_numbers(visit):
    page = visit("verdicts")
    button = page.locator("#verdicts th button").first
    button.click()
    steps = [int(text.split()[0][1:]) for text in verdict_column(page, 1)]
    assert steps == sorted(steps)
    assert steps[-1] == 21


def test_verdict_table_filters_by_words_and_verdicts(visit):
    page = visit("verdicts")
    everything = len(verdict_column(page, 1))
    page.get_by_role("searchbox", name="Filter by words").fill("dropout pooling")
    texts = page.locator("#verdicts tbody tr:visible").all_inner_texts()
    assert 0 < len(texts) < everything
    assert all("dropout" in t.lower() and "pooling" in t.lower() for t in texts)
    status = page.locator(".filters [role=status]")
    assert status.inner_text() == f"{len(texts)} of {everything} rows"

    page.get_by_role("searchbox", name="Filter by words").fill("")
    page.get_by_role("checkbox", name="not recorded yet").uncheck()
    assert not page.locator("#verdicts tbody tr[data-kind=missing]:visible").count()
    assert page.locator("#verdicts tbody tr:visible").count() < everything


def test_verdict_table_folds_on_a_phone_with_the_names_of_its_columns(visit):
    page = visit("verdicts", 360)
    cell = page.locator("#verdicts td.claim").first
    label = cell.evaluate("e => getComputedStyle(e, '::before').content")
    assert label == '"claim"'
    assert cell.bounding_box()["width"] > 250


def test_korean_pages_have_the_same_claims_and_lead_to_the_english_ones(visit):
    page = visit("verdicts")
    claims = len(verdict_column(page, 1))
    page.locator("#main").get_by_role("link", name="한국어").click()
    assert page.url.endswith("verdicts.ko.html")
    assert page.locator("html").get_attribute("lang") == "ko"
    assert len(verdict_column(page, 1)) == claims
    page.get_by_role("link", name="개요").click()
    assert page.url.endswith("index.ko.html")
    page.locator("#main").get_by_role("link", name="English").click()
    assert page.url.endswith("index.html")


def test_term_is_linked_once_and_leads_to_its_entry(visit):
    page = visit("measured")
    links = page.locator("main a.term[href='glossary.html#seed']")
    assert links.count() == 1
    links.click()
    assert page.url.endswith("glossary.html#seed")
    assert page.locator("dt#seed").is_visible()


def test_journey_shows_every_step_with_its_figures_in_words(visit):
    page = visit("index")
    tracks = page.locator(".journey .track")
    assert tracks.count() == 21
    said = [track.get_attribute("aria-label") for track in tracks.all()]
    assert any("student: 0.46→0.52" in text and "%" in text for text in said)
    # What is drawn lies within its track.
    beyond = page.evaluate(
        """() => [...document.querySelectorAll(".journey circle, .journey .diamond")]
            .filter(mark => { const a = mark.getBoundingClientRect(),
                b = mark.closest(".track, .legend li").getBoundingClientRect();
                return a.left < b.left - 1 || a.right > b.right + 1; }).length"""
    )
    assert beyond == 0


def test_what_is_not_ours_is_as_it_was_published():
    """Files of others: content as in their package, licence and version beside it."""
    for described in TEMPLATES.glob("vendor/*/package.json"):
        about = json.loads(described.read_text())
        content = (described.parent / about["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == about["sha256"]
        assert about["version"]
        assert (described.parent / about["license_file"]).read_text().strip()
    assert list(TEMPLATES.glob("vendor/*/package.json"))
