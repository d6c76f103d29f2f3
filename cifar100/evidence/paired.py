"""Paired effects: child minus parent over the seeds that both have.

Confirmatory contrasts were named before they were recorded and get a verdict word;
exploratory ones get an effect and an interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy import stats

from cifar100.evidence.moderation import moderate

Kind = Literal["confirmatory", "exploratory"]
Word = Literal["held", "reversed", "no effect worth 1 pp", "not decidable"]

ALPHA = 0.05
WORTH = 0.01  # the smallest difference in accuracy that the course cares about
FEWEST_SEEDS = 2  # one difference has no spread
EQUIVALENCE = 1 - 2 * ALPHA  # level of the interval of two one-sided tests


@dataclass(frozen=True)
class Contrast:
    """A question: what does `child` change against `parent`?

    `supports` is the sign (+1 or -1) of an effect that would support `claim`; `seeds`
    is the number of pairs fixed beforehand: no word is given before it is reached.
    """

    child: str
    parent: str
    kind: Kind = "exploratory"
    supports: int = 1
    claim: str = ""
    seeds: int = FEWEST_SEEDS


@dataclass(frozen=True, kw_only=True)
class PairedEffect:
    """Mean of child minus parent, a fraction, over `n` paired seeds.

    `low` and `high` bound the 95 % t interval from these pairs alone, `moderated_low`
    and `moderated_high` the one with moderated variance, from `standard_error` and
    `degrees` of freedom: its own and the `prior_degrees` that the other contrasts lend,
    at most those of all contrasts together, as in limma's `eBayes`. `p` is
    two-sided and moderated too. `p_adjusted` (Holm) and `word` are None for exploratory
    contrasts, and for confirmatory ones with fewer than `seeds` pairs.
    """

    child: str
    parent: str
    kind: Kind
    supports: int
    claim: str
    seeds: int
    n: int
    mean: float
    low: float
    high: float
    moderated_low: float
    moderated_high: float
    standard_error: float
    degrees: float
    prior_degrees: float
    p: float
    p_adjusted: float | None = None
    word: Word | None = None

    def interval(self, level: float) -> tuple[float, float]:
        """The moderated interval that covers with probability `level`."""
        half = float(stats.t.ppf((1 + level) / 2, self.degrees)) * self.standard_error
        return self.mean - half, self.mean + half

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values; infinite degrees of freedom become None."""
        return {k: None if v == np.inf else v for k, v in asdict(self).items()}


