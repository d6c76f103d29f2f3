"""Notebook 15 on a real kernel, with made-up runs: no real answers are opened."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cifar100 import data, paths
from tests.made_runs import record_all

(NOTEBOOK,) = (paths.package_root() / "notebooks").rglob("15-final-exam.ipynb")
STORED = paths.package_root() / "records" / "demonstrations"
DRAWN = (
    *("val-against-test", "journey", "costs", "confusion", "superclasses", "classes"),
    *("reliability", "copies", "noise", "seeds-needed", "ensembles"),
)
pytestmark = pytest.mark.skipif(
    not (STORED / "15-copies.json").exists(), reason="the search is not recorded"
)


def executed(profile, home, folder):
    """The notebook after a run in `home`, as JSON; it has to run to its end."""
    out, status = folder / f"{profile}.ipynb", folder / f"{profile}.json"
    command = [sys.executable, "-m", "cifar100.report.execute"]
    command += [NOTEBOOK, out, status, "--profile", profile, "--timeout", "120"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR100_HOME", str(home))
        patch.setenv("KERAS_HOME", str(home / "keras"))
        patch.delenv("CIFAR100_SOURCE", raising=False)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert status.exists(), done.stderr
    assert json.loads(status.read_text())["state"] == "executed", status.read_text()
    return json.loads(out.read_text())


def text_of(notebook):
    """All that the notebook says in its outputs."""
    outputs = [o for c in notebook["cells"] for o in c.get("outputs", [])]
    bundles = [o.get("data", {}) for o in outputs]
    kinds = ("text/markdown", "text/plain")
    return "\n".join("".join(b.get(kind, "")) for b in bundles for kind in kinds)


@pytest.fixture(scope="module")
def home(tmp_path_factory, real_cache):
    """Made-up runs, all that the exam asks for; the search for copies as recorded."""
    home = tmp_path_factory.mktemp("examined")
    (home / ".cache").mkdir()
    (home / ".cache" / "data").symlink_to(real_cache)
    kept = home / "records" / "demonstrations"
    kept.mkdir(parents=True)
    for name in ("01-copies-in-test", "15-copies"):
        shutil.copy(STORED / f"{name}.json", kept)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR100_HOME", str(home))
        record_all(data.load("val").fine, data.load("test").fine, claims=True)
    return home


@pytest.fixture(scope="module")
def full(home, tmp_path_factory):
    return executed("full", home, tmp_path_factory.mktemp("full"))


@pytest.fixture(scope="module")
def read(home, full, tmp_path_factory):
    """The page as it is built from records, without the data set."""
    if NOTEBOOK.parent.name != "drafts":
        pytest.skip("no draft any more: tests/test_notebooks.py builds it")
    (home / ".cache" / "data").unlink()
    return executed("read", home, tmp_path_factory.mktemp("read"))


@pytest.mark.data
def test_the_exam_stores_what_a_page_needs_without_the_data_set(full, home):
    names = {path.stem for path in (home / "records" / "demonstrations").iterdir()}
    made = {"15-confusion", "15-mistakes", "15-temperatures", "15-averages"}
    made |= {"15-opened"}
    assert made <= names
    shown = [
        output["metadata"]["cifar100"]["name"]
        for cell in full["cells"]
        for output in cell.get("outputs", [])
        if "cifar100" in output.get("metadata", {})
    ]
    assert {f"15-{name}" for name in (*DRAWN, "mistakes")} == set(shown)


@pytest.mark.data
def test_the_page_is_drawn_from_records_alone(read, home):
    drawn = {path.name for path in (home / "figures").glob("*.svg")}
    assert drawn == {f"15-{name}.svg" for name in DRAWN}
    assert not list((home / "figures").rglob("*.png"))  # pictures need the data set
    assert "Not shown here" in text_of(read)


@pytest.mark.data
def test_what_is_not_recorded_is_said_to_be_missing(read):
    text = text_of(read)
    assert "`resnet20`" in text.partition("Experiments without a run")[2]
    assert "not recorded yet" in text
    assert "`fast_wide`" in text


@pytest.mark.data
def test_every_figure_has_its_words_and_every_exercise_a_solution(full):
    for cell in full["cells"]:
        for output in cell.get("outputs", []):
            about = output.get("metadata", {}).get("cifar100")
            if about:
                assert len(about["caption"]) > 30
                assert len(about["alt"]) > 30
    solved = [c for c in full["cells"] if "solution" in c["metadata"].get("tags", [])]
    answers = [c for c in solved if c["cell_type"] == "code"]
    assert len(answers) == 3
    assert all(cell["outputs"] for cell in answers)


def test_the_draft_is_written_as_finished_notebooks_are():
    cells = json.loads(Path(NOTEBOOK).read_text())["cells"]
    code = [c for c in cells if c["cell_type"] == "code"]
    assert all(c["outputs"] == [] and c["execution_count"] is None for c in code)
    lines = ["".join(c["source"]).splitlines() for c in code]
    assert max(len(line) for cell in lines for line in cell) <= 80
    sizes = [sum(bool(line.strip()) for line in cell) for cell in lines]
    assert max(sizes) <= 30
    assert sum(size <= 9 for size in sizes) >= len(sizes) / 2
