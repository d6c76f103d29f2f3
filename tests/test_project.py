"""What must hold of the whole project: pins, notebooks, imports, style, secrets."""

import ast
import importlib.metadata
import importlib.util
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "cifar100"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DRAFTS = sorted((ROOT / "notebooks" / "drafts").glob("*.ipynb"))
CODE = ("cifar100", "tests", "notebooks", "benchmarks", "scripts", "build_report.py")

# A module imports only from what stands before it. A new one gets its place here.
ORDER = (
    *("errors", "files", "npz", "paths", "interrupts", "quiet"),
    "experiments",
    *("class_names", "unpickle", "official", "archive", "cache", "download", "data"),
    "data_study",
    *("augment", "offline", "torch_pickle", "pretrained", "models", "features"),
    *("training", "calibration", "record_file", "records", "evidence"),
    *("progress", "recording", "packing", "costs", "scheduling", "listing", "checking"),
    *("merging", "ray_task", "ray_cluster"),
    *("pictures", "model_card", "network_file", "weights"),
    *("exporting", "predicting"),
    *("plots", "course", "report", "cli", "__main__"),
)
NETWORK_CODE = ("augment", "models", "training")  # the only ones to load Keras


def modules():
    """Every module of the package as (dotted name, path, its place in ORDER)."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts != ("cifar100", "__init__"):
            name = ".".join(parts).removesuffix(".__init__")
            found.append((name, path, parts[1]))
    return found


def cells(notebook, kind):
    content = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in content if cell["cell_type"] == kind]


def lines_of(cell):
    return "".join(cell["source"]).splitlines()


def git(*arguments):
    """The lines that git answers; skips the test where there is no repository."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    command = ["git", "-C", str(ROOT), *arguments, "-z"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.split("\0") if line]


def load_script(name):
    """A module of scripts/, which is no package."""
    path = ROOT / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pins():
    return load_script("update_pins")


@pytest.fixture(scope="module")
def lock():
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def wanted(pins):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return pins.direct(project["project"])


# Pins


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_lock_satisfies_what_the_project_asks_for(python, pins, lock, wanted):
    versions = pins.locked(lock, python)
    unmet = [
        str(item)
        for item in wanted
        if not item.specifier.contains(versions.get(item.name.lower(), "0"))
    ]
    assert unmet == []


def test_lock_has_a_checksum_for_every_package(lock):
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(blocks) > 100
    assert [b.split()[0] for b in blocks if "--hash=sha256:" not in b] == []


def test_environment_holds_what_is_locked(pins, lock):
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("not the environment that make sets up")
    python = "{}.{}".format(*sys.version_info)
    versions = pins.locked(lock, python)
    here = {name: importlib.metadata.version(name) for name in versions}
    assert here == versions


def test_conda_environment_has_the_locked_pins(pins, lock, wanted):
    content = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda, pip = content["dependencies"][:-1], content["dependencies"][-1]["pip"]
    assert f"python={pins.PYTHON}" in conda
    listed = dict(line.split("==") for line in pip if line != "-e .")
    versions = pins.locked(lock)
    assert listed == {name: versions[name] for name in listed}
    assert listed.keys() == {pins.canonicalize_name(item.name) for item in wanted}


