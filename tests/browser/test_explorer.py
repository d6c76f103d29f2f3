"""The experiment explorer in a real browser: keyboard, address, files, themes."""

import csv
import json
import statistics
from xml.etree import ElementTree

import pytest

from cifar100 import paths

pytestmark = pytest.mark.browser

TWO = "experiments=baseline,dropout_after"
ALL = "show=val_top1,train_top1,val_loss,train_loss"
VIEWS = [
    TWO,
    f"{TWO},fast,frozen_96&{ALL}&by=petaflop",
    f"{TWO},fast&by=seconds&seeds=each",
    f"{TWO},simple_cnn_short&view=final&{ALL}",
    f"{TWO},fast,frozen_96&view=final&by=petaflop",
]
FULL = "experiments=" + ",".join(
    sorted(path.name for path in paths.records().glob("*_*"))[:10]
)


@pytest.fixture
def explore(visit):
    """A function that opens a view of the explorer."""

    def explore(fragment="", width=1440, scheme="light"):
        page = visit("explorer", width, scheme)
        if fragment:
            page.goto(f"{page.url}#{fragment}")
            page.reload()
        return page

    return explore


def names_in_table(page):
    return page.locator("#explorer-table tbody tr:visible").evaluate_all(
        "rows => rows.map(row => row.dataset.name)"
    )


def names_in_legend(page):
    return page.locator("#explorer-legend .name").all_inner_texts()


def saved(page, button):
    with page.expect_download() as found:
        page.get_by_role("button", name=button).click()
    return found.value.path().read_text()


def recorded(name):
    """The JSON of all runs of an experiment, by seed."""
    found = sorted((paths.records() / name).glob("seed-*.json"))
    return [json.loads(path.read_text()) for path in found]


def test_two_experiments_chosen_by_keyboard_are_drawn_and_listed(explore):
    page = explore("experiments=")
    assert names_in_table(page) == []
    assert page.get_by_text("Nothing is chosen").is_visible()
    page.locator("#explorer-search").focus()
    page.keyboard.type("simple_cnn")
    assert "match" in page.locator("#explorer-matches").inner_text()
    page.keyboard.press("Tab")  # how to group
    page.keyboard.press("Tab")  # the group's heading
    focus = page.locator(":focus")
    assert "S1" in focus.inner_text()
    for _ in range(2):
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
    assert focus.get_attribute("value") == "simple_cnn_short"
    wanted = ["simple_cnn", "simple_cnn_short"]
    assert names_in_table(page) == names_in_legend(page) == wanted
    assert page.locator("#explorer-chart path.line").count() == 2
    assert page.locator("#explorer-chart path.band").count() == 2
    assert "added as B" in page.locator("#explorer-status").inner_text()


def test_controls_are_reached_and_worked_by_the_keyboard(explore):
    page = explore(TWO)
    page.locator("[name=show][value=val_top1]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # train top-1 besides
    assert page.locator("#explorer-chart .title").count() == 2
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")  # final values
    assert page.locator("#explorer-chart circle.run").count() >= 20
    focus = page.locator("label:has(:focus-visible)")
    assert "final values" in focus.inner_text()


def test_address_restores_the_view(explore):
    page = explore("experiments=baseline,fast,lenet5")
    for name in ("baseline", "fast"):
        page.get_by_role("button", name=f"Take {name} away").click()
    page.locator("#explorer-search").fill("dropout_spatial")
    page.locator("#explorer-list input:visible").check()
    page.get_by_label("train loss").check()
    page.get_by_label("training compute").check()
    page.get_by_label("each run").check()
    other = explore(page.url.partition("#")[2])
    assert names_in_legend(other) == ["dropout_spatial", "lenet5"]
    assert other.locator("#explorer-legend b").all_inner_texts() == ["A", "C"]
    pictures = [p.locator("#explorer-chart").inner_html() for p in (page, other)]
    assert pictures[0] == pictures[1]
    assert names_in_table(page) == names_in_table(other)
    assert other.get_by_label("each run").is_checked()


def test_following_a_link_changes_the_view_and_an_anchor_does_not(explore):
    page = explore(TWO)
    page.evaluate("location.hash = 'experiments=lenet5'")
    page.locator("#explorer-legend", has_text="lenet5").wait_for()
    assert names_in_table(page) == ["lenet5"]
    page.evaluate("location.hash = 'main'")
    assert names_in_table(page) == ["lenet5"]


def test_experiment_that_is_not_recorded_is_named(explore):
    page = explore("experiments=baseline,no_such_thing,constructor")
    status = page.locator("#explorer-status")
    assert status.inner_text() == "Not recorded: no_such_thing, constructor."
    assert names_in_table(page) == ["baseline"]


@pytest.mark.parametrize("view", ["curves", "final"])
def test_csv_holds_what_is_shown(explore, view):
    page = explore(f"{TWO}&show=val_top1,train_loss&view={view}")
    rows = list(csv.DictReader(saved(page, "CSV").splitlines()))
    assert list(rows[0])[-2:] == ["val_top1", "train_loss"]
    found = [(r["experiment"], int(r["seed"]), int(r["epoch"])) for r in rows]
    wanted = {}
    for name in ("baseline", "dropout_after"):
        for run in recorded(name):
            end = {**run["epochs"][-1], **run["metrics"]}
            for row in run["epochs"] if view == "curves" else [end]:
                wanted[name, run["seed"], row["epoch"]] = row
    assert found == list(wanted)
    for row, source in zip(rows, wanted.values(), strict=True):
        for key in ("val_top1", "train_loss"):
            assert float(row[key]) == pytest.approx(source[key], rel=5e-4)


def test_chart_in_a_file_needs_no_style_sheet_and_names_its_lines(explore):
    page = explore(f"{TWO},lenet5&{ALL}", width=360)
    text = saved(page, "SVG")
    root = ElementTree.fromstring(text)
    words = " ".join(root.itertext())
    for name in ("baseline", "dropout_after", "lenet5"):
        assert name in words
    assert "var(" not in text
    assert "class=" not in text.partition(">")[2]
    assert "hidden" not in text
    lines = [n for n in root.iter() if n.get("stroke-dasharray", "none") != "none"]
    assert len(lines) >= 8  # the first of three is solid, in four panels
    assert all(line.get("stroke").startswith("rgb") for line in lines)


def test_slider_and_pointer_move_the_cursor_and_the_legend_reads_there(explore):
    page = explore("experiments=dropout_after")
    value = page.locator("#explorer-legend .value")
    ends = {
        key: statistics.mean(
            r["epochs"][k]["val_top1"] for r in recorded("dropout_after")
        )
        for key, k in (("Home", 0), ("ArrowRight", 1), ("End", -1))
    }
    slider = page.get_by_label("Read at")
    slider.focus()
    for key, mean in ends.items():
        page.keyboard.press(key)
        assert value.inner_text() == f"{100 * mean:.1f} %"
        assert value.inner_text() in slider.get_attribute("aria-valuetext")
        shown = page.locator("#explorer-chart .cursor").get_attribute("visibility")
        assert shown == ("hidden" if key == "End" else "visible")
    box = page.locator("#explorer-chart svg").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 100)
    assert "after epoch 1" in page.locator("#explorer-when").inner_text()


