"""The report's command and place: wrong input, one build at a time, one step."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from small_notebooks import contents, is_running, wait_until, write

from cifar100 import paths
from cifar100.errors import UserError, WorkError
from cifar100.files import locked
from cifar100.report import folder
from cifar100.report.build import Options, build

BUILD = [sys.executable, str(paths.package_root() / "build_report.py")]


@pytest.fixture
def options(home):
    return Options(notebooks=home / "notebooks")


# one at a time, and in one step


def test_second_build_is_refused_while_one_is_under_way(options):
    write(options.notebooks, "00-one", "print(1)")
    with (
        locked(options.cache / "lock"),
        pytest.raises(WorkError, match="another build"),
    ):
        build(options, print)


def test_interrupted_build_leaves_the_report_and_no_process(options, home):
    notebooks = options.notebooks
    write(notebooks, "00-one", "print(1)")
    build(options, print)
    before = contents(options.output)
    source = (
        "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))"
    )
    write(notebooks, "01-slow", source + "\ntime.sleep(60)")
    program = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]);"
        "import build_report as b;"
        "from cifar100.report.build import Options;"
        "b.read_options = lambda _: Options(notebooks=pathlib.Path(sys.argv[2]));"
        "sys.exit(b.main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(paths.package_root()), str(notebooks)],
        stderr=subprocess.PIPE,
        text=True,
    )
    pid = notebooks / "pid"
    assert wait_until(lambda: pid.exists() and pid.read_text(), 30)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 130
    assert errors == "error: interrupted; the last report is untouched\n"
    kernel = int(pid.read_text())
    assert wait_until(lambda: not is_running(kernel))
    assert contents(options.output) == before
    assert not list(home.glob(".report.*"))


def test_report_is_replaced_also_where_folders_cannot_be_exchanged(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(folder, "_exchange", lambda one, other: False)
    output = tmp_path / "report"
    for text in ("old", "new"):
        with folder.new_report(output) as building:
            (building / "index.html").write_text(text)
    assert contents(output) == {"index.html": b"new"}
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_build_killed_between_its_two_renames_is_made_good(tmp_path):
    previous = tmp_path / ".report.previous"
    previous.mkdir()
    (previous / "index.html").write_text("good")
    with (
        pytest.raises(ZeroDivisionError),
        folder.new_report(tmp_path / "report"),
    ):
        raise ZeroDivisionError
    assert contents(tmp_path / "report") == {"index.html": b"good"}


# wrong input


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--profile", "reed"], "did you mean 'read'"),
        (["--only", "98"], "--only 98"),
        (["--only", "05-dropuot,"], "--only 05-dropuot"),
        (["--only", ","], "--only"),
        (["--jobs", "0"], "--jobs 0"),
        (["--jobs", "two"], "--jobs"),
        (["--prof", "read"], "--prof"),
        (["--output", "full"], "not a report"),
        (["--output", "file"], "not a folder"),
        (["--output", "file/report"], "cannot write there"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_line_exit_2_and_nothing_written(
    home, monkeypatch, arguments, words
):
    monkeypatch.chdir(home)
    (home / "full").mkdir()
    (home / "full" / "thesis.txt").write_text("years of work")
    (home / "file").write_text("a file")
    before = contents(home)

    result = subprocess.run([*BUILD, *arguments], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    written = contents(home)
    written.pop(".cache/report/lock", None)
    assert written == before


def test_folder_without_notebooks_is_wrong_input(tmp_path):
    with pytest.raises(UserError, match="no notebooks"):
        build(Options(notebooks=tmp_path), print)


def test_command_imports_neither_tensorflow_nor_what_pages_need():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import build_report;"
        "print(sorted({'tensorflow', 'keras', 'nbconvert', 'papermill', 'pandas'}"
        " & sys.modules.keys()))"
        "; import cifar100.report.site, cifar100.report.execute, papermill;"
        "print(sorted({'tensorflow', 'keras', 'lark'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", program, str(paths.package_root())]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.split("\n")[:2] == ["[]", "[]"]


def test_help_tells_how_to_call_it():
    result = subprocess.run(
        [*BUILD, "--help"], capture_output=True, text=True, check=True
    )
    assert "python build_report.py --only 05,06" in result.stdout
    assert os.linesep in result.stdout


def test_pdf_without_a_browser_is_refused_before_any_work(options, monkeypatch):
    write(options.notebooks, "00-one", "print(1)")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(UserError, match="--pdf: needs Chromium"):
        build(replace(options, pdf=True), print)
    assert not options.output.exists()
    assert not options.cache.exists()
