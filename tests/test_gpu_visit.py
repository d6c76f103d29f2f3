"""A GPU visit: the data set in parts, the plan of calls, the package that travels."""

import json
import shutil
import tarfile
from types import SimpleNamespace

import numpy as np
import pytest
from test_project import ROOT, load_script
from test_scripts import commit, git, repository  # noqa: F401 (a fixture)

from cifar100 import official, pretrained
from cifar100.errors import UserError
from cifar100.files import sha256_of
from cifar100.training.environment import tree_digest

MIB = 2**20
PARTS = [f"data-{number}-of-5" for number in range(1, 6)]


@pytest.fixture
def scripts(monkeypatch):
    """The three scripts: .visit, .parts, .machine."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    names = "visit", "parts", "machine"
    return SimpleNamespace(**{name: load_script(f"gpu_{name}") for name in names})


@pytest.fixture
def visit(scripts, repository, monkeypatch):  # noqa: F811
    """gpu_visit.py, at work in a small repository."""
    monkeypatch.setattr(scripts.visit, "ROOT", repository)
    return scripts.visit


def in_parts(scripts, folder, images, fine, part):
    starts = range(0, len(fine), part)
    for name, start in zip(scripts.parts.names_of(len(starts)), starts, strict=True):
        rows = slice(start, start + part)
        scripts.parts.write_part(folder / name, images[rows], fine[rows])


def test_parts_give_back_the_official_files_exactly(scripts, tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (350, 32, 32, 3), np.uint8)
    fine = rng.integers(0, 100, 350).astype(np.uint8)
    in_parts(scripts, tmp_path / "parts", images, fine, 130)
    target = tmp_path / "data" / official.FOLDER
    scripts.parts.put_together(tmp_path / "parts", target, train=200)

    def checksums(rows):
        arrays = images[rows], fine[rows]
        hashes = (sha256_of(a.tobytes()) for a in arrays)
        return official.Checksums(len(fine[rows]), *hashes)

    expected = {"train": checksums(slice(200)), "test": checksums(slice(200, None))}
    official.verify(target, expected)


def test_a_part_that_did_not_come_along_is_named(scripts, tmp_path):
    images = np.zeros((30, 32, 32, 3), np.uint8)
    in_parts(scripts, tmp_path, images, np.zeros(30, np.uint8), 10)
    (tmp_path / "data-2-of-3").rename(tmp_path / "lost")
    with pytest.raises(FileNotFoundError, match="data-2-of-3"):
        scripts.parts.put_together(tmp_path, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_calls_stay_within_what_one_may_carry(scripts):
    sizes = dict.fromkeys(PARTS, 20 * MIB) | {"tools": 9 * MIB}
    calls = scripts.visit.plan(sizes, 11 * MIB, "record")
    assert [call.carry for call in calls] == [
        ("data-1-of-5", "data-2-of-5"),
        ("data-3-of-5", "data-4-of-5"),
        ("data-5-of-5", "tools"),
        ("tools",),
    ]
    assert [call.size // MIB for call in calls] == [51, 51, 40, 20]
    assert [call.command == "record" for call in calls] == [False, False, True, True]


def test_data_that_fills_the_last_call_leaves_the_tools_to_another(scripts):
    sizes = {"data-1-of-1": 45 * MIB, "tools": 9 * MIB}
    calls = scripts.visit.plan(sizes, 11 * MIB, "record")
    assert [call.carry for call in calls] == [("data-1-of-1",), ("tools",), ("tools",)]


def test_a_part_too_large_for_any_call_is_refused(scripts):
    sizes = {"data-1-of-1": 20 * MIB, "tools": MIB}
    with pytest.raises(
        UserError, match=r"data-1-of-1 has 20\.0 MiB and the tree 41\.0.*sparse"
    ):
        scripts.visit.plan(sizes, 41 * MIB, "record")


def test_the_tree_that_travels_leaves_out_what_git_ignores(visit, repository):  # noqa: F811
    before = visit.tree_size()
    (repository / "notes").write_bytes(b"x" * 1000)
    (repository / ".cache").mkdir()
    (repository / ".cache" / "large").write_bytes(b"x" * 5000)
    assert visit.tree_size() == before + 1000


def test_the_package_says_which_commit_it_is_and_what_it_held(
    visit,
    repository,  # noqa: F811
    tmp_path,
):
    value = repository / "cifar100" / "value"
    head = visit.head()
    value.write_text("not committed")
    visit.build_package(tmp_path / "package.tar", head)
    assert visit.commit_of(tmp_path / "package.tar") == head
    with tarfile.open(tmp_path / "package.tar") as tar:
        tar.extractall(tmp_path / "there", filter="data")
    there = tmp_path / "there"
    assert (there / "cifar100" / "value").read_text() == "committed"
    digest = json.loads((there / "commit.json").read_text())["sha256"]
    assert digest == tree_digest(there)
    (there / "cifar100" / "value").write_text("changed")
    assert digest != tree_digest(there)


def test_what_is_not_committed_is_refused_in_one_line_and_nothing_built(
    visit,
    repository,  # noqa: F811
    capsys,
    tmp_path,
):
    (repository / "cifar100" / "value").write_text("in the middle of an edit")
    assert visit.main(["build", "--folder", str(tmp_path / "visit")]) == 2
    assert capsys.readouterr().err == (
        "error: cifar100/value is not as committed; commit it first\n"
    )
    assert not (tmp_path / "visit").exists()


def test_a_folder_of_another_commit_is_not_rehearsed(visit, repository, tmp_path):  # noqa: F811
    (tmp_path / "tools").mkdir()
    visit.build_package(tmp_path / "tools" / "package.tar", visit.head())
    git(repository, "commit", "-q", "--allow-empty", "-m", "later")
    with pytest.raises(UserError, match="from another commit; build it again"):
        visit.rehearse(tmp_path, "ladder", 60, "python3.12")
    (repository / "requirements.lock").write_text("numpy==2\n")
    commit(repository)
    with pytest.raises(UserError, match="is no package"):
        visit.rehearse(tmp_path / "nowhere", "ladder", 60, "python3.12")


def test_a_python_unlike_the_other_machines_is_refused(visit, capsys):
    assert visit.main(["rehearse", "--python", "/nowhere/python3"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: /nowhere/python3 is no Python 3.12 with JAX")
    assert error.count("\n") == 1


def test_parts_outlast_their_call_and_may_come_twice(scripts, tmp_path, monkeypatch):
    monkeypatch.setenv("VISIT_HOME", str(tmp_path / "visit"))
    monkeypatch.setattr(scripts.machine, "CARRIED", tmp_path / "carried")
    images = np.zeros((20, 32, 32, 3), np.uint8)
    in_parts(scripts, tmp_path / "all", images, np.zeros(20, np.uint8), 10)
    for name in "data-1-of-2", "data-1-of-2", "data-2-of-2":
        shutil.rmtree(tmp_path / "carried", ignore_errors=True)
        shutil.copytree(tmp_path / "all" / name, tmp_path / "carried" / name)
        assert scripts.machine.main(["data"]) == 0
    weights = tmp_path / "carried" / "pretrained-0" / "efficientnet_lite0.npz"
    weights.parent.mkdir()
    weights.write_bytes(b"weights")
    assert scripts.machine.main(["data"]) == 0
    parts = tmp_path / "visit" / "parts"
    assert (parts / "pretrained-0" / weights.name).read_bytes() == b"weights"
    here = scripts.parts.complete(parts)
    assert [path.name for path in here] == ["data-1-of-2", "data-2-of-2"]


def test_rows_for_a_gpu_bring_the_weights_that_they_start_from(
    scripts, home, tmp_path, monkeypatch
):
    def got(variant):
        pretrained.cached_path(variant).parent.mkdir(parents=True, exist_ok=True)
        pretrained.cached_path(variant).write_text(f"Lite{variant}")

    monkeypatch.setattr(pretrained, "weights", got)
    scripts.parts.build_pretrained(tmp_path)
    found = {p.parent.name: p.read_text() for p in tmp_path.glob("pretrained-*/*.npz")}
    assert found == {"pretrained-0": "Lite0", "pretrained-2": "Lite2"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["record", "ladder", "8m"], "expected `data`, or `record SET SECONDS`"),
        (["record", "ladder", "480"], "$OUT, the folder for packed records, is not"),
    ],
)
def test_wrong_input_there_is_one_line(scripts, monkeypatch, capsys, arguments, line):
    monkeypatch.delenv("OUT", raising=False)
    with pytest.raises(SystemExit) as ended:
        scripts.machine.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {line}")
