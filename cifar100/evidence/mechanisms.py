"""Why does a change help? Runs scored in other ways, and what speaks for a reason.

An evaluation scores a network that is already trained in another way, for example with
its dropout left on. All effects here are exploratory: intervals, no verdict words.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import pandas as pd

from cifar100 import records
from cifar100.errors import UserError
from cifar100.evidence.paired import (
    FEWEST_SEEDS,
    Contrast,
    PairedEffect,
    effects_of,
)
from cifar100.evidence.recorded import (
    compare,
    compare_in,
    contrasts,
    effects_in,
    finals,
    seeds_left,
    trains_anew,
)
from cifar100.evidence.wording import effect_text
from cifar100.experiments import get

PLAIN = "plain"  # as every run is scored: dropout off, batch norm as it was learned
KEY = ["experiment", "seed"]

Evidence = Literal["for", "against", "undecided"]
Judgement = Literal["supported", "refuted", "undecided", "nothing to explain"]


def evaluations_table(found: Iterable[records.Record]) -> pd.DataFrame:
    """Tidy, one row per (experiment, seed, evaluation), with its `val_top1`; the plain
    score of each run is one of them."""
    rows = [
        (record.experiment, record.seed, name, top1)
        for record in found
        for name, top1 in _scores(record)
    ]
    return pd.DataFrame(rows, columns=[*KEY, "evaluation", "val_top1"])


def evaluation_gain(name: str, evaluation: str) -> PairedEffect:
    """`evaluation` minus the plain score of the same networks, over all seeds.

    Its variance is moderated by those of all experiments with that evaluation, but for
    those that repeat their parent's training. Raises `UserError` when fewer than two
    runs are recorded with it.
    """
    _check(name, evaluation)
    table = evaluations_table(records.list_records())
    wide = table.pivot(index=KEY, columns="evaluation", values="val_top1")
    if evaluation in wide:
        gains = (wide[evaluation] - wide[PLAIN]).dropna()
        found = effects_of(
            (Contrast(f"{other}, {evaluation}", other), rows.to_numpy())
            for other, rows in gains.groupby("experiment", sort=False)
            if other == name or trains_anew(get(other))  # else the same networks twice
        )
        for effect in found:
            if effect.parent == name:
                return effect
    raise UserError(
        f"'{name}' has fewer than {FEWEST_SEEDS} runs with '{evaluation}'; "
        "`cifar100 record` records what is missing."
    )


def compare_evaluated(
    child: str,
    parent: str,
    evaluation: str = PLAIN,
    *,
    without: Collection[int] = (),
) -> PairedEffect:
    """As `compare`, with both experiments scored by `evaluation`.

    Variances are moderated by those of the ladder under the same evaluation. It is
    exploratory whatever the contrast is, unless the evaluation is "plain". Raises
    `UserError` as `compare` does, and for an evaluation that one of them lacks.
    """
    if evaluation == PLAIN:
        return compare(child, parent, without=without)
    _check(child, evaluation)
    _check(parent, evaluation)
    asked = [replace(c, kind="exploratory") for c in contrasts()]
    scored = _evaluated(records.list_records(), evaluation)
    return compare_in(seeds_left(scored, child, parent, without), asked, child, parent)


def effects_table(
    pairs: Mapping[str, tuple[str, str]], evaluations: Mapping[str, str]
) -> pd.DataFrame:
    """Each pair of child and parent under each evaluation, as `effect_text`.

    Both come by the name that heads their row or column; the plain score is "plain".
    Raises `UserError` as `compare_evaluated` does.
    """
    rows = {
        row: {
            column: effect_text(compare_evaluated(*pair, evaluation))
            for column, evaluation in evaluations.items()
        }
        for row, pair in pairs.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(evaluations))


def evaluated_effects(
    evaluation: str, found: list[records.Record]
) -> list[PairedEffect]:
    """As `recorded_effects` of the ladder, with both sides scored by `evaluation`.

    Pairs of which one lacks it are left out."""
    return effects_in(_evaluated(found, evaluation), "ladder") if found else []


def _evaluated(found: list[records.Record], evaluation: str) -> pd.DataFrame:
    """`finals` with the score of an evaluation in the place of the plain one."""
    table = evaluations_table(found)
    scored = table[table["evaluation"] == evaluation].drop(columns="evaluation")
    others = finals(found).drop(columns="val_top1")
    others = others[others["val_scored"] == "all"]  # else of other images
    return others.merge(scored, on=KEY)


def speaks(remaining: PairedEffect, whole: PairedEffect) -> Evidence:
    """What a difference says of a reason under which it should have stayed.

    `whole` is the difference to be explained, `remaining` the same under a condition
    that leaves the reason in force. "for" when the 95 % interval of `remaining` lies
    above half of `whole`, so that most of it stayed; "against" when it lies below;
    else "undecided". Where `whole` is negative, zero takes the place of its half.
    """
    half = max(whole.mean, 0.0) / 2
    if remaining.moderated_low > half:
        return "for"
    return "against" if remaining.moderated_high < half else "undecided"


def judgement(found: Sequence[Evidence], whole: PairedEffect) -> Judgement:
    """The word on a reason: it needs more than half of `found`, and no dissent.

    Without a `whole` clearly above zero there is nothing to explain.
    """
    if whole.moderated_low <= 0:
        return "nothing to explain"
    counts = {word: found.count(word) for word in ("for", "against")}
    if counts["against"] > len(found) / 2 and not counts["for"]:
        return "refuted"
    if counts["for"] > len(found) / 2 and not counts["against"]:
        return "supported"
    return "undecided"


def _scores(record: records.Record) -> list[tuple[str, float]]:
    evaluations = record.data["evaluations"].items()
    plain = (PLAIN, record.data["metrics"]["val_top1"])
    return [plain, *((name, scores["top1"]) for name, scores in evaluations)]


def _check(name: str, evaluation: str) -> None:
    known = get(name).evaluations
    if evaluation not in known:
        raise UserError(
            f"'{name}' is not scored by '{evaluation}', only by "
            f"{', '.join((PLAIN, *known))}."
        )