# Notebooks


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("notebook", [*NOTEBOOKS, *DRAFTS], ids=lambda path: path.stem)
def test_notebook_is_stored_without_outputs(notebook):
    for cell in cells(notebook, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_line_of_code_scrolls_sideways_on_the_page(notebook):
    lines = [line for cell in cells(notebook, "code") for line in lines_of(cell)]
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_text_stands_between_code_cells(notebook):
    content = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    bare = [
        lines_of(second)[:1]
        for first, second in itertools.pairwise(content)
        if first["cell_type"] == second["cell_type"] == "code"
        and "parameters" not in first["metadata"].get("tags", [])
    ]
    assert bare == []


def test_code_cells_of_the_course_are_short():
    sizes = [
        sum(bool(line.strip()) for line in lines_of(cell))
        for notebook in NOTEBOOKS
        for cell in cells(notebook, "code")
    ]
    sizes = [size for size in sizes if size]
    assert 5 <= np.median(sizes) <= 9
    assert np.percentile(sizes, 90) <= 20
    assert max(sizes) <= 30


# The package


def test_no_module_is_longer_than_300_lines():
    lengths = {name: len(path.read_text().splitlines()) for name, path, _ in modules()}
    assert {name: count for name, count in lengths.items() if count > 300} == {}


def imported(tree):
    """First part, below the package, of everything of ours that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the package, not dots"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            first, *rest = name.split(".")
            if first == "cifar100" and rest:
                yield rest[0]


def test_modules_import_only_from_their_left():
    wrong = []
    for name, path, place in modules():
        assert place in ORDER, f"give {name} its place in ORDER"
        allowed = {place, *ORDER[: ORDER.index(place)]}
        found = set(imported(ast.parse(path.read_text(encoding="utf-8"))))
        wrong += [f"{name} imports {other}" for other in found - allowed]
    assert wrong == []


def run_python(code):
    """What a fresh interpreter prints, away from the settings of this one."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_the_package_loads_nothing_heavy():
    code = "import cifar100, sys; print(*sys.modules)"
    assert {"numpy", "keras", "tensorflow"}.isdisjoint(run_python(code))


def test_reading_records_and_writing_pages_loads_no_network_library():
    readers = [n for n, _, place in modules() if place not in NETWORK_CODE]
    readers.remove("cifar100.__main__")
    assert "cifar100.course" in readers
    code = f"import {', '.join(readers)}, sys; print(*sys.modules)"
    loaded = set(run_python(code))
    assert "cifar100.course" in loaded
    assert {"keras", "tensorflow", "jax", "torch"}.isdisjoint(loaded)


# Style, and what must not be in the repository


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(command):
    present = [name for name in CODE if (ROOT / name).exists()]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "-q", *present],
        **{"cwd": ROOT, "capture_output": True, "text": True, "check": False},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_sees_every_module():
    command = [sys.executable, "-m", "ruff", "check", "--show-files", "cifar100"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    seen = {Path(line).name for line in done.stdout.splitlines()}
    assert {path.name for _, path, _ in modules()} <= seen


def test_nothing_of_the_package_is_hidden_from_git():
    hidden = git("ls-files", "--others", "--ignored", "--exclude-standard", "cifar100")
    assert [path for path in hidden if "__pycache__" not in path] == []


def shared_files():
    """Text of every file that is, or would be, committed."""
    listed = git("ls-files", "--cached", "--others", "--exclude-standard")
    for name in sorted(set(listed)):
        path = ROOT / name
        if path.is_file():
            content = path.read_bytes()
            if b"\0" not in content:
                yield name, content.decode("utf-8")


def registry_hosts():
    """Well-known registries, and the ones that pip on this machine is set up with."""
    hosts = {"pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org"}
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in listed.stdout.splitlines() if "index" in line]
    given = re.findall(r"https?://(?:[^/@\s']*@)?([^/:\s']+)", " ".join(lines))
    return hosts | {host for host in given if re.search(r"\.[a-z]", host)}


def test_no_file_names_a_package_registry():
    hosts = registry_hosts()
    named = [(n, h) for n, text in shared_files() for h in hosts if h in text]
    assert named == []


def test_no_file_names_a_folder_of_a_developers_machine():
    everywhere = {"/", "/tmp", "/home", "/root", "/opt", tempfile.gettempdir()}
    own = {str(ROOT), str(ROOT.parent), os.path.expanduser("~")} - everywhere
    places = "|".join(re.escape(f"{folder}/") for folder in sorted(own))
    pattern = re.compile(rf"{places}|/home/[a-z]\w*/|/Users/\w+/|[A-Z]:\\Users")
    pattern = re.compile(rf"(?<![\w.])(?:{pattern.pattern})")
    named = [
        (n, m.group()) for n, text in shared_files() if (m := pattern.search(text))
    ]
    assert named == []
