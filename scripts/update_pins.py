"""Bring the pins of environment.yml up to those of requirements.lock: `make lock`.

Comments stay. A dependency of pyproject.toml that environment.yml does not list is
named, for a person to add with a word on why.
"""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.11"  # what environment.yml asks conda for
PIN = re.compile(r"^(\s+- )([A-Za-z0-9._-]+)==([^\s#]+)", re.MULTILINE)


def locked(text: str, python: str = PYTHON) -> dict[str, str]:
    """Versions in a lock file, by canonical name, for Linux with that Python."""
    surroundings = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
        "os_name": "posix",
    }
    found = {}
    for line in re.findall(r"^[A-Za-z0-9].*?==.*?(?= \\$)", text, re.MULTILINE):
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate(surroundings):
            found[canonicalize_name(pin.name)] = str(pin.specifier).removeprefix("==")
    return found


def direct(project: dict) -> list[Requirement]:
    """What pyproject.toml asks for, to run the course and to test it."""
    tables = project["dependencies"], project["optional-dependencies"]["test"]
    return [Requirement(text) for table in tables for text in table]


def updated(text: str, versions: dict[str, str]) -> str:
    """environment.yml with every pin at the version that is locked."""

    def repin(match: re.Match) -> str:
        start, name, old = match.groups()
        return f"{start}{name}=={versions.get(canonicalize_name(name), old)}"

    return PIN.sub(repin, text)


def main() -> int:
    """Rewrite environment.yml; exit status 1 when a dependency is not in it."""
    versions = locked((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    path = ROOT / "environment.yml"
    text = updated(path.read_text(encoding="utf-8"), versions)
    path.write_text(text, encoding="utf-8")
    listed = {canonicalize_name(name) for _, name, _ in PIN.findall(text)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = [canonicalize_name(item.name) for item in direct(project["project"])]
    missing = [name for name in names if name not in listed]
    for name in missing:
        line = f"{name}=={versions.get(name, '?')}"
        print(f"environment.yml lacks {line}; add it and say why", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