def test_chart_tells_in_words_what_it_shows_and_points_to_the_tables(explore):
    page = explore(f"{TWO}&show=val_top1")
    words = page.locator("#explorer-chart svg").get_attribute("aria-label")
    assert "B, dropout_after" in words
    shown = page.locator("#explorer-legend .value").all_inner_texts()
    assert all(value in words for value in shown)
    page.locator("#explorer-numbers summary").click()
    numbers = page.locator("#explorer-numbers tbody tr")
    numbers.first.wait_for()
    assert numbers.count() == 15
    last = numbers.last.locator("td").all_inner_texts()
    assert all(s.removesuffix(" %") in n for s, n in zip(shown, last, strict=True))


def test_no_two_lines_share_a_dash_or_a_colour_in_either_theme(explore):
    for scheme in ("light", "dark"):
        page = explore(FULL, scheme=scheme)
        styles = page.locator("#explorer-chart path.line").evaluate_all(
            "lines => lines.map(line => [getComputedStyle(line).stroke,"
            " getComputedStyle(line).strokeDasharray])"
        )
        assert len(styles) == 10
        assert len({colour for colour, _ in styles}) == 10
        assert len({dash for _, dash in styles}) == 10


def test_eleventh_experiment_is_refused_in_words(explore):
    page = explore(FULL)
    page.locator("#explorer-search").fill("simple_cnn_weight")
    box = page.locator("#explorer-list input:visible")
    box.click()
    assert "take one away" in page.locator("#explorer-status").inner_text()
    assert not box.is_checked()
    assert len(names_in_table(page)) == 10


def test_taking_one_away_keeps_the_others_letters_and_the_keyboards_place(explore):
    page = explore(f"{TWO},lenet5")
    page.get_by_role("button", name="Take baseline away").focus()
    page.keyboard.press("Enter")
    letters = page.locator("#explorer-legend b").all_inner_texts()
    assert letters == ["B", "C"]
    assert (
        page.evaluate("document.activeElement.ariaLabel") == "Take dropout_after away"
    )


def test_parent_is_added_from_the_table(explore):
    page = explore("experiments=dropout_after")
    page.get_by_role("button", name="add dropout_before").click()
    assert names_in_table(page) == ["dropout_after", "dropout_before"]
    focused = page.evaluate("document.activeElement.dataset.name")
    assert focused == "dropout_before"


def test_group_can_be_shown_alone_and_families_are_indented(explore):
    page = explore("experiments=lenet5")
    page.get_by_label("family").check()
    find = "#explorer-list [value={}]".format
    parent, child = map(page.locator, (find("lenet5"), find("lenet5_relu")))
    assert parent.bounding_box()["x"] < child.bounding_box()["x"]
    page.get_by_role("button", name="Show only these: lenet5").click()
    assert {"lenet5", "lenet5_relu"} <= set(names_in_table(page))
    assert "baseline" not in names_in_table(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_axe_finds_nothing(explore, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = explore(VIEWS[1] if width == 1440 else VIEWS[3], width, scheme)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    results = Axe().run(page, options={"resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()
    assert len(results.response["passes"]) > 20


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_view_scrolls_sideways(explore, width):
    page = explore(TWO, width)
    controls = page.locator("#explorer-controls").bounding_box()
    for view in [*VIEWS, FULL]:
        page.evaluate("hash => { location.hash = hash }", view)
        page.wait_for_timeout(50)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        chart = page.locator("#explorer-chart svg").bounding_box()
        assert chart["x"] + chart["width"] <= width
        assert chart["width"] == pytest.approx(controls["width"], abs=1)


def test_nothing_moves_for_those_who_want_no_motion(explore):
    page = explore(TWO)
    lines, duration = (
        page.locator(".series").first,
        "e => getComputedStyle(e).transition",
    )
    assert "0.15s" in lines.evaluate(duration)
    page.emulate_media(reduced_motion="reduce")
    assert "0.15s" not in lines.evaluate(duration)


def test_table_is_there_without_script(chromium, report):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((report / "explorer.html").as_uri())
    listed = page.locator("#explorer-table tbody tr:visible").count()
    assert listed == len(list(paths.records().glob("*/seed-0.json")))
    assert not page.locator("#explorer-tool").is_visible()
    context.close()
