"""What the seeds of a few runs say by themselves, without the variances of others."""

from collections.abc import Iterable

import pandas as pd

from cifar100 import records
from cifar100.errors import UserError
from cifar100.evidence.mechanisms import PLAIN, evaluations_table
from cifar100.evidence.paired import FEWEST_SEEDS, in_common, mean_interval
from cifar100.evidence.wording import digits_of, interval_text, pp


def by_seed(runs: Iterable[records.Record], score: str = PLAIN) -> pd.DataFrame:
    """One score of `runs`: a row per seed, a column per experiment, nan for no run.

    `score` is a column of `records.finals_table`, such as "train_top1" or "gap", or the
    name of an evaluation; its val top-1 is then given. A run that stopped early has
    that of the half of val that it is scored on. Raises `UserError` if no run has it.
    """
    runs = list(runs)
    table, values = records.finals_table(runs), score
    if score not in table:
        table, values = evaluations_table(runs), "val_top1"
        table = table[table["evaluation"] == score]
        if table.empty:
            raise UserError(
                f"No run is scored by '{score}'; `cifar100 record` records runs."
            )
    return table.pivot(index="seed", columns="experiment", values=values)


def interaction(
    first: tuple[str, str], second: tuple[str, str], score: str = PLAIN
) -> pd.Series:
    """What one change adds to another: the effect of the pair `first`, child and
    parent, minus that of `second`, by seed; nan where one of the four lacks it.

    `score` is as in `by_seed`.
    """
    names = dict.fromkeys((*first, *second))
    scores = by_seed((run for n in names for run in records.list_records(n)), score)
    scores = scores.reindex(columns=list(names))
    one, other = (scores[child] - scores[parent] for child, parent in (first, second))
    return one - other


def mean_text(differences: pd.Series) -> str:
    """The mean of a difference by seed, a fraction, with the t interval of these seeds
    alone: "+1.5 pp (+0.6 to +2.4 pp, 3 seeds alone)". Seeds without a value are left
    out; fewer than two are a `UserError`."""
    values = differences.dropna().to_numpy()
    if len(values) < FEWEST_SEEDS:
        few = in_common(len(values))
        raise UserError(f"{few}; `cifar100 record` records what is missing.")
    low, high = mean_interval(values)
    digits = digits_of(low, high)
    inside = interval_text(low, high, digits)
    return f"{pp(values.mean(), digits)} ({inside}, {len(values)} seeds alone)"
