"""What the course has found, step by step: the table behind README, report and exam."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cifar100.evidence.languages import ENGLISH, Language
from cifar100.evidence.mechanisms import evaluated_effects
from cifar100.evidence.paired import PairedEffect, mean_interval
from cifar100.evidence.recorded import recorded_effects
from cifar100.experiments import EXPERIMENTS, FAMILIES, STORY, Experiment, Step
from cifar100.records import Record, list_records

# Steps without a confirmatory contrast are shown by these, which get no verdict word.
EXPLORATORY = {
    "S1": ("simple_cnn",),
    "S2": ("lenet5",),
    "S11": ("vgg16", "vgg19"),
    "S15": ("resnet20", "resnet56"),
    "S20": ("frozen_96", "finetuned_64", "from_scratch_64"),
    "S21": ("fast", "fast_wide", "fast_gpu", "wide_and_long"),
}
REESTIMATED = "batch_norm_reestimated"
# The networks by which the course is known, in the order of the journey.
HEADLINES = (
    *("simple_cnn", "lenet5", "alexnet", "baseline", "dropout_after"),
    *("global_average", "student_set", "vgg16", "resnet20", "fast", "fast_wide"),
    *("fast_wide_long", "fast_gpu", "wide_and_long"),
    *("frozen_96", "finetuned_96", "finetuned_160"),
)

Values = dict[str, dict[int, float]]  # val top-1 by experiment and seed


def findings(found: list[Record] | None = None) -> pd.DataFrame:
    """The verdict table: one row a claim, in the order of the student's steps.

    `found` are the records, if they are read already.

    | column | holds |
    |---|---|
    | `row`, `step`, `student` | S1 … S21, its title, the student's figure |
    | `claim`, `experiment`, `parent`, `kind` | what is tested; no parent: a level |
    | `before`, `top1` | mean `val_top1` of parent and experiment, over `n` seeds |
    | `top1_low`, `top1_high` | 95 % t interval of `top1` over the seeds |
    | `effect`, `low`, `high` | paired difference, moderated 95 % interval |
    | `anew`, `anew_low`, `anew_high` | the same, batch norm re-estimated, if any |
    | `p_adjusted`, `word` | Holm's p and the verdict word |
    | `n`, `seeds` | seeds that are recorded, and planned |
    | `notebook` | number of the one that shows it, such as 05 |

    Accuracies and differences are fractions. A number that is not there is NaN, a text
    empty; n is 0 without a record. Every step has at least one row.
    """
    found = list_records() if found is None else found
    values = _values(found)
    effects = {e.child: e for f in FAMILIES for e in recorded_effects(f, found)}
    anew = {e.child: e for e in evaluated_effects(REESTIMATED, found)}
    anew = {name: e for name, e in anew.items() if _scored_otherwise(e, found)}
    rows = [
        _row(step, EXPERIMENTS[name], values, effects.get(name))
        | _bounded(anew.get(name), ("anew", "anew_low", "anew_high"))
        for step in STORY
        for name in claims_of(step.row)
    ]
    return pd.DataFrame(rows)


def headlines(found: list[Record] | None = None) -> pd.DataFrame:
    """How far the networks of the course get: `experiment`, mean `top1` on val with
    `top1_low` and `top1_high` as in `findings`, `n` and `seeds`, one row each."""
    values = _values(list_records() if found is None else found)
    levels = ((name, _level(values.get(name, {}))) for name in HEADLINES)
    return pd.DataFrame(
        {"experiment": name, **level, "seeds": EXPERIMENTS[name].seeds}
        for name, level in levels
    )


def claims_of(row: str) -> tuple[str, ...]:
    """Names of the experiments that stand for a step: its confirmatory contrasts."""
    mine = [e for e in EXPERIMENTS.values() if e.row == row]
    confirmatory = tuple(e.name for e in mine if e.kind == "confirmatory")
    return confirmatory or EXPLORATORY[row]


def in_words(table: pd.DataFrame, language: Language = ENGLISH) -> pd.DataFrame:
    """`findings` as text for a page; its columns are the keys of `language.heads`.

    Rows and index stay those of `table`, so a page can filter before or after.
    """
    lines = [_in_words(row, language) for row in table.to_dict("records")]
    return pd.DataFrame(lines, columns=list(language.heads), index=table.index)


def _values(found: list[Record]) -> Values:
    values: Values = {}
    for record in found:
        top1 = record.data["metrics"]["val_top1"]
        values.setdefault(record.experiment, {})[record.seed] = top1
    return values


def _row(
    step: Step, experiment: Experiment, values: Values, effect: PairedEffect | None
) -> dict[str, Any]:
    mine = values.get(experiment.name, {})
    theirs = values.get(experiment.parent or "", {})
    if experiment.parent:  # both sides over the same seeds, so that they differ by it
        mine = {seed: top1 for seed, top1 in mine.items() if seed in theirs}
    before = [theirs[seed] for seed in mine if seed in theirs]
    return {
        "row": step.row,
        "step": step.title,
        "student": step.student or "",
        "claim": experiment.claim,
        "experiment": experiment.name,
        "parent": experiment.parent or "",
        "kind": experiment.kind,
        "before": float(np.mean(before)) if before else np.nan,
        **_level(mine),
        **_bounded(effect, ("effect", "low", "high")),
        "p_adjusted": effect.p_adjusted if effect else np.nan,
        "word": (effect.word if effect else None) or "",
        "seeds": experiment.seeds,
        "notebook": step.notebook,
    }


def _scored_otherwise(effect: PairedEffect, found: list[Record]) -> bool:
    """Whether new statistics change a score at all; without batch norm they don't, and
    the effect would only be the plain one once more."""
    return any(
        record.data["evaluations"][REESTIMATED]["top1"]
        != record.data["metrics"]["val_top1"]
        for record in found
        if record.experiment in (effect.child, effect.parent)
        and REESTIMATED in record.data["evaluations"]
    )


def _bounded(
    effect: PairedEffect | None, names: tuple[str, str, str]
) -> dict[str, float]:
    """Mean and moderated bounds of an effect, NaN without one, by these names."""
    found = effect and (effect.mean, effect.moderated_low, effect.moderated_high)
    return dict(zip(names, found or [np.nan] * 3, strict=True))


def _level(by_seed: dict[int, float]) -> dict[str, Any]:
    """Mean of accuracies, its 95 % t interval (NaN for one), and how many they are."""
    top1 = np.array([by_seed[seed] for seed in sorted(by_seed)])
    n = len(top1)
    mean = float(top1.mean()) if n else np.nan
    low, high = mean_interval(top1)
    return {"top1": mean, "top1_low": low, "top1_high": high, "n": n}


def _in_words(row: dict[str, Any], language: Language) -> dict[str, str]:
    recorded = row["n"] > 0
    return {
        "row": row["row"],
        "step": language.steps[row["row"]],
        "claim": language.claims[row["experiment"]],
        "student": row["student"] or "–",
        "ours": _ours(row, language) if recorded else "–",
        "difference": language.effect(row["effect"], row["low"], row["high"]),
        "anew": language.effect(row["anew"], row["anew_low"], row["anew_high"]),
        "p": language.p(row["p_adjusted"]),
        "seeds": language.count(row["n"], row["seeds"]),
        "verdict": language.words[kind_of(row)],
        "notebook": row["notebook"],
    }


def _ours(row: dict[str, Any], language: Language) -> str:
    """Before and after of a contrast; of a level its interval."""
    if row["parent"]:
        return f"{100 * row['before']:.1f}→{language.percent(row['top1'])}"
    return language.level(row["top1"], row["top1_low"], row["top1_high"])


def kind_of(row: Mapping[str, Any]) -> str:
    """The key of `Language.words` for a row of `findings`: its word, or why it has
    none."""
    if row["n"] == 0:
        return "missing"
    if row["kind"] == "exploratory":
        return "exploratory"
    return row["word"] or "open"
