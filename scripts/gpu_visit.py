"""Prepare a GPU visit, and rehearse it here: docs/gpu.md tells how one goes.

`build` fills the ignored folder .visit/ from the commit HEAD and prints the calls to
make. `rehearse` makes them here, with a Python that has JAX but neither Keras nor
TensorFlow, in profile smoke; its records are marked and are no evidence.
"""

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from gpu_parts import build_parts, build_pretrained, complete
from update_pins import locked

from cifar100 import paths
from cifar100.costs import macs_by_experiment, network_code
from cifar100.errors import UserError
from cifar100.experiments import EXPERIMENTS
from cifar100.files import write_json
from cifar100.scheduling import parse_budget
from cifar100.training.environment import WATCHED, tree_digest

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.12"  # the other machine's
LACKING = ("absl-py", "h5py", "keras", "namex", "optree")  # Keras' own, there
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
FROZEN = ("cifar100", "requirements.lock", "scripts")  # has to be as committed
MIB = 2**20
LIMIT = 60 * MIB  # what a call carries; a machine may take 64
SECONDS = 480  # of recording in a call of ten minutes
WITHOUT_RECORDS = "git sparse-checkout set --no-cone '/*' '!/records/'"
MACHINE = "python3 scripts/gpu_machine.py"


@dataclass(frozen=True)
class Call:
    """One call on the other machine: what comes along beside the tree, what runs."""

    carry: tuple[str, ...]  # names in the visit's folder
    size: int  # bytes, tree included
    command: str


def git(*arguments: str) -> bytes:
    """What git answers here; UserError when it fails."""
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 (git)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", b"") or b"").decode().strip().split("\n")[0]
        raise UserError(f"git {arguments[0]} failed: {reason or error}") from None


def head() -> str:
    """The hash of HEAD; UserError when what makes a record is not as committed."""
    commit = git("rev-parse", "--verify", "HEAD").decode().strip()
    changed = git("status", "--porcelain", "--", *FROZEN).decode().splitlines()
    if changed:
        raise UserError(f"{changed[0][3:]} is not as committed; commit it first")
    return commit


