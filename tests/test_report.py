"""Building the report with real kernels: what is executed, fails, is kept."""

import json
import re
import shutil
import sys
from dataclasses import replace

import pytest
from small_notebooks import EXAMPLES, code, contents, executed, write

from cifar100.errors import WorkError
from cifar100.report import sources
from cifar100.report.build import Options, build


@pytest.fixture
def options(home):
    return Options(notebooks=home / "notebooks")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A file that stands for the package, which somebody may be editing meanwhile."""
    module = tmp_path / "package" / "module.py"
    module.parent.mkdir()
    module.write_text("SEEDS = 5")
    monkeypatch.setattr(sources, "_package_files", lambda: [module])
    return module


# what a build writes, and what it does not do again


def test_build_writes_index_pages_pictures_and_notebooks(home):
    lines = []
    index = build(Options(notebooks=EXAMPLES), lines.append)

    report = contents(index.parent)
    names = [path.stem for path in sorted(EXAMPLES.glob("*.ipynb"))]
    assert executed(lines) == names
    assert {"index.html", *(f"{name}.html" for name in names)} <= report.keys()
    assert {"figures/ladder.svg", "figures/ladder-dots.png"} <= report.keys()
    for name in names:
        copied = report[f"notebooks/{name}.ipynb"]
        assert copied == (EXAMPLES / f"{name}.ipynb").read_bytes()
        assert f'href="{name}.html"' in report["index.html"].decode()
    page = report["00-a-page-like-others.html"].decode()
    assert "shows recorded runs" in page  # the profile was passed
    assert re.search(r"<dt>Profile</dt><dd>read</dd>", page)
    assert re.search(r"<dt>Python</dt><dd>3\.\d+", page)
    assert not list(home.glob(".report.*"))


def test_published_pages_lead_to_the_code_at_their_commit(options, monkeypatch):
    write(options.notebooks, "00-one", "1")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://code.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "them/course")
    page = build(options, print).read_text()
    assert '<a href="https://code.example/them/course" rel' in page
    assert 'href="https://code.example/them/course/tree/' in page


@pytest.mark.usefixtures("package")
def test_unchanged_build_executes_and_writes_nothing(options):
    write(options.notebooks, "00-one", "print(1)")
    index = build(options, print)
    before = index.stat()
    lines = []

    assert build(options, lines.append) == index
    assert lines == ["nothing has changed"]
    assert index.stat().st_mtime_ns == before.st_mtime_ns
    assert index.stat().st_ino == before.st_ino


@pytest.mark.usefixtures("package")
def test_only_what_changed_is_executed_and_damage_is_repaired(options):
    for name in ("00-one", "01-two"):
        write(options.notebooks, name, f"print('{name}')")
    index = build(options, print)
    write(options.notebooks, "01-two", "print('another output')")
    (index.parent / "00-one.html").unlink()
    lines = []

    build(options, lines.append)
    assert executed(lines) == ["01-two"]
    assert "another output" in (index.parent / "01-two.html").read_text()
    assert (index.parent / "00-one.html").is_file()

    kept = options.cache / "read" / "00-one" / "executed.ipynb"
    kept.write_bytes(kept.read_bytes()[:-40])
    shutil.rmtree(index.parent)
    lines.clear()
    build(options, lines.append)
    assert executed(lines) == ["00-one"]


def test_part_of_the_report_leaves_out_what_is_not_up_to_date(options):
    write(options.notebooks, "00-one", "print(1)")
    write(options.notebooks, "01-two", "raise ValueError")

    index = build(replace(options, only=["0"]), print)
    assert not (index.parent / "01-two.html").exists()
    assert "01-two" in index.read_text()  # said to be missing


def test_key_follows_records_data_package_and_profile(options, home, package):
    write(options.notebooks, "00-one", "print(1)")
    found = sources.find_notebooks(options.notebooks)

    def key(profile="read"):
        return sources.execution_keys(found, profile)["00-one"]

    keys = [key(), key("quick")]
    record = home / "records" / "simple" / "seed-0.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    keys.append(key())
    record.write_text('{"val_top1": 0.5}')
    keys.append(key())
    (home / "data").mkdir()
    folder = home / "data" / "cifar-100-python"
    folder.mkdir()
    (folder / "train").write_bytes(b"images")
    keys.append(key())
    write(options.notebooks, "01-two", "print(2)")  # another page may link to it
    found = sources.find_notebooks(options.notebooks)
    keys.append(key())
    assert len(set(keys)) == len(keys)
    assert keys[-1] == key()

    package.write_text("SEEDS = 3")
    assert key() not in keys


def test_key_of_execution_covers_the_package_but_not_how_pages_look():
    files = {path.name for path in sources._package_files()}
    assert {"paths.py", "errors.py", "execute.py"} <= files
    assert not {"pages.py", "base.css"} & files


# failures; those of kernels and disks are in faults/


def test_picture_without_alt_text_fails_the_build(options):
    picture = "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()"
    write(options.notebooks, "00-bare", "print(1)", picture)
    with pytest.raises(WorkError, match=r"00-bare\.ipynb, cell 4: .*alt text"):
        build(options, print)
    assert not options.output.exists()


@pytest.mark.usefixtures("package")
def test_output_on_stderr_warns_and_fails_a_strict_build(options):
    write(options.notebooks, "00-loud", "import sys\nprint('careful', file=sys.stderr)")
    lines = []
    build(options, lines.append)
    assert any("cell 3" in line and "careful" in line for line in lines)
    with pytest.raises(WorkError, match="careful"):  # also when nothing has changed
        build(replace(options, strict=True), print)


@pytest.mark.parametrize(
    "cells",
    [
        [],
        ['PROFIL = "quick"'],
        ['PROFILE = "quick"\nseeds = 3'],
        ["PROFILE = x", "P = 1"],
    ],
    ids=["none", "misspelt", "more", "two cells"],
)
def test_other_parameters_than_the_profile_fail_before_any_execution(options, cells):
    path = write(options.notebooks, "00-odd", *[code(c, "parameters") for c in cells])
    content = json.loads(path.read_text())
    del content["cells"][1]  # the right one
    path.write_text(json.dumps(content))
    with pytest.raises(WorkError, match=r"00-odd\.ipynb.*parameters"):
        build(options, print)
    assert not options.cache.exists()


def test_kernel_is_this_interpreter_in_the_folder_of_the_notebook(
    options, tmp_path, monkeypatch
):
    foreign = tmp_path / "jupyter" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    spec = {"argv": ["/bin/false"], "display_name": "another", "language": "python"}
    (foreign / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    write(
        options.notebooks,
        "00-where",
        f"import os, sys\nassert sys.executable == {sys.executable!r}, sys.executable",
        f"assert os.getcwd() == {str(options.notebooks)!r}, os.getcwd()",
    )
    build(options, print)


@pytest.mark.skipif(sys.platform != "linux", reason="sockets by name are Linux's")
def test_kernels_that_start_together_share_no_port(options):
    """Over TCP one may take the port that another was promised, which then dies."""
    source = (
        "import pathlib\n"
        "from ipykernel.connect import get_connection_info\n"
        "where = get_connection_info(unpack=True)\n"
        'name = f\'{where["transport"]} {where["ip"]}\'\n'
    )
    names = ("00-first", "01-second")
    for name in names:
        write(
            options.notebooks, name, f"{source}pathlib.Path({name!r}).write_text(name)"
        )
    build(options, print)
    first, second = ((options.notebooks / name).read_text() for name in names)
    assert first.startswith("ipc @cifar100-")
    assert second.startswith("ipc @cifar100-")
    assert first != second
