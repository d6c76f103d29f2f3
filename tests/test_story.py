"""The student's journey: its citations, its figure, its notebook, the minutes."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.colors
import nbformat
import pandas as pd
import pytest
from nbformat import v4
from small_notebooks import write
from test_project import load_script

from cifar100.experiments import EXPERIMENTS, NOTEBOOKS, STORY, Step
from cifar100.plots import plot_journey
from cifar100.report.sources import find_notebooks

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
START = FOLDER / "00-start-here.ipynb"


def step(student, row="S1"):
    return Step(row, "a step", student, "02", "What does it do?")


# The citations


def test_steps_are_s1_to_s21_in_order():
    assert [s.row for s in STORY] == [f"S{number}" for number in range(1, 22)]


def test_student_is_quoted_as_written():
    assert {s.row: s.student for s in STORY if s.student} == {
        "S1": "0.3x",
        "S4": "0.30→0.35",
        "S5": "0.42",
        "S6": "0.42→0.46",
        "S7": "0.46→0.48",
        "S8": "0.48, 0.46",
        "S9": "0.46→0.52",
        "S12": "0.56",
        "S13": "0.57→0.59",
        "S14": "0.62",
        "S16": "0.5x–0.6x",
        "S18": "0.65, 0.67",
    }


@pytest.mark.parametrize(
    ("student", "figures"),
    [
        (None, ()),
        ("0.3x", ((0.30, 0.39),)),
        ("0.5x–0.6x", ((0.50, 0.69),)),
        ("0.56", ((0.56, 0.56),)),
        ("0.42→0.46", ((0.42, 0.42), (0.46, 0.46))),
        ("0.65, 0.67", ((0.65, 0.65), (0.67, 0.67))),
    ],
)
def test_figures_are_read_as_the_student_meant_them(student, figures):
    assert step(student).figures == figures
    assert step(student).is_change == ("→" in (student or ""))


def test_every_experiment_belongs_to_a_step():
    rows = {s.row for s in STORY}
    assert {e.name for e in EXPERIMENTS.values() if e.row not in rows} == set()


def test_every_step_has_a_notebook_and_every_notebook_its_number():
    numbers = [n.number for n in NOTEBOOKS]
    assert numbers == [f"{number:02}" for number in range(16)]
    assert [n.stem[:3] for n in NOTEBOOKS] == [f"{number}-" for number in numbers]
    assert {s.notebook for s in STORY} <= set(numbers)


def test_notebooks_that_exist_carry_the_name_and_title_of_the_story():
    titles = {n.stem: f"# {n.number} · {n.title}" for n in NOTEBOOKS}
    found = {}
    for source in find_notebooks(FOLDER):
        first = nbformat.read(source.path, as_version=4).cells[0].source
        found[source.name] = first.splitlines()[0]
    assert found == {name: titles.get(name) for name in found}


# The figure


def marks(figure, name):
    """x of every mark that the figure calls `name`, from top to bottom."""
    (axes,) = figure.axes
    drawn = [line for line in axes.lines if line.get_gid() == name]
    return [float(x) for line in drawn for x in line.get_xdata()]


def finals(**top1):
    rows = [(name, seed, v) for name, values in top1.items() for seed, v in values]
    return pd.DataFrame(rows, columns=["experiment", "seed", "val_top1"])


def test_journey_shows_the_students_figures_and_nothing_else():
    figure = plot_journey(STORY, finals())
    exact = [low for s in STORY for low, high in s.figures if low == high]
    assert marks(figure, "student") == exact
    assert marks(figure, "path") == exact
    assert marks(figure, "ours") == []
    ranges = [bar for bar in figure.axes[0].patches if bar.get_gid() == "range"]
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ranges]
    assert spans == [pytest.approx((0.30, 0.39)), pytest.approx((0.50, 0.69))]


def test_journey_marks_the_mean_over_seeds_of_what_is_recorded():
    recorded = finals(simple_cnn=[(0, 0.36), (1, 0.40)], simple_cnn_short=[(0, 0.39)])
    assert marks(plot_journey(STORY, recorded), "ours") == pytest.approx([0.38, 0.39])
    # An experiment of a step that is not shown has no place.
    assert marks(plot_journey([step(None, "S2")], recorded), "ours") == []


def test_journey_shows_also_what_ended_low():
    figure = plot_journey(STORY, finals(lenet5=[(0, 0.06)]))
    low, high = figure.axes[0].get_xlim()
    assert low < 0.06 < high


def test_journey_names_steps_without_a_figure_and_leaves_them_unmarked():
    figure = plot_journey([step(None), step("0.5", "S2")], finals())
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["a step  S1", "a step  S2"]
    assert marks(figure, "student") == [0.5]


def test_journey_has_a_line_at_each_target():
    figure = plot_journey(STORY, finals())
    assert sorted(set(marks(figure, "target"))) == [0.65, 0.78]


def test_journey_leaves_the_before_of_a_change_hollow():
    figure = plot_journey([step("0.42→0.46"), step("0.48, 0.47", "S2")], finals())
    lines = [line for line in figure.axes[0].lines if line.get_gid() == "student"]
    white = matplotlib.colors.to_hex("white")
    faces = [matplotlib.colors.to_hex(line.get_markerfacecolor()) for line in lines]
    assert [face == white for face in faces] == [True, False, False, False]


# Notebook 00


def run_start(folder, home, profile, monkeypatch):
    """Outputs of notebook 00 as text, run with a last cell that sees what it loaded."""
    notebook = nbformat.read(START, as_version=4)
    check = "import sys; print('loaded:', {'tensorflow', 'keras'} & set(sys.modules))"
    notebook.cells.append(v4.new_code_cell(check))
    nbformat.write(notebook, folder / START.name)
    monkeypatch.setenv("CIFAR100_HOME", str(home))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "-m", "cifar100.report.execute", folder / START.name]
    command += [folder / "out.ipynb", folder / "status.json"]
    command += ["--profile", profile, "--timeout", "60"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, check=False
    )
    assert done.returncode == 0, (folder / "status.json").read_text()
    outputs = [
        output
        for cell in nbformat.read(folder / "out.ipynb", as_version=4).cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    return "\n".join(
        output.get("text") or output.data.get("text/markdown", "") for output in outputs
    )


def test_start_page_says_what_is_missing_where_nothing_is_recorded(
    home, tmp_path, monkeypatch
):
    text = run_start(tmp_path, home, "read", monkeypatch)
    assert "0 recorded runs" in text
    assert "Not timed yet" in text
    assert "No run is recorded here yet" in text
    assert "an interval needs 2" in text


def test_start_page_reads_records_and_minutes_and_loads_no_engine(
    home, tmp_path, monkeypatch
):
    for name in ("simple_cnn", "simple_cnn_short"):
        for seed in (0, 1):
            source = ROOT / "records" / name / f"seed-{seed}.json"
            copy = home / "records" / name / source.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    row = {"notebook": START.stem, "profile": "quick", "seconds": 90, "load": 1.5}
    row |= {"machine": "A machine", "date": "2026-01-02"}
    monkeypatch.setenv("CIFAR100_HOME", str(home))
    timing.keep(row)
    text = run_start(tmp_path, home, "quick", monkeypatch)
    assert "loaded: set()" in text
    assert "4 recorded runs" in text
    assert "| S1 | a simple CNN | 0.3x |" in text
    planned = sum(e.seeds for e in EXPERIMENTS.values() if e.row == "S1")
    assert f"| [02](02-a-first-network.ipynb) | 4 of {planned} |" in text
    assert re.search(r"\*\*A machine\*\*, timed until 2026-01-02", text)
    assert "| [00](00-start-here.ipynb) | – | – | 1.5 |\n" in text
    assert "The two agree" in text


def test_start_page_links_only_to_notebooks_that_exist():
    text = "".join(c.source for c in nbformat.read(START, as_version=4).cells)
    named = re.findall(r"\]\((\d\d-[\w-]+\.ipynb)\)", text)
    assert named
    assert [name for name in named if not (FOLDER / name).exists()] == []


# Minutes


timing = load_script("time_notebooks")


def stored(home):
    path = home / "records" / "demonstrations" / "notebook-minutes.json"
    return json.loads(path.read_text())["value"]


def test_timing_keeps_seconds_machine_and_commit_of_a_real_run(home):
    write(home / "notebooks", "00-short", "import time; time.sleep(0.5)")
    failures = timing.time_all(find_notebooks(home / "notebooks"), ["smoke"])
    assert failures == []
    (row,) = stored(home)
    assert (row["notebook"], row["profile"]) == ("00-short", "smoke")
    assert 0.5 < row["seconds"] < 60
    assert {"machine", "cores", "load", "date", "commit", "clean"} <= row.keys()


def test_timing_goes_on_after_a_notebook_that_fails(home):
    write(home / "notebooks", "00-broken", "1 / 0")
    write(home / "notebooks", "01-sound", "1 + 1")
    lines = []
    found = find_notebooks(home / "notebooks")
    (failure,) = timing.time_all(found, ["read"], lines.append)
    assert "00-broken" in failure
    assert "ZeroDivisionError" in failure
    assert [row["notebook"] for row in stored(home)] == ["01-sound"]


def test_timing_replaces_only_the_same_measurement(home):
    row = {"notebook": "00-a", "profile": "read", "machine": "M", "seconds": 1.0}
    timing.keep(row)
    timing.keep(row | {"machine": "N"})
    timing.keep(row | {"profile": "quick"})
    timing.keep(row | {"seconds": 2.0})
    kept = [(r["machine"], r["profile"], r["seconds"]) for r in stored(home)]
    assert kept == [("M", "read", 2.0), ("M", "quick", 1.0), ("N", "read", 1.0)]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--profiles", "full"], "error: --profiles full: not timed"),
        (["--profiles", "reed"], "did you mean 'read'?"),
        (["--only", "77"], "error: --only 77: no such notebook"),
    ],
)
def test_timing_refuses_wrong_input_in_one_line(home, capsys, arguments, line):
    assert timing.main(arguments) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
    assert not (home / "records").exists()