def extract(archive: bytes, folder: Path) -> None:
    """Unpack a tar made by git."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")


def build_package(path: Path, commit: str) -> None:
    """A tar of the package at `commit`, with a commit.json that says what it held."""
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary)
        extract(git("archive", commit, *WATCHED), tree)
        content = {"commit": commit, "sha256": tree_digest(tree)}
        (tree / "commit.json").write_text(json.dumps(content))
        new = path.with_suffix(".new")
        with tarfile.open(new, "w") as tar:
            for entry in sorted(tree.iterdir()):
                tar.add(entry, entry.name)
        os.replace(new, path)


def commit_of(package: Path) -> str:
    """The commit that a package.tar was made from; UserError when there is none."""
    try:
        with tarfile.open(package) as tar:
            return json.load(tar.extractfile("commit.json"))["commit"]
    except (OSError, tarfile.TarError, LookupError, ValueError):
        raise UserError(f"{package} is no package; build the folder first") from None


def fetch_wheels(folder: Path) -> None:
    """Download what the other machine lacks, in the locked versions."""
    versions = locked((ROOT / "requirements.lock").read_text("utf-8"), PYTHON)
    stems = [f"{name.replace('-', '_')}-{versions[name]}-" for name in LACKING]
    here = sorted(path.name for path in folder.glob("*.whl"))
    if len(here) == len(stems) and all(map(str.startswith, here, sorted(stems))):
        return
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation=cp"]
    command += [f"--python-version={PYTHON}"]
    command += [f"--platform={platform}" for platform in PLATFORMS]
    with tempfile.TemporaryDirectory(dir=folder) as new:
        names = [f"{name}=={versions[name]}" for name in LACKING]
        done = subprocess.run([*command, "-d", new, *names])  # noqa: S603 (pip, with names of the lock file)
        if done.returncode:
            raise UserError("pip could not download the wheels")
        for old in folder.glob("*.whl"):
            old.unlink()
        for wheel in Path(new).iterdir():
            os.replace(wheel, folder / wheel.name)


def build(folder: Path) -> None:
    """Fill the folder from HEAD; what is in it already and right is kept."""
    commit = head()
    (folder / "tools").mkdir(parents=True, exist_ok=True)
    build_parts(folder)
    build_pretrained(folder)
    fetch_wheels(folder / "tools")
    # Counting multiply-adds builds every network: a minute that the visit saves.
    macs = {EXPERIMENTS[name].id: n for name, n in macs_by_experiment().items()}
    counts = {"network_code": network_code(), "macs": macs}
    write_json(folder / "tools" / "macs.json", counts)
    build_package(folder / "tools" / "package.tar", commit)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def tree_size() -> int:
    """Bytes of the working tree that travels: all but what git ignores."""
    names = git("ls-files", "-z", "-co", "--exclude-standard").decode().split("\0")
    return sum(size_of(ROOT / name) for name in set(names) if name)


def plan(sizes: dict[str, int], tree: int, command: str) -> list[Call]:
    """The calls that bring everything and then record, twice: the second goes on.

    `sizes`: bytes of `tools`, of the parts of the data set and of weights. The last of
    these comes along with the tools where there is room. UserError when one thing is
    too large.
    """
    groups: list[list[str]] = []
    room = 0
    for name in [*sorted(sizes.keys() - {"tools"}), "tools"]:
        if tree + sizes[name] > LIMIT:
            raise UserError(
                f"{name} has {sizes[name] / MIB:.1f} MiB and the tree "
                f"{tree / MIB:.1f}, more than the {LIMIT // MIB} that a call carries; "
                f"leave the records here: {WITHOUT_RECORDS}"
            )
        if not groups or sizes[name] > room:
            groups.append([])
            room = LIMIT - tree
        groups[-1].append(name)
        room -= sizes[name]
    calls = [
        Call(
            tuple(group),
            tree + sum(sizes[name] for name in group),
            command if "tools" in group else f"{MACHINE} data",
        )
        for group in groups
    ]
    return [*calls, Call(("tools",), tree + sizes["tools"], command)]


def plan_for(folder: Path, name: str, seconds: int, options: str = "") -> list[Call]:
    """The plan for a folder that was built."""
    try:
        things = [*complete(folder), *folder.glob("pretrained-*"), folder / "tools"]
    except FileNotFoundError as error:
        raise UserError(f"{folder} lacks {error}; build it first") from None
    sizes = {path.name: size_of(path) for path in things}
    command = f"{MACHINE} record {name} {seconds}{options}"
    return plan(sizes, tree_size(), command)


def show(calls: list[Call], folder: Path) -> None:
    """Print the calls, for a person to make."""
    for number, call in enumerate(calls, 1):
        carry = " ".join(f"{folder.name}/{name}" for name in call.carry)
        print(f"call {number}, {call.size / MIB:.1f} MiB: carry {carry}")
        print(f"    {call.command}")
    print("Repeat the last while there is time, then with `gpu` in place of `ladder`.")


def find_python(given: str | None) -> str:
    """A Python like the other machine's: 3.12, JAX, neither Keras nor TensorFlow."""
    python = given or shutil.which(f"python{PYTHON}")
    question = (
        "import sys, jax; from importlib.util import find_spec as find; "
        "print('%d.%d' % sys.version_info[:2], find('keras') or find('tensorflow'))"
    )
    try:
        command = [python or "", "-c", question]
        answer = subprocess.run(command, capture_output=True, text=True).stdout  # noqa: S603 (Python)
    except OSError:
        answer = ""
    if answer.strip() != f"{PYTHON} None":
        raise UserError(
            f"{python or f'python{PYTHON}'} is no Python {PYTHON} with JAX and without "
            "Keras and TensorFlow; name one with --python"
        )
    return os.path.abspath(python)