def mean_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The t interval of a mean of values (n,); nan for fewer than two."""
    if len(values) < 2:
        return np.nan, np.nan
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * stats.sem(values)
    return float(values.mean() - half), float(values.mean() + half)


def in_common(n: int) -> str:
    """That `n` seeds are too few for an interval, the end of a message."""
    return (
        f"{n} recorded seed{'' if n == 1 else 's'} in common, an interval needs "
        f"{FEWEST_SEEDS}"
    )


def paired_differences(
    child: Mapping[int, float], parent: Mapping[int, float]
) -> np.ndarray:
    """Child minus parent, (n,) float64, over the seeds that both have, by seed."""
    common = sorted(child.keys() & parent.keys())
    return np.array([child[seed] - parent[seed] for seed in common], float)


def effects(
    values: Mapping[str, Mapping[int, float]], contrasts: Sequence[Contrast]
) -> list[PairedEffect]:
    """The effect of each contrast with at least two common seeds.

    `values` holds accuracies in [0, 1] by experiment and seed; what is done with them
    is in `effects_of`.
    """
    return effects_of(
        (c, paired_differences(values.get(c.child, {}), values.get(c.parent, {})))
        for c in contrasts
    )


def effects_of(pairs: Iterable[tuple[Contrast, np.ndarray]]) -> list[PairedEffect]:
    """Effects from the paired differences (n,) of each contrast; n < 2 is left out.

    Variances are moderated over all contrasts together. Holm's correction counts
    *every* confirmatory contrast, those with too few seeds as p = 1: so recording more
    of them never makes the adjusted p of another worse through the correction.

    Raises `ValueError` for a difference that is not a finite number.
    """
    pairs = list(pairs)
    family = sum(contrast.kind == "confirmatory" for contrast, _ in pairs)
    ready = [(c, d) for c, d in pairs if len(d) >= FEWEST_SEEDS]
    if not ready:
        return []
    asked, differences = zip(*ready, strict=True)
    found = [
        PairedEffect(**vars(contrast), **numbers)
        for contrast, numbers in zip(asked, _numbers(differences), strict=True)
    ]
    return _judged(found, family)


def with_errors(
    found: Sequence[PairedEffect], errors: Sequence[float], family: int
) -> list[PairedEffect]:
    """Effects with a further, independent standard error each, judged by the same rule.

    The further error is taken as known, so the degrees of freedom grow with its share
    (Satterthwaite 1946). Moderated bounds, p and word are those of both errors
    together. `family` is the number of confirmatory contrasts that Holm's correction
    counts.
    """
    mean, own, degrees = (
        np.array([getattr(effect, field) for effect in found])
        for field in ("mean", "standard_error", "degrees")
    )
    both = np.hypot(own, errors)
    share = np.divide(own**2, both**2, out=np.ones_like(own), where=both > 0)
    known = np.full_like(degrees, np.inf)  # where all of the error is known
    degrees = np.divide(degrees, share**2, out=known, where=share > 0)
    rows = _rows(_tested(mean, both, degrees))
    wider = [
        replace(effect, **row, p_adjusted=None, word=None)
        for effect, row in zip(found, rows, strict=True)
    ]
    return _judged(wider, family)


def _numbers(differences: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    """The numeric fields of a `PairedEffect`, one dict per contrast."""
    n = np.array([len(d) for d in differences])
    mean = np.array([d.mean() for d in differences])
    own = np.array([d.var(ddof=1) for d in differences])
    posterior, _, prior_degrees = moderate(own, n - 1)
    degrees = np.minimum(n - 1 + prior_degrees, (n - 1).sum())
    error = np.sqrt(posterior / n)
    own_half = stats.t.ppf(1 - ALPHA / 2, n - 1) * np.sqrt(own / n)
    columns = {
        "n": n,
        "mean": mean,
        "low": mean - own_half,
        "high": mean + own_half,
        "prior_degrees": np.full(len(n), prior_degrees),
        **_tested(mean, error, degrees),
    }
    return _rows(columns)


def _tested(
    mean: np.ndarray, error: np.ndarray, degrees: np.ndarray
) -> dict[str, np.ndarray]:
    """The fields of a `PairedEffect` that follow from mean, error and degrees."""
    half = stats.t.ppf(1 - ALPHA / 2, degrees) * error
    # Without any spread there is nothing to judge a mean by: t = 0, p = 1.
    t = np.divide(np.abs(mean), error, out=np.zeros_like(mean), where=error > 0)
    return {
        "moderated_low": mean - half,
        "moderated_high": mean + half,
        "standard_error": error,
        "degrees": degrees,
        "p": 2 * stats.t.sf(t, degrees),
    }


def _rows(columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def holm(p: np.ndarray) -> np.ndarray:
    """Adjusted p of a family, (n,): whoever rejects those below a level errs in that
    share of families at most (Holm 1979, A simple sequentially rejective multiple test
    procedure).

    The same as statsmodels' `multipletests`, which collects the garbage of the whole
    process at every call: most of a comparison's time in a notebook.
    """
    order = np.argsort(p)
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(steps).clip(max=1)
    return adjusted


def _judged(found: list[PairedEffect], family: int) -> list[PairedEffect]:
    """Adjusted p and word for the finished ones of `family` contrasts."""
    done = [
        index
        for index, effect in enumerate(found)
        if effect.kind == "confirmatory" and effect.n >= effect.seeds
    ]
    if not done:
        return found
    p = np.ones(family)
    p[: len(done)] = [found[index].p for index in done]
    adjusted = holm(p).tolist()
    judged = list(found)
    for index, p_adjusted in zip(done, adjusted[: len(done)], strict=True):
        word = _word(found[index], p_adjusted)
        judged[index] = replace(found[index], p_adjusted=p_adjusted, word=word)
    return judged


def _word(effect: PairedEffect, p_adjusted: float) -> Word:
    """The first of the four that applies: a clear sign counts even when it is small."""
    if p_adjusted < ALPHA:
        return "held" if effect.mean * effect.supports > 0 else "reversed"
    low, high = effect.interval(EQUIVALENCE)
    if effect.standard_error > 0 and low > -WORTH and high < WORTH:
        return "no effect worth 1 pp"
    return "not decidable"
