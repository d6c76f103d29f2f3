"""The pages in a real browser, from files, with the network refused."""

import pytest

pytestmark = pytest.mark.browser

PAGE = "00-a-page-like-others"
HOSTILE = "01-hostile-outputs"
NAMES = ["index", PAGE, HOSTILE]
SCHEMES = ["light", "dark"]
DARK_PAPER = "rgb(21, 23, 26)"


def open_all(page):
    """Unfold everything, so that it is looked at too."""
    page.evaluate(
        "document.querySelectorAll('details').forEach(d => { d.open = true })"
    )


def paper(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(visit, name, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(name, width, scheme)
    assert (paper(page) == DARK_PAPER) == (scheme == "dark")
    open_all(page)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert len(results.response["passes"]) > 20  # it did look


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("name", NAMES)
def test_page_does_not_scroll_sideways_and_wide_parts_do(visit, name, width):
    page = visit(name, width)
    open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if (
        name == PAGE
    ):  # a line of 250 characters: it scrolls, and the keyboard gets there
        wide = page.locator("pre", has_text="a long line of output a long").last
        assert wide.evaluate("e => e.scrollWidth > e.clientWidth && e.tabIndex === 0")
        assert wide.get_attribute("aria-label").startswith("Output of cell")


def test_pictures_and_typefaces_load(visit):
    page = visit(PAGE)
    for image in page.locator("figure.plot img").all():
        image.scroll_into_view_if_needed()
        assert image.evaluate("i => i.decode().then(() => i.naturalWidth)") > 300
        stated = [int(image.get_attribute(side)) for side in ("width", "height")]
        shape = image.evaluate("i => i.naturalWidth / i.naturalHeight")
        assert shape == pytest.approx(stated[0] / stated[1], rel=0.01)
    loaded = page.evaluate(
        "document.fonts.ready.then(fonts => "
        "[...fonts].filter(f => f.status === 'loaded').map(f => f.family))"
    )
    assert any("Source Serif 4" in family for family in loaded)


def test_theme_follows_the_system_and_the_switch_stays_chosen(visit):
    page = visit(PAGE, scheme="dark")
    switch = page.locator("#theme-switch")
    assert paper(page) == DARK_PAPER
    assert switch.inner_text() == "Light"
    switch.click()
    assert paper(page) != DARK_PAPER
    assert switch.inner_text() == "Dark"
    page.goto(page.url.replace(PAGE, "index"))
    assert paper(page) != DARK_PAPER


def test_code_switch_folds_and_shows_all_code_but_the_plumbing(visit):
    page = visit(PAGE)
    shown = page.locator(".code:not(.plumbing) > details[open]")
    plumbing = page.locator(".plumbing > details[open]")
    switch = page.locator("#code-switch")
    count = shown.count()
    assert count >= 5
    assert plumbing.count() == 0
    switch.click()
    assert (shown.count(), switch.inner_text()) == (0, "Show code")
    page.reload()
    assert shown.count() == 0
    switch.click()
    assert (shown.count(), switch.inner_text()) == (count, "Hide code")


def test_solution_unfolds_with_code_output_and_text(visit):
    page = visit(PAGE)
    solution = page.locator("details.solution").first
    answer = solution.locator(".output pre")
    assert not answer.is_visible()
    solution.locator("> summary").click()
    assert answer.is_visible()
    assert solution.get_by_text("the standard deviation is smaller").is_visible()


def test_copy_button_copies_the_code_of_its_cell(visit):
    page = visit(PAGE)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block = page.locator(".code", has_text="def ladder")
    block.get_by_role("button").click()
    # Writing to the clipboard takes its time; the button tells when it is done.
    block.locator("button", has_text="Copied").wait_for(timeout=5_000)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("import numpy as np")
    assert copied == block.locator("pre").inner_text()


def test_pages_lead_to_each_other_by_their_links(visit):
    page = visit("index")
    page.locator(".card a").first.click()
    assert page.url.endswith(f"{PAGE}.html")
    page.locator(".neighbours .next").click()
    assert page.url.endswith(f"{HOSTILE}.html")
    page.locator(".neighbours .previous").click()
    page.locator("#contents").get_by_role("link", name="Verdict").click()
    assert page.url.endswith("#verdict")
    assert page.locator("#verdict").is_visible()
    current = page.locator("#contents a[aria-current=page]")
    assert "What does a page" in current.inner_text()


def test_contents_open_on_a_phone_and_close_on_choosing_or_escape(visit):
    page = visit(PAGE, width=360)
    contents = page.locator("#contents")
    button = page.get_by_role("button", name="Contents")
    assert not contents.is_visible()
    button.click()
    assert contents.is_visible()
    page.keyboard.press("Escape")
    assert not contents.is_visible()
    button.click()
    contents.get_by_role("link", name="Verdict").click()
    assert not contents.is_visible()
    assert page.url.endswith("#verdict")


def test_first_stop_of_the_keyboard_leads_to_the_text(visit):
    page = visit(PAGE)
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to the text"
    assert skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_outputs_that_mean_harm_are_inert(visit):
    page = visit(HOSTILE)
    assert page.evaluate("document.body.dataset.harmed") is None
    assert page.get_by_text("text that stays", exact=True).is_visible()
    assert page.get_by_text("cell that stays", exact=True).is_visible()
    assert page.locator("iframe, svg, main script, main style").count() == 0
    assert page.locator("#theme-switch").count() == 1
    for link in page.locator("main a").all():
        assert not (link.get_attribute("href") or "").startswith(("javascript", "data"))


def test_policy_stops_a_script_that_got_through(chromium, report):
    page = chromium.new_page()
    page.goto((report / f"{HOSTILE}.html").as_uri())
    refused = []
    page.on("console", lambda message: refused.append(message.text))
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend',"
        " '<img src=x: onerror=\"document.body.dataset.harmed = 1\">')"
    )
    page.wait_for_timeout(300)
    assert page.evaluate("document.body.dataset.harmed") is None
    assert any("Content Security Policy" in text for text in refused)
    page.close()


def test_paper_shows_code_and_leaves_out_what_only_a_screen_needs(visit):
    page = visit(PAGE, scheme="dark")
    page.locator("#code-switch").click()
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".code", has_text="def ladder").locator("pre").is_visible()
    for name in (".bar", "#contents", ".neighbours"):
        assert not page.locator(name).is_visible()
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert ink == "rgb(29, 31, 35)"


def test_page_works_without_script(chromium, report):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((report / f"{PAGE}.html").as_uri())
    assert page.locator(".code", has_text="def ladder").locator("pre").is_visible()
    assert not page.locator("#theme-switch").is_visible()
    page.locator("#contents").get_by_text("Verdict").click()
    context.close()
