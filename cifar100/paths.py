"""Where things stand. Functions, so that `CIFAR100_HOME` counts when it is read."""

import os
from pathlib import Path


def package_root() -> Path:
    """The checkout that holds this package: code, notebooks, lock file."""
    return Path(__file__).resolve().parent.parent


def root() -> Path:
    """The folder of data, records and figures: `$CIFAR100_HOME`, else the checkout."""
    home = os.environ.get("CIFAR100_HOME")
    return Path(home).resolve() if home else package_root()


def data() -> Path:
    """The data set in its canonical layout; never tracked."""
    return root() / "data"


def records() -> Path:
    """Recorded runs: the evidence."""
    return root() / "records"


def rehearsal() -> Path:
    """Small runs that rehearsed a visit to another machine; no evidence."""
    return root() / "rehearsal"


def figures() -> Path:
    """Figures drawn from records."""
    return root() / "figures"


def cache() -> Path:
    """What can be made again: arrays to map, checkpoints, executed notebooks."""
    return root() / ".cache"
