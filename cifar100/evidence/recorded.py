"""The effects of the ladder, from the runs that are recorded."""

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cifar100 import records
from cifar100.errors import UserError
from cifar100.evidence.noise import shared_image_error
from cifar100.evidence.paired import (
    FEWEST_SEEDS,
    Contrast,
    PairedEffect,
    effects_of,
    in_common,
    paired_differences,
    with_errors,
)
from cifar100.experiments import EXPERIMENTS, FAMILIES, Experiment, get

COLUMNS = [
    *("experiment", "seed", "val_top1", "val_second_half_top1", "val_scored"),
    *("device_kind", "precision"),
]

NO_RUNS: dict[str, dict] = {column: {} for column in COLUMNS}
Runs = dict[str, dict[str, dict[int, Any]]]  # experiment, column, seed


def contrasts(family: str = "ladder") -> list[Contrast]:
    """Every experiment of a family that has a parent, as a question about the two; but
    not those that repeat their parent's training to score it in more ways, since their
    differences are no noise of seeds, and would make all variances look small."""
    return [
        Contrast(e.name, e.parent, e.kind, e.supports, e.claim, e.seeds)
        for e in EXPERIMENTS.values()
        if e.parent is not None and family_of(e.name) == family and trains_anew(e)
    ]


def trains_anew(experiment: Experiment) -> bool:
    """Whether it is more than its parent's training, scored in more ways."""
    if experiment.parent is None:
        return True
    ours, theirs = experiment.settings, get(experiment.parent).settings
    return {key for key in ours if ours[key] != theirs[key]} != {"evaluations"}


def recorded_effects(
    family: str = "ladder", found: list[records.Record] | None = None
) -> list[PairedEffect]:
    """The effect of every contrast of a family that its records can decide on.

    `found` are the records, if they are read already.
    """
    found = records.list_records() if found is None else found
    return effects_in(finals(found), family)


def effects_in(finals: pd.DataFrame, family: str) -> list[PairedEffect]:
    """As `recorded_effects`, from the rows of `finals`."""
    return _effects(_runs(finals), contrasts(family))


def compare(child: str, parent: str, *, without: Collection[int] = ()) -> PairedEffect:
    """The effect of `child` against `parent`, from all recorded runs.

    Its variance is moderated by those of the whole family of `child`. A pair that is no
    contrast of it is compared too, as an exploratory one. Seeds in `without` are left
    out of these two, for example the one on which a search chose them.

    Raises `UserError` for unknown experiments, fewer than two common seeds, and runs
    that differ in device kind or precision.
    """
    asked = contrasts(family_of(child))
    found = finals(records.list_records())
    return compare_in(seeds_left(found, child, parent, without), asked, child, parent)


def seeds_left(
    finals: pd.DataFrame, child: str, parent: str, without: Collection[int]
) -> pd.DataFrame:
    """`finals` less the rows of some seeds of these two; of others they stay."""
    ours = finals["experiment"].isin([child, parent])
    return finals[~(ours & finals["seed"].isin(list(without)))]


def on_other_images(
    claims: Sequence[PairedEffect], found: list[records.Record]
) -> list[PairedEffect]:
    """Claims of the ladder, each judged with a second error: that other validation
    images could have been drawn. See `shared_image_error`. `found` are the records."""
    asked = {name for claim in claims for name in (claim.child, claim.parent)}
    right: dict[str, dict[int, np.ndarray]] = {name: {} for name in asked}
    for run in found:
        if run.experiment in asked:
            right[run.experiment][run.seed] = run.val()["rank"] == 0
    errors = [shared_image_error(right[c.child], right[c.parent]) for c in claims]
    family = sum(c.kind == "confirmatory" for c in contrasts())
    return with_errors(claims, errors, family)


def family_of(experiment: str) -> str:
    """The family that an experiment belongs to; `UserError` for an unknown one."""
    strong = {e.name for e in FAMILIES["strong"]}
    return "strong" if get(experiment).name in strong else "ladder"


def compare_in(
    finals: pd.DataFrame, asked: list[Contrast], child: str, parent: str
) -> PairedEffect:
    """As `compare`, from the rows of `finals`; variances are moderated by those of
    the contrasts in `asked`."""
    child, parent = get(child).name, get(parent).name
    if child == parent:
        raise UserError(f"'{child}' against itself; name two different experiments.")
    runs = _runs(finals)
    obstacle = _obstacle(runs, child, parent)
    if obstacle:
        raise UserError(obstacle)
    if (child, parent) not in {(c.child, c.parent) for c in asked}:
        asked = [*asked, Contrast(child, parent)]
    found = {(e.child, e.parent): e for e in _effects(runs, asked)}
    return found[child, parent]


def finals(found: list[records.Record]) -> pd.DataFrame:
    """The `COLUMNS` of recorded runs, one row per (experiment, seed)."""
    table = records.finals_table(found)
    # Without a single record the table has no columns; older ones lack the second half.
    return table.reindex(columns=COLUMNS)


def _runs(finals: pd.DataFrame) -> Runs:
    """The columns of `finals` as one dict each, by experiment and seed."""
    runs: Runs = {}
    for row in finals.to_dict("records"):
        columns = runs.setdefault(row["experiment"], {c: {} for c in COLUMNS})
        for column, values in columns.items():
            values[row["seed"]] = row[column]
    return runs


def _effects(runs: Runs, asked: list[Contrast]) -> list[PairedEffect]:
    """A contrast that may not be compared stays in Holm's family, without an effect."""
    return effects_of(
        (
            c,
            np.empty(0)
            if _obstacle(runs, c.child, c.parent)
            else paired_differences(*_scores(runs[c.child], runs[c.parent])),
        )
        for c in asked
    )


def _scores(child: dict[str, dict], parent: dict[str, dict]) -> list[dict[int, float]]:
    """Val top-1 of both by seed, on the images that both are scored on: a run that
    stops early watches half of val, so only the other half is left. The first records
    don't have it apart; their seeds are left out."""
    scored = {*child["val_scored"].values(), *parent["val_scored"].values()}
    column = "val_top1" if len(scored) == 1 else "val_second_half_top1"
    return [
        {seed: value for seed, value in runs[column].items() if not math.isnan(value)}
        for runs in (child, parent)
    ]


def _obstacle(runs: Runs, child: str, parent: str) -> str | None:
    """Why these two may not be compared, in one line; None when they may."""
    both = [runs.get(name, NO_RUNS) for name in (child, parent)]
    scores = _scores(*both)
    common = scores[0].keys() & scores[1].keys()
    if len(common) < FEWEST_SEEDS:
        few = f"'{child}' and '{parent}' have {in_common(len(common))}"
        planned = {name: get(name).seeds for name in (child, parent)}
        name = min(planned, key=planned.get)
        if planned[name] >= FEWEST_SEEDS:
            return f"{few}; `cifar100 record` records what is missing."
        return f"{few}, and '{name}' is planned with {planned[name]}."
    for column, quantity in (("device_kind", "device"), ("precision", "precision")):
        kinds = sorted({columns[column][seed] for columns in both for seed in common})
        if len(kinds) > 1:
            return (
                f"'{child}' and '{parent}' were recorded with more than one {quantity} "
                f"({', '.join(kinds)}); record both with one of them."
            )
    return None
