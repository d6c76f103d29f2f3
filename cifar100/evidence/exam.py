"""The exam: what was chosen and judged on val, looked at once on the test set.

Nothing here opens test predictions. They are handed in as `records.open_test` gives
them to notebook 15, which alone may call it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from cifar100.evidence.paired import PairedEffect, mean_interval
from cifar100.evidence.recorded import COLUMNS, effects_in
from cifar100.experiments import EXPERIMENTS, FAMILIES

Opened = Mapping[tuple[str, int], dict[str, np.ndarray]]

FACTS = {  # of an experiment, from its runs: what is shown, how runs are put together
    "parameters": "first",
    "macs": "first",
    "train_seconds": "mean",
    "images_per_second": "mean",
    "exclusive": "all",
    "device_name": lambda names: ", ".join(sorted(set(names))),
    "val_scored": "first",
}


class Agreement(NamedTuple):
    """Do two splits rank experiments alike?"""

    tau: float  # Kendall's tau-b: 1 the same order, 0 none, -1 reversed
    experiments: int
    pairs: int  # of experiments
    swapped: int  # pairs that the splits order differently
    widest: float  # the largest val difference among those, a fraction


def with_test(finals: pd.DataFrame, opened: Opened) -> pd.DataFrame:
    """`finals` (`records.finals_table`) with the `test_top1` of each run.

    Rows of runs that were not opened are left out.
    """
    keys = list(zip(finals["experiment"], finals["seed"], strict=True))
    known = [key in opened for key in keys]
    top1 = [float((opened[key]["rank"] == 0).mean()) for key in keys if key in opened]
    return finals[known].assign(test_top1=top1)


def standings(finals: pd.DataFrame) -> pd.DataFrame:
    """One row for each experiment of the course, in its order; those without a run have
    `n` 0 and nothing else.

    `finals` is what `with_test` gives. For val and test top-1 the mean and the 95 %
    t interval of that mean over seeds (`val_low`, …; from two runs on), then size, cost
    and device. `exclusive`: whether the machine did nothing else during all of them.
    """
    groups = finals.groupby("experiment")
    table = pd.DataFrame({"n": groups.size()})
    for split in ("val", "test"):
        top1 = groups[f"{split}_top1"]
        table[f"{split}_top1"] = top1.mean()
        ends = {name: mean_interval(values.to_numpy(float)) for name, values in top1}
        for place, end in enumerate(("low", "high")):
            values = {name: found[place] for name, found in ends.items()}
            table[f"{split}_{end}"] = pd.Series(values, dtype=float)
    table = table.join(groups.agg(FACTS)).reindex(list(EXPERIMENTS))
    table["n"] = table["n"].fillna(0).astype(int)
    story = [EXPERIMENTS[name] for name in table.index]
    table.insert(0, "row", [e.row for e in story])
    table.insert(2, "planned", [e.seeds for e in story])
    return table.rename_axis("experiment")


def rank_agreement(val: Sequence[float], test: Sequence[float]) -> Agreement:
    """Whether `val` and `test`, (k,) each, put k experiments in the same order.

    Kendall's tau-b (Kendall 1945, *Biometrika* 33); ties count as neither. With fewer
    than two, tau is nan.
    """
    val, test = np.asarray(val, float), np.asarray(test, float)
    first, second = np.triu_indices(len(val), 1)
    apart = val[first] - val[second]
    swapped = apart * (test[first] - test[second]) < 0
    return Agreement(
        tau=float(stats.kendalltau(val, test).statistic) if len(val) > 1 else np.nan,
        experiments=len(val),
        pairs=len(first),
        swapped=int(swapped.sum()),
        widest=float(np.abs(apart[swapped]).max()) if swapped.any() else 0.0,
    )


def effects_on_test(finals: pd.DataFrame) -> list[PairedEffect]:
    """The effects of all contrasts, with `test_top1` in the place of val's.

    `finals` is what `with_test` gives. Everything else is done as on val: the same
    pairs, variances moderated within a family, Holm's correction, words. Runs that
    stopped early are scored on all test images, since they watched none of them.
    """
    top1 = finals["test_top1"]
    table = finals.assign(val_top1=top1, val_second_half_top1=top1, val_scored="all")
    table = table.reindex(columns=COLUMNS)
    return [effect for family in FAMILIES for effect in effects_in(table, family)]


def examined(findings: pd.DataFrame, finals: pd.DataFrame) -> pd.DataFrame:
    """`evidence.findings` with what the test set says of each claim.

    `finals` is what `with_test` gives. Adds `test_top1` of the experiment with its 95 %
    t interval, `test_top1_low` and `test_top1_high`; of a contrast `test_effect` with
    the moderated interval, `test_low` and `test_high`; all are fractions, nan without
    enough runs. `test_word` is empty where there is none.
    """
    found = {(e.child, e.parent): e for e in effects_on_test(finals)}
    pairs = zip(findings["experiment"], findings["parent"], strict=True)
    mine = [found.get(pair) for pair in pairs]
    levels = standings(finals).loc[findings["experiment"]]
    levels = levels[["test_top1", "test_low", "test_high"]].to_numpy(float).T
    return findings.assign(
        **dict(
            zip(("test_top1", "test_top1_low", "test_top1_high"), levels, strict=True)
        ),
        test_effect=[e.mean if e else np.nan for e in mine],
        test_low=[e.moderated_low if e else np.nan for e in mine],
        test_high=[e.moderated_high if e else np.nan for e in mine],
        test_word=[(e.word if e else None) or "" for e in mine],
    )


def top1_on(opened: Opened, images: np.ndarray) -> pd.Series:
    """Top-1 of each run on some test images, bool (10000,), by (experiment, seed)."""
    found = {key: (s["rank"][images] == 0).mean() for key, s in opened.items()}
    return pd.Series(found, dtype=float).rename_axis(["experiment", "seed"])


def on_front(cost: Sequence[float], top1: Sequence[float]) -> np.ndarray:
    """Which of k experiments nothing beats at their cost or less: bool (k,).

    The Pareto front: no other one is at least as cheap and at least as good, and better
    in one of the two.
    """
    cost, top1 = np.asarray(cost, float), np.asarray(top1, float)
    cheap, good = cost[:, None] <= cost, top1[:, None] >= top1
    better = (cost[:, None] < cost) | (top1[:, None] > top1)
    return ~(cheap & good & better).any(axis=0)


def best_of(finals: pd.DataFrame, rows: Iterable[str], *, runs: int) -> str | None:
    """The experiment of those story rows with the highest mean `val_top1`, among those
    with at least so many `runs`.

    Chosen on val, so that the test set may score it. None if none is recorded.
    """
    rows = set(rows)
    mine = finals[[EXPERIMENTS[name].row in rows for name in finals["experiment"]]]
    mine = mine[mine.groupby("experiment")["seed"].transform("size") >= runs]
    if mine.empty:
        return None
    return str(mine.groupby("experiment")["val_top1"].mean().idxmax())