def play(call: Call, folder: Path, stage: Path, python: str) -> tuple[int, float]:
    """One call here: its exit status and seconds. $OUT is emptied, as it is there."""
    out, tools = stage / "out", stage / "bin"
    shutil.rmtree(out, ignore_errors=True)
    for path in out, tools:
        path.mkdir(exist_ok=True)
    wrapper = tools / "python3"
    wrapper.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    wrapper.chmod(0o755)
    variables = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": stage, "OUT": out}
    variables["VISIT_HOME"] = stage / "visit"
    with tempfile.TemporaryDirectory(dir=stage) as tree:
        extract(git("archive", "HEAD"), Path(tree))
        for name in call.carry:
            shutil.copytree(folder / name, Path(tree, ".visit", name))
        began = time.monotonic()
        done = subprocess.run(  # noqa: S603 (what we wrote ourselves)
            ["/bin/bash", "-c", call.command], cwd=tree, env=variables
        )
    return done.returncode, time.monotonic() - began


def rehearse(folder: Path, name: str, budget: float, python: str) -> int:
    """Make the calls here, bring the records home, report; 1 when anything is off."""
    if commit_of(folder / "tools" / "package.tar") != head():
        raise UserError(f"{folder} was built from another commit; build it again")
    calls = plan_for(folder, name, max(1, int(budget / 2)), " --rehearsal")
    lines, wrong, failed = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="gpu-visit-") as temporary:
        stage, out = Path(temporary), Path(temporary, "out")
        for number, call in enumerate(calls, 1):
            print(f"$ {call.command}", flush=True)
            status, seconds = play(call, folder, stage, python)
            files = [f"{path.name} ({size_of(path):,})" for path in out.iterdir()]
            brings = f", {', '.join(sorted(files))}" if files else ""
            lines.append(f"call {number}: exit {status}, {seconds:.0f} s{brings}")
            wrong += status != 0
            log = out / "record.log"
            failed += log.read_text().count(": failed with ") if log.exists() else 0
        packs = sorted(out.glob(f"{name}*.zip"))
        shutil.rmtree(paths.rehearsal(), ignore_errors=True)  # of the one before
        command = [sys.executable, "-m", "cifar100", "record"]
        command += [word for pack in packs for word in ("--unpack", str(pack))]
        wrong += not packs or subprocess.run(command, cwd=ROOT).returncode != 0  # noqa: S603 (our own command)
        packed = sum(
            name.endswith(".json")
            for p in packs
            for name in zipfile.ZipFile(p).namelist()
        )
    merged = len(list(paths.rehearsal().glob("*/seed-*.json")))
    print("\n".join(lines))
    print(f"{packed} runs packed, {merged} merged, {failed} failed")
    return int(bool(wrong or failed or not packed or merged != packed))


def main(arguments: list[str] | None = None) -> int:
    """Build or rehearse; exit status 1 when a rehearsal is off, 2 for wrong input."""
    parser = argparse.ArgumentParser(description="Prepare a GPU visit, or rehearse it.")
    commands = parser.add_subparsers(dest="do", required=True)
    for command in map(commands.add_parser, ("build", "rehearse")):
        command.add_argument("--folder", type=Path, default=ROOT / ".visit")
    command.add_argument("--set", choices=("ladder", "gpu"), default="ladder")
    command.add_argument("--budget", default="5m", help="of recording, in two calls")
    command.add_argument("--python", help="a Python 3.12 with JAX and without Keras")
    given = parser.parse_args(arguments)
    try:
        if given.do == "rehearse":
            budget, python = parse_budget(given.budget), find_python(given.python)
            return rehearse(given.folder, given.set, budget, python)
        build(given.folder)
        show(plan_for(given.folder, "ladder", SECONDS), given.folder)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
