"""Every page is accessible, valid, light, and fits: in both themes, wide and narrow."""

import os
import subprocess

import pytest

from cifar100 import paths

pytestmark = pytest.mark.browser

PAGE = "00-a-page-like-others"
NAMES = [
    *("index", "index.ko", "verdicts", "verdicts.ko", "measured", "glossary"),
    *("references", PAGE, "01-hostile-outputs"),
]
NOTEBOOKS = sorted(p.stem for p in (paths.package_root() / "notebooks").glob("*.ipynb"))
DARK_PAPER = "rgb(21, 23, 26)"
LOOKS = [(1440, "light"), (360, "dark")]
ALL_LOOKS = [*LOOKS, (1440, "dark"), (360, "light")]
FOCUSABLE = "a[href], button, summary, input, [tabindex='0']"


def open_all(page):
    """Unfold everything, so that it is looked at too."""
    page.evaluate(
        "document.querySelectorAll('details').forEach(d => { d.open = true })"
    )


def paper(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def violations(page, looks=LOOKS, without=()):
    """What axe finds at each width and in each theme of `looks`, as lines."""
    from axe_playwright_python.sync_playwright import Axe

    open_all(page)
    found = []
    for width, scheme in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert (paper(page) == DARK_PAPER) == (scheme == "dark")
        results = Axe().run(
            page,
            context={"exclude": [[s] for s in without]},
            options={"resultTypes": ["violations"]},  # or each pass lists all nodes
        )
        assert len(results.response["passes"]) > 20  # it did look
        if results.violations_count:
            found.append(f"{width} {scheme}: {results.generate_report()}")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(visit, name):
    looks = ALL_LOOKS if name in ("index", "verdicts", PAGE) else LOOKS
    assert violations(visit(name), looks) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_axe_finds_nothing_on_the_pages_of_the_course(visit_in, real_report, name):
    # Code has thousands of elements; the tests' own page has all kinds of them.
    assert violations(visit_in(real_report, name), without=["pre code"]) == []


def test_axe_finds_nothing_in_an_open_search(visit):
    page = visit("index")
    page.keyboard.press("Control+k")
    page.keyboard.type("accuracy")
    page.locator("#search-found a").first.wait_for()
    assert violations(page) == []


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("name", NAMES)
def test_page_does_not_scroll_sideways_and_wide_parts_do(visit, name, width):
    page = visit(name, width)
    open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if name == PAGE:  # a line of 250 characters: the keyboard gets there, and scrolls
        wide = page.locator("pre", has_text="a long line of output a long").last
        assert wide.evaluate("e => e.scrollWidth > e.clientWidth && e.tabIndex === 0")
        assert wide.get_attribute("aria-label").startswith("Output of cell")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_page_of_the_course_fits_a_phone(visit_in, real_report, name):
    page = visit_in(real_report, name, 360)
    open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("name", ["index", "verdicts", "glossary", PAGE])
def test_keyboard_reaches_everything_in_the_order_of_the_page(visit, name):
    page = visit(name)
    page.emulate_media(reduced_motion="reduce")  # no waiting for smooth scrolling
    wanted = page.evaluate(
        f"""() => [...document.querySelectorAll("{FOCUSABLE}")]
            .filter(e => e.checkVisibility() && e.tabIndex >= 0)
            .map((e, i) => {{ e.dataset.stop = i; return String(i); }})"""
    )
    reached = []
    for _ in wanted:
        page.keyboard.press("Tab")
        stop, seen = page.evaluate(
            """() => {
                const e = document.activeElement, box = e.getBoundingClientRect();
                const after = e.matches("h3 a") ? getComputedStyle(e, "::after") : null;
                const ring = (after ?? getComputedStyle(e)).outlineStyle !== "none"
                    || getComputedStyle(e.parentElement).boxShadow !== "none";
                const inside = box.bottom > 0 && box.top < innerHeight;
                return [e.dataset.stop, ring && inside];
            }"""
        )
        assert seen, f"stop {stop}: no mark of the focus, or out of sight"
        reached.append(stop)
    assert reached == wanted


def test_first_stop_of_the_keyboard_leads_to_the_text(visit):
    page = visit(PAGE)
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to the text"
    assert skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_lines_of_text_have_60_to_75_characters(visit):
    page = visit(PAGE)
    characters = page.evaluate(
        """() => {
            const text = "The student moved dropout from before the pooling layer to "
                + "after it, saw 0.46 become 0.52, and guessed why that had helped. ";
            const paragraph = document.createElement("p");
            const line = document.createElement("span");
            line.textContent = text.repeat(4);
            paragraph.append(line);
            document.querySelector("main .prose").append(paragraph);
            return text.length * 4 / line.getClientRects().length;
        }"""
    )
    assert 60 <= characters <= 75


def test_nobody_who_wants_less_motion_gets_any(visit):
    page = visit(PAGE)
    page.emulate_media(reduced_motion="reduce")
    moving = page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll("*")]
            .filter(e => { const s = getComputedStyle(e);
                return s.scrollBehavior === "smooth" || s.animationName !== "none"
                    || s.transitionDuration !== "0s"; }).length"""
    )
    assert moving == 0


@pytest.mark.parametrize("name", NAMES)
def test_html_is_parsed_without_an_error(report, name):
    html5lib = pytest.importorskip("html5lib", reason="needs html5lib")
    parser = html5lib.HTMLParser(strict=False)
    parser.parse((report / f"{name}.html").read_text(encoding="utf-8"))
    assert [(place, code) for place, code, _ in parser.errors] == []


def test_nu_html_checker_finds_no_error(report, real_report):
    jar = os.environ.get("VNU_JAR")
    if not jar:
        pytest.skip("needs Java and the Nu HTML Checker: VNU_JAR=path/to/vnu.jar")
    pages = [*report.glob("*.html"), *real_report.glob("*.html")]
    # SVG 2 has `paint-order`, the checker's list of properties has not.
    quiet = ["--errors-only", "--filterpattern", ".*paint-order.*"]
    command = ["java", "-Xss4m", "-jar", jar, *quiet, *map(str, pages)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("name", NAMES + NOTEBOOKS)
def test_page_is_light(report, real_report, name):
    """What a browser loads for a page: 3 MB at most, 1 MB for the index."""
    folder = real_report if name in NOTEBOOKS else report
    html = (folder / f"{name}.html").read_bytes()
    figures = [
        p for p in folder.glob("figures/*") if f'figures/{p.name}"'.encode() in html
    ]
    shown = [p for p in figures if p.suffix in (".svg", ".png")]
    total = len(html) + sum(p.stat().st_size for p in shown)
    total += sum(p.stat().st_size for p in folder.glob("fonts/*.woff2"))
    assert total <= (1e6 if name.startswith("index") else 3e6)
