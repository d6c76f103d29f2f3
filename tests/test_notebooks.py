"""The real notebooks, on real kernels: from records alone, and training in `smoke`."""

import ast
import importlib
import json
import re
import shutil

import pytest
from bs4 import BeautifulSoup
from test_project import DRAFTS, cells
from test_project import NOTEBOOKS as PATHS

from cifar100 import paths
from cifar100.experiments import EXPERIMENTS
from cifar100.report.build import Options, build

NOTEBOOKS = [path.stem for path in PATHS]
TRACKED = paths.package_root() / "figures"


def test_all_pages_are_built_from_records_without_the_data_set(real_report):
    pages = {path.stem for path in real_report.glob("*.html")}
    others = {"index", "index.ko", "verdicts", "verdicts.ko", "measured", "glossary"}
    assert pages == {*NOTEBOOKS, *others, "references", "explorer"}


def test_a_page_says_what_it_could_not_show(real_report):
    text = (real_report / "01-the-data.html").read_text()
    assert "Not shown here" in text
    assert "cifar100 data" in text


def test_the_front_page_judges_the_claims_that_were_named_beforehand(real_report):
    soup = BeautifulSoup((real_report / "index.html").read_text(), "html.parser")
    claims = {e.claim for e in EXPERIMENTS.values() if e.kind == "confirmatory"}
    assert len(soup.select(".board li")) == len(claims)


@pytest.mark.usefixtures("real_report")
def test_nothing_was_trained_for_the_pages(records_only):
    """`read` leaves the records as they are."""
    originals = (paths.package_root() / "records").rglob("*.json")
    names = {p.relative_to(paths.package_root()) for p in originals}
    found = {
        p.relative_to(records_only) for p in records_only.rglob("records/**/*.json")
    }
    assert found == names


@pytest.mark.usefixtures("real_report")
def test_tracked_figures_are_those_that_the_notebooks_draw(records_only):
    drawn = {p.name: p.read_bytes() for p in (records_only / "figures").glob("*.svg")}
    tracked = {p.name: p.read_bytes() for p in TRACKED.glob("*.svg")}
    assert drawn.keys() == tracked.keys()
    differing = [name for name in drawn if drawn[name] != tracked[name]]
    assert not differing, f"run `make report` and commit figures/: {differing}"


@pytest.mark.data
def test_every_notebook_trains_and_solves_its_exercises_in_smoke(
    records_only, real_cache, tmp_path
):
    home = tmp_path / "home"
    shutil.copytree(records_only / "records", home / "records")
    (home / ".cache").mkdir()
    (home / ".cache" / "data").symlink_to(real_cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR100_HOME", str(home))
        patch.setenv("KERAS_HOME", str(home / "keras"))
        patch.delenv("CIFAR100_SOURCE", raising=False)
        index = build(Options(profile="smoke", output=tmp_path / "report"))
    for name in NOTEBOOKS:
        executed = json.loads(
            (home / ".cache/report/smoke" / name / "executed.ipynb").read_text()
        )
        solutions = [
            cell
            for cell in executed["cells"]
            if cell["cell_type"] == "code"
            and "solution" in cell["metadata"].get("tags", [])
        ]
        assert solutions[-1]["outputs"], name
        text = json.dumps([cell.get("outputs") for cell in executed["cells"]])
        trains = any("run_or_load(" in "".join(c["source"]) for c in executed["cells"])
        assert bool(re.search(r"epoch \d/\d: train loss", text)) == trains, name
    assert index.exists()


@pytest.mark.parametrize("path", [*PATHS, *DRAFTS], ids=lambda path: path.stem)
def test_each_of_three_exercises_has_a_solution_that_runs(path):
    solved, exercises = set(), []
    for cell in json.loads(path.read_text())["cells"]:
        if found := re.match(r"### (Exercise \d+)", "".join(cell["source"])):
            exercises.append(found[1])
        is_solution = "solution" in cell["metadata"].get("tags", ())
        if is_solution and cell["cell_type"] == "code":
            solved.add(exercises[-1])
    assert exercises == ["Exercise 1", "Exercise 2", "Exercise 3"]
    assert solved == set(exercises)


@pytest.mark.parametrize("path", [*PATHS, *DRAFTS], ids=lambda path: path.stem)
def test_a_notebook_asks_the_package_for_what_it_has(path):
    """Drafts too, which no build executes before their records are there."""
    missing = []
    for cell in cells(path, "code"):
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            missing += [name for name in asked_by(node) if not is_there(name)]
    assert missing == []


MODULES = ("course", "data", "data_study", "evidence", "plots", "records")


def asked_by(node):
    """Dotted names of the package that a node of syntax asks for."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cifar100"):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    owner = getattr(node, "value", None) if isinstance(node, ast.Attribute) else None
    if isinstance(owner, ast.Name) and owner.id in MODULES:
        return [f"cifar100.{owner.id}.{node.attr}"]
    return []


def is_there(name):
    """Whether a dotted name can be imported, as a module or from one."""
    module, _, last = name.rpartition(".")
    if hasattr(importlib.import_module(module), last):
        return True
    return importlib.util.find_spec(name) is not None
