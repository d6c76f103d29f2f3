"""What the search of the report knows of each section."""

import json

from cifar100.report.searching import sections, sections_script

PAGE = """<html lang="{}"><body><article><h1>Title</h1><p>First words.</p>
<h2 id="more">More</h2><ul><li>A point.</li></ul><pre>code</pre></article></html>"""


def test_a_section_has_its_place_language_and_words_once():
    first, second = sections("05.html", PAGE.format("ko"))
    assert first == {
        "address": "05.html",
        "heading": "",
        "title": "Title",
        "lang": "ko",
        "text": "First words.",
    }
    assert (second["address"], second["heading"]) == ("05.html#more", "More")
    assert second["text"] == "A point."


def test_sections_are_numbered_over_all_pages():
    script = sections_script({name: PAGE.format("en") for name in ("a.html", "b.html")})
    start, end = script.index("["), script.rindex("]") + 1
    found = json.loads(script[start:end])
    assert [section["id"] for section in found] == [0, 1, 2, 3]
    assert "code" not in script
