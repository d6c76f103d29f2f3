"""The effects of the ladder, from the runs that are recorded."""

import numpy as np
import pandas as pd

from cifar100 import records
from cifar100.errors import UserError
from cifar100.evidence.paired import (
    FEWEST_SEEDS,
    Contrast,
    PairedEffect,
    effects_of,
    paired_differences,
)
from cifar100.experiments import EXPERIMENTS, get

COLUMNS = ["experiment", "seed", "val_top1", "device_kind", "precision"]


def contrasts() -> list[Contrast]:
    """Every experiment that has a parent, as a question about the two."""
    return [
        Contrast(e.name, e.parent, e.kind, e.supports, e.claim, e.seeds)
        for e in EXPERIMENTS.values()
        if e.parent is not None
    ]


def recorded_effects() -> list[PairedEffect]:
    """The effect of every contrast of the ladder that its records can decide on."""
    return _effects(_finals(), contrasts())


def compare(child: str, parent: str) -> PairedEffect:
    """The effect of `child` against `parent`, from all recorded runs.

    Its variance is moderated by those of the whole ladder. A pair that is no contrast
    of the ladder is compared too, as an exploratory one.

    Raises `UserError` for unknown experiments, fewer than two common seeds, and runs
    that differ in device kind or precision.
    """
    child, parent = get(child).name, get(parent).name
    if child == parent:
        raise UserError(f"'{child}' against itself; name two different experiments.")
    finals = _finals()
    obstacle = _obstacle(finals, child, parent)
    if obstacle:
        raise UserError(obstacle)
    asked = contrasts()
    if (child, parent) not in {(c.child, c.parent) for c in asked}:
        asked.append(Contrast(child, parent))
    found = {(e.child, e.parent): e for e in _effects(finals, asked)}
    return found[child, parent]


def _finals() -> pd.DataFrame:
    table = records.finals_table(records.list_records())
    # Without a single record the table has no columns to look into.
    return pd.DataFrame(columns=COLUMNS) if table.empty else table[COLUMNS]


def _effects(finals: pd.DataFrame, asked: list[Contrast]) -> list[PairedEffect]:
    """A contrast that may not be compared stays in Holm's family, without an effect."""
    values = {
        name: dict(zip(rows["seed"], rows["val_top1"], strict=True))
        for name, rows in finals.groupby("experiment")
    }
    return effects_of(
        (
            c,
            np.empty(0)
            if _obstacle(finals, c.child, c.parent)
            else paired_differences(values[c.child], values[c.parent]),
        )
        for c in asked
    )


def _obstacle(finals: pd.DataFrame, child: str, parent: str) -> str | None:
    """Why these two may not be compared, in one line; None when they may."""
    rows = {name: finals[finals["experiment"] == name] for name in (child, parent)}
    common = set(rows[child]["seed"]) & set(rows[parent]["seed"])
    if len(common) < FEWEST_SEEDS:
        return (
            f"'{child}' and '{parent}' have {len(common)} recorded seed"
            f"{'' if len(common) == 1 else 's'} in common, an interval needs "
            f"{FEWEST_SEEDS}; `cifar100 record` records what is missing."
        )
    paired = pd.concat(rows).query("seed in @common")
    for column, quantity in (("device_kind", "device"), ("precision", "precision")):
        kinds = sorted(set(paired[column]))
        if len(kinds) > 1:
            return (
                f"'{child}' and '{parent}' were recorded with more than one {quantity} "
                f"({', '.join(kinds)}); record both with one of them."
            )
    return None
