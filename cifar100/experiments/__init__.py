"""What to train: values, no code."""

from cifar100.errors import UserError, suggestion
from cifar100.experiments.experiment import (
    DEFAULTS,
    SETTINGS,
    Experiment,
    as_tuples,
    child,
    id_of,
)
from cifar100.experiments.ladder import LADDER
from cifar100.experiments.story import NOTEBOOKS, STORY, Notebook, Step
from cifar100.experiments.strong import STRONG
from cifar100.experiments.transfer import TRANSFER

# Effects are judged within a family: runs of long recipes differ less by their seed.
FAMILIES: dict[str, tuple[Experiment, ...]] = {
    "ladder": LADDER,
    "strong": STRONG + TRANSFER,
}
EXPERIMENTS: dict[str, Experiment] = {
    e.name: e for family in FAMILIES.values() for e in family
}

__all__ = [
    "DEFAULTS",
    "EXPERIMENTS",
    "FAMILIES",
    "NOTEBOOKS",
    "SETTINGS",
    "STORY",
    "Experiment",
    "Notebook",
    "Step",
    "as_tuples",
    "child",
    "get",
    "id_of",
]


def get(name: str) -> Experiment:
    """The experiment of that name, else `UserError` with the nearest name."""
    if name not in EXPERIMENTS:
        hint = suggestion(name, EXPERIMENTS) or "."
        raise UserError(
            f"unknown experiment '{name}'{hint} `cifar100 experiments` lists all."
        )
    return EXPERIMENTS[name]
