"""What a report is made from: the notebooks, and keys over all that they depend on."""

import ast
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar100 import paths
from cifar100.errors import UserError, WorkError, suggestion
from cifar100.files import sha256_of
from cifar100.training.environment import git

PARAMETER = "PROFILE"  # all that may be passed to a notebook
NAME = re.compile(r"\d\d-[a-z0-9-]+")
TEMPLATES = Path(__file__).parent / "templates"
CONTENT = Path(__file__).parent / "content"
EVIDENCE = paths.package_root() / "docs" / "evidence.md"  # a part of one page


@dataclass(frozen=True)
class Source:
    """One notebook as it stands on disk."""

    path: Path
    sha256: str

    @property
    def name(self) -> str:
        """`05-dropout`: also the name of its page."""
        return self.path.stem

    @property
    def number(self) -> str:
        return self.name[:2]


def find_notebooks(folder: Path) -> list[Source]:
    """All notebooks of the course in order; others in the folder are left alone.

    Raises UserError when there are none, WorkError for one that declares other
    parameters than `PROFILE`: papermill would pass a misspelt one without a word.
    """
    found = [p for p in sorted(folder.glob("*.ipynb")) if NAME.fullmatch(p.stem)]
    if not found:
        raise UserError(f"no notebooks named like 05-dropout.ipynb in {folder}")
    for path in found:
        check_parameters(path)
    return [Source(path, sha256_of(path)) for path in found]


def select(sources: Sequence[Source], only: Iterable[str]) -> list[Source]:
    """The notebooks that `only` names by number (`05`, `5`) or name (`05-dropout`)."""
    chosen = set()
    for wanted in only:
        matches = {s.name for s in sources if _is_named(s, wanted)}
        if not matches:
            near = suggestion(wanted, [s.name for s in sources])
            raise UserError(f"--only {wanted}: no such notebook{near}")
        chosen |= matches
    return [s for s in sources if s.name in chosen] if chosen else list(sources)


def _is_named(source: Source, wanted: str) -> bool:
    if wanted.isdecimal():
        return int(wanted) == int(source.number)
    return wanted.removesuffix(".ipynb") == source.name


def check_parameters(path: Path) -> None:
    """Raise WorkError unless one cell is tagged `parameters` and sets PROFILE alone."""
    try:
        cells = json.loads(path.read_bytes())["cells"]
        tagged = [
            (number, "".join(cell["source"]))
            for number, cell in enumerate(cells, start=1)
            if "parameters" in cell["metadata"].get("tags", [])
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WorkError(f"{path}: not a notebook of format 4 ({error!r})") from error
    if len(tagged) != 1:
        raise WorkError(f"{path}: {len(tagged)} cells tagged 'parameters', not one")
    number, code = tagged[0]
    if _assigned_names(code) != [PARAMETER]:
        raise WorkError(f"{path}, cell {number}: the parameters cell sets {PARAMETER}")


def _assigned_names(code: str) -> list[str] | None:
    """Names set by a cell of plain assignments; None for any other code."""
    try:
        statements = ast.parse(code).body
    except SyntaxError:
        return None
    names = []
    for statement in statements:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            return None
        target = statement.targets[0]
        if not isinstance(target, ast.Name):
            return None
        names.append(target.id)
    return names


def execution_keys(sources: Iterable[Source], profile: str) -> dict[str, str]:
    """For each notebook, a key that changes when its outputs may have changed.

    Over the notebook, the package (this subpackage apart, except what executes), the
    records, the kept weights, the lock file, the interpreter, the profile, whether the
    data set is there (presence and sizes, since its content is checked when loaded),
    and which notebooks there are: pages link to each other. `sources` is all of them.
    """
    sources = list(sources)
    shared = [
        sorted(source.name for source in sources),
        profile,
        sys.version,
        _digest(_package_files(), paths.package_root()),
        _digest(paths.records().rglob("*.json"), paths.root()),
        _digest((paths.root() / "weights").rglob("*"), paths.root()),
        _digest([paths.package_root() / "requirements.lock"], paths.package_root()),
        _data_state(),
    ]
    return {s.name: _key([s.name, s.sha256, *shared]) for s in sources}


def report_key(keys: dict[str, str], profile: str, commit: str, pdf: bool) -> str:
    """The key of a whole report: its notebooks, the texts, templates and page code,
    commit, and whether it is printed."""
    code = [p for p in Path(__file__).parent.rglob("*") if "__pycache__" not in p.parts]
    texts = [*code, EVIDENCE]
    return _key([keys, profile, commit, pdf, _digest(texts, paths.package_root())])


def commit_of(folder: Path) -> str:
    """Short commit of a checkout, with what is not committed said; or why unknown."""
    tracked = ["cifar100", "notebooks", "records", "weights", "requirements.lock"]
    head = git(folder, "rev-parse", "--short=12", "HEAD")
    if head is None:
        return "not a commit"
    changed = git(folder, "status", "--porcelain", "--", *tracked)
    return f"{head}, with changes" if changed else head


def code_address() -> str:
    """Where the code is published, as GitHub tells its workflows; empty elsewhere."""
    server = os.environ.get("GITHUB_SERVER_URL")
    name = os.environ.get("GITHUB_REPOSITORY")
    return f"{server}/{name}" if server and name else ""


def _package_files() -> list[Path]:
    package = paths.package_root() / "cifar100"
    report = package / "report"
    files = [p for p in package.rglob("*.py") if not p.is_relative_to(report)]
    return [*files, report / "execute.py"]


def _data_state() -> list:
    """What tells whether notebooks can show images: files where they would be looked
    for, or arrays made from them.

    Of the arrays only that they are there: a build may be the one that makes them.
    """
    from cifar100 import data

    try:
        found = data.find()
    except UserError as error:  # of a source that is none
        return [str(error)]
    files = [p for p in (found, *found.rglob("*")) if p.is_file()] if found else []
    has_arrays = any((paths.cache() / "data").glob("*"))
    listed = sorted((str(p), p.stat().st_size) for p in files)
    return [bool(listed or has_arrays), listed]


def _digest(files: Iterable[Path], base: Path) -> str:
    """One sha256 over names and contents; files that are not there count as absent."""
    present = sorted(p for p in files if p.is_file())
    return _key([(os.path.relpath(p, base), sha256_of(p)) for p in present])


def _key(parts: object) -> str:
    return sha256_of(json.dumps(parts, sort_keys=True).encode())
