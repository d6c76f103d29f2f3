"""The real notebooks, on real kernels: from records alone, and training in `smoke`."""

import json
import shutil

import pytest

from cifar100 import paths
from cifar100.report.build import Options, build

NOTEBOOKS = sorted(p.stem for p in (paths.package_root() / "notebooks").glob("*.ipynb"))
TRACKED = paths.package_root() / "figures"


def test_all_pages_are_built_from_records_without_the_data_set(real_report):
    pages = {path.stem for path in real_report.glob("*.html")}
    others = {"index", "index.ko", "verdicts", "verdicts.ko", "measured", "glossary"}
    assert pages == {*NOTEBOOKS, *others, "references", "explorer"}


def test_a_page_says_what_it_could_not_show(real_report):
    text = (real_report / "01-the-data.html").read_text()
    assert "Not shown here" in text
    assert "cifar100 data" in text


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
        assert len(solutions) >= 3, f"{name}: three exercises, each with a solution"
        assert all(cell["outputs"] for cell in solutions[-1:]), name
    assert "epoch 2/2" in (index.parent / "02-a-first-network.html").read_text()
