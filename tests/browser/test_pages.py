"""The pages in a real browser, from files, with the network refused."""

import shutil

import pytest
from small_notebooks import wait_until

from cifar100.report.printing import book_of

pytestmark = pytest.mark.browser

PAGE = "00-a-page-like-others"
HOSTILE = "01-hostile-outputs"
DARK_PAPER = "rgb(21, 23, 26)"


def paper(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_pictures_and_typefaces_load(visit):
    page = visit(PAGE)
    pictures = page.locator("figure.plot img:visible")
    assert pictures.count() == 2
    for image in pictures.all():
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
    switch = page.get_by_role("button", name="Dark theme")
    assert paper(page) == DARK_PAPER
    assert switch.get_attribute("aria-pressed") == "true"
    switch.click()
    assert paper(page) != DARK_PAPER
    assert switch.get_attribute("aria-pressed") == "false"
    page.goto(page.url.replace(PAGE, "index"))
    assert paper(page) != DARK_PAPER


def test_figure_is_drawn_for_the_theme_that_is_on(visit):
    page = visit(PAGE)
    figure = page.locator("#ladder img:visible")
    for expected in ("ladder.svg", "ladder-dark.svg"):
        assert figure.get_attribute("src") == f"figures/{expected}"
        page.get_by_role("button", name="Dark theme").click()


def test_figure_enlarges_and_gives_the_focus_back(visit):
    page = visit(PAGE)
    button = page.get_by_role("button", name="Enlarge Figure 1", exact=True)
    shown = page.locator("#ladder img:visible").bounding_box()["width"]
    button.press("Enter")
    large = page.get_by_role("dialog", name="Figure 1").locator("img:visible")
    assert large.bounding_box()["width"] > 1.5 * shown
    assert large.get_attribute("alt").startswith("Five rising lines")
    page.keyboard.press("Escape")
    assert not large.is_visible()
    assert button.evaluate("b => b === document.activeElement")


def test_figure_can_be_taken_away_as_what_it_is_and_as_its_data(report, visit):
    links = visit(PAGE).locator("#ladder .downloads a")
    assert links.all_inner_texts() == ["SVG", "CSV"]
    table = (report / links.last.get_attribute("href")).read_text()
    assert table.splitlines()[0] == "step,seed,val_top1"


def test_code_switch_folds_and_shows_all_code_but_the_plumbing(visit):
    page = visit(PAGE)
    shown = page.locator(".code:not(.plumbing) > details[open]")
    plumbing = page.locator(".plumbing > details[open]")
    switch = page.locator("#code-switch")
    count = shown.count()
    assert count >= 5
    assert plumbing.count() == 0
    switch.click()
    assert (shown.count(), switch.get_attribute("aria-pressed")) == (0, "false")
    page.reload()
    assert shown.count() == 0
    switch.click()
    assert (shown.count(), switch.get_attribute("aria-pressed")) == (count, "true")


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
    page.locator("#contents").get_by_role("link", name="Verdict", exact=True).click()
    assert page.url.endswith("#verdict")
    assert page.locator("#verdict").is_visible()
    current = page.locator("#contents a[aria-current=page]")
    assert "What does a page" in current.inner_text()


def test_contents_tell_the_reading_position(visit):
    page = visit(PAGE)
    page.emulate_media(reduced_motion="reduce")
    here = page.locator("#contents [aria-current=location]")
    assert here.count() == 0  # above the first section
    page.evaluate("document.getElementById('a-figure').scrollIntoView()")
    here.wait_for()
    assert here.inner_text() == "A figure"
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    read = (
        "new DOMMatrix(getComputedStyle(document.getElementById('read-so-far'))"
        ".transform).a"
    )
    assert wait_until(lambda: page.evaluate(read) > 0.98)
    assert here.inner_text() != "A figure"


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
    contents.get_by_role("link", name="Verdict", exact=True).click()
    assert not contents.is_visible()
    assert page.url.endswith("#verdict")


def test_outputs_that_mean_harm_are_inert(visit):
    page = visit(HOSTILE)
    assert page.evaluate("document.body.dataset.harmed") is None
    assert page.get_by_text("text that stays", exact=True).is_visible()
    assert page.get_by_text("cell that stays", exact=True).is_visible()
    assert page.locator("iframe, main svg, main script, main style").count() == 0
    assert page.locator("#theme-switch").count() == 1
    for link in page.locator("main a").all():
        assert not (link.get_attribute("href") or "").startswith(("javascript", "data"))


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src='data:,' onerror='document.body.dataset.harmed = 1'>",
        "<iframe srcdoc='<script>parent.document.body.dataset.harmed = 1</script>'>"
        "</iframe>",
        "<a id='trap' href='javascript:document.body.dataset.harmed = 1'>x</a>",
    ],
    ids=["handler", "frame", "link"],
)
def test_policy_stops_a_script_that_got_through(chromium, report, hostile):
    page = chromium.new_page()
    page.goto((report / f"{HOSTILE}.html").as_uri())
    refused = []
    page.on("console", lambda message: refused.append(message.text))
    page.evaluate(
        "html => document.body.insertAdjacentHTML('beforeend', html)", hostile
    )
    page.evaluate("document.getElementById('trap')?.click()")
    page.wait_for_timeout(200)
    assert page.evaluate("document.body.dataset.harmed") is None
    assert any("Content Security Policy" in text for text in refused)
    page.close()


def test_paper_shows_code_and_leaves_out_what_only_a_screen_needs(visit):
    page = visit(PAGE, scheme="dark")
    page.locator("#code-switch").click()
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".code", has_text="def ladder").locator("pre").is_visible()
    for name in (".bar", "#contents", ".neighbours", ".downloads", ".enlarge"):
        assert not page.locator(name).first.is_visible()
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert ink == "rgb(29, 31, 35)"
    figure = page.locator("#ladder img:visible")
    assert figure.get_attribute("src") == "figures/ladder.svg"


def test_page_works_without_script(chromium, report):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((report / f"{PAGE}.html").as_uri())
    assert page.locator(".code", has_text="def ladder").locator("pre").is_visible()
    assert not page.locator("#theme-switch").is_visible()
    page.locator("#contents").get_by_text("Verdict", exact=True).click()
    context.close()


def test_printed_report_holds_all_pages_with_links_between_them(report, tmp_path):
    from cifar100.report import printing

    folder = tmp_path / "report"
    shutil.copytree(report, folder)
    names = ["index.html", f"{PAGE}.html", "glossary.html"]
    html = {name: (folder / name).read_text() for name in names}
    text = book_of(html)
    assert f'href="#{PAGE}.html"' in text
    pdf = printing.write_book(folder, html)
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") > 5
    assert b"/Outlines" in content
    assert not (folder / "book.html").exists()
