"""Where things stand. Functions, so that `CIFAR100_HOME` counts when it is read."""

import os
from pathlib import Path

from cifar100.errors import UserError


def package_root() -> Path:
    """The checkout that holds this package: code, notebooks, lock file."""
    return Path(__file__).resolve().parent.parent


def root() -> Path:
    """The folder of data, records and figures: `$CIFAR100_HOME`, else the checkout.

    Raises `UserError` where something else than a folder stands there.
    """
    home = os.environ.get("CIFAR100_HOME")
    if not home:
        return package_root()
    folder = Path(os.path.realpath(home))
    if folder.exists() and not folder.is_dir():
        raise UserError(f"CIFAR100_HOME is '{home}', which is not a folder")
    return folder


def data() -> Path:
    """The data set in its canonical layout; never tracked."""
    return root() / "data"


def records() -> Path:
    """Recorded runs: the evidence."""
    return root() / "records"


def demonstration(name: str) -> Path:
    """What a notebook measured or computed once that is no run (`course.recorded`)."""
    return records() / "demonstrations" / f"{name}.json"


def rehearsal() -> Path:
    """Small runs that rehearsed a visit to another machine; no evidence."""
    return root() / "rehearsal"


def figures() -> Path:
    """Figures drawn from records."""
    return root() / "figures"


def cache() -> Path:
    """What can be made again: arrays to map, checkpoints, executed notebooks."""
    return root() / ".cache"
