"""The READMEs' tables are those of the records, and say so when they are not."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from test_findings import copy_records
from test_project import ROOT, load_script

from cifar100.cli import app

script = load_script("update_readme")
NAMES = ("README.md", "README.ko.md")


@pytest.fixture
def copy(tmp_path):
    """The READMEs, apart from the checkout, with its notebooks and weights."""
    for name in NAMES:
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in ("notebooks", "weights"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


def contents(folder):
    return {name: (folder / name).read_bytes() for name in NAMES}


def test_readmes_say_what_the_records_say():
    """As anybody calls it: another folder, another language, another hash seed."""
    surroundings = {"LC_ALL": "C", "TZ": "Asia/Seoul", "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "update_readme.py", "--check"],
        **{"env": os.environ | surroundings | {"PYTHONPATH": str(ROOT)}, "cwd": "/"},
        **{"capture_output": True, "text": True, "check": False},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_has_a_row_with_an_example():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| `cifar100 \1\b", text, re.MULTILINE)
    assert rows == [c.name or c.callback.__name__ for c in app.registered_commands]


@pytest.mark.parametrize("name", NAMES)
def test_changed_number_fails_the_check_in_one_line_and_is_mended(name, copy, capsys):
    before = contents(copy)
    text = before[name].decode()
    start = text.index("<!-- headlines -->")
    number = re.search(r"\d\d\.\d", text[start:])[0]
    wrong = f"{float(number) + 1:.1f}"
    (copy / name).write_text(text[:start] + text[start:].replace(number, wrong, 1))
    planted = contents(copy)

    assert script.main(["--check"], copy) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"error: {name} <!-- headlines -->: not what the records say; "
        "`make readme` mends it\n"
    )
    assert contents(copy) == planted

    assert script.main([], copy) == 0
    assert contents(copy) == before
    assert script.main(["--check"], copy) == 0


def test_other_records_give_other_tables(copy, home, capsys):
    copy_records(home, dropout_before=5, dropout_after=4)
    assert script.main(["--check"], copy) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "README.md <!-- findings -->" in said
    assert "README.ko.md <!-- status -->" in said
    assert script.main([], copy) == 0
    english, korean = (text.decode() for text in contents(copy).values())
    (row,) = [line for line in english.splitlines() if line.startswith("| [S9]")]
    assert row.endswith("| 4 of 5 | open |")
    assert "| 4 / 5 | 아직 모름 |" in korean


def test_a_step_recorded_in_part_is_named_as_such(copy, home):
    copy_records(home, dropout_before=5, dropout_after=5)
    assert script.main([], copy) == 0
    english, korean = (text.decode() for text in contents(copy).values())
    assert "the rest of S9" in english
    assert "S9의 나머지" in korean


def test_the_largest_ensemble_that_is_stored_stands_below_the_table(copy, home):
    found = {(1, 1): 0.5, (2, 1): 0.6, (1, 2): 0.7, (2, 2): 0.65}
    sizes = [{"k": k, "views": v, "top1": top1} for (k, v), top1 in found.items()]
    path = home / "records" / "demonstrations" / "ensemble.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"value": {"sizes": sizes}}))
    assert script.main([], copy) == 0
    english, korean = (text.decode() for text in contents(copy).values())
    assert "*ensemble* of 2 networks" in english
    assert "reaches 65.0 %" in english
    assert "신경망 2개" in korean


def test_without_any_record_the_tables_say_so(copy, home):
    assert script.main([], copy) == 0
    english = (copy / "README.md").read_text()
    assert "Not recorded yet: S3, S4, S5" in english
    assert "none yet" in english
    assert "ensemble" not in english


@pytest.mark.parametrize("gone", ["<!-- findings -->", "<!-- /status -->"])
def test_missing_marker_is_named_and_nothing_is_written(gone, copy, capsys):
    text = (copy / "README.ko.md").read_text()
    (copy / "README.ko.md").write_text(text.replace(gone, ""))
    before = contents(copy)
    assert script.main([], copy) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: README.ko.md: no <!-- ")
    assert gone in said
    assert said.count("\n") == 1
    assert contents(copy) == before


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    titles = re.findall(r"^#+ (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    anchors = {title.lower().replace(" ", "-") for title in titles}
    addresses = re.findall(r"\]\((?!https?:)([^)]+)\)", text)
    assert {n for n in NAMES if n != name} <= {*addresses}
    for address in addresses:
        path, _, anchor = address.partition("#")
        assert (ROOT / path).exists(), address
        assert not anchor or anchor in anchors, address
