"""How sure can one be: noise of seeds and of images, and what several runs buy."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.power import TTestPower

from cifar100.calibration import probabilities
from cifar100.evidence.moderation import moderate
from cifar100.evidence.paired import ALPHA, Contrast, paired_differences

Scored = dict[str, np.ndarray]  # what `scores.per_image` gives
FEWEST = 3  # seeds
LARGEST = 5.0  # effects, in standard deviations: three seeds find it, and any larger
MOST_SUBSETS = 20  # of the members of an ensemble, for each size


def binomial_error(top1: float, images: int) -> float:
    """Standard error of an accuracy that comes from so many independent images."""
    return float(np.sqrt(top1 * (1 - top1) / images))


def paired_image_error(
    child: Mapping[int, np.ndarray], parent: Mapping[int, np.ndarray]
) -> float:
    """Standard error that the choice of images leaves in a mean paired difference.

    Both map a seed to what was right, bool (N,), of the same images. The networks stay
    as they are, N other images are drawn; NaN without a common seed.
    """
    gains = _gains(child, parent)
    if not len(gains):
        return float("nan")
    by_image = gains.mean(axis=0)
    return float(by_image.std(ddof=1) / np.sqrt(len(by_image)))


def shared_image_error(
    child: Mapping[int, np.ndarray], parent: Mapping[int, np.ndarray]
) -> float:
    """The part of `paired_image_error` that is common to all seeds.

    What an image gains with a seed is a mean, and a part of the seed, of the image, and
    of the two together. The last shrinks with seeds and is in their standard error
    already; that of the image no number of seeds shrinks. Its variance is estimated by
    the method of moments for two crossed factors (Searle, Casella & McCulloch 1992,
    *Variance Components*, chapter 4), 0 where that is negative. NaN for fewer than
    two common seeds.
    """
    gains = _gains(child, parent)
    if len(gains) < 2:
        return float("nan")
    by_image, by_seed = gains.mean(axis=0), gains.mean(axis=1, keepdims=True)
    rest = gains - by_image - by_seed + gains.mean()
    seeds, images = gains.shape
    residual = (rest**2).sum() / ((seeds - 1) * (images - 1))
    variance = by_image.var(ddof=1) - residual / seeds
    return float(np.sqrt(max(variance, 0.0) / images))


def _gains(
    child: Mapping[int, np.ndarray], parent: Mapping[int, np.ndarray]
) -> np.ndarray:
    """What each image gains with each common seed, (seeds, images) float64."""
    common = sorted(child.keys() & parent.keys())
    return np.array([child[seed].astype(float) - parent[seed] for seed in common])


def spread(finals: pd.DataFrame, images: int = 10_000) -> pd.DataFrame:
    """Two kinds of noise in the `test_top1` of each experiment with two runs or more.

    `n`, `mean`, `seed_sd` (standard deviation over seeds), `range` (highest minus
    lowest) and `image_error` (`binomial_error` of the mean).
    """
    groups = finals.groupby("experiment", sort=False)["test_top1"]
    table = groups.agg(n="size", mean="mean", seed_sd="std", low="min", high="max")
    table["range"] = table.pop("high") - table.pop("low")
    table["image_error"] = [binomial_error(mean, images) for mean in table["mean"]]
    return table[table["n"] > 1]


def seeds_needed(effect: float, sd: float, power: float = 0.8) -> int:
    """Paired seeds after which a t test at 5 % finds `effect` with that power.

    `sd` is the standard deviation of a paired difference, in the unit of `effect`. At
    least `FEWEST`, the smallest number that the course plans with.
    """
    test, size = TTestPower(), effect / max(sd, effect / LARGEST)
    if test.power(size, FEWEST, ALPHA) >= power:
        return FEWEST
    n = test.solve_power(effect_size=size, power=power, alpha=ALPHA)
    return int(np.ceil(float(np.squeeze(n))))


def pair_spreads(finals: pd.DataFrame, contrasts: Iterable[Contrast]) -> pd.DataFrame:
    """How paired differences in `test_top1` spread: `n` and `sd`, the standard
    deviation, a row for each contrast with at least `FEWEST` seeds in common."""
    groups = finals.groupby("experiment")
    top1 = {
        name: dict(zip(g["seed"], g["test_top1"], strict=True)) for name, g in groups
    }
    both = [(top1.get(c.child, {}), top1.get(c.parent, {})) for c in contrasts]
    found = [d for pair in both if len(d := paired_differences(*pair)) >= FEWEST]
    return pd.DataFrame([(len(d), d.std(ddof=1)) for d in found], columns=["n", "sd"])


def expected_spreads(
    spreads: pd.DataFrame, tails: Sequence[float] = (0.9, 0.5, 0.1)
) -> list[float]:
    """True standard deviations that so large a share of pairs exceeds, by the prior
    that `moderate` fits to the observed ones (`pair_spreads`): a few seeds spread
    observed ones much wider. All are alike where the prior is a single value."""
    _, variance, degrees = moderate(spreads["sd"] ** 2, spreads["n"] - 1)
    if np.isinf(degrees):
        return [float(np.sqrt(variance))] * len(tails)
    quantiles = stats.chi2.ppf(tails, degrees)
    return np.sqrt(degrees * variance / quantiles).tolist()


def disagreement(members: Sequence[Scored]) -> float:
    """Share of images that two of the members call differently, mean over all pairs."""
    pairs = itertools.combinations([m["predictions"] for m in members], 2)
    return float(np.mean([(one != other).mean() for one, other in pairs]))


def vote(members: Sequence[Scored]) -> float:
    """Top-1 when each member has one vote for the class that it predicts.

    Of classes with equally many votes, the one with the higher sum of probabilities
    wins. No labels are needed: a member whose `rank` is 0 names the true class; where
    none does, no vote can be right.
    """
    images = np.arange(len(members[0]["predictions"]))
    votes = np.zeros((len(images), 100))
    truth = np.full(len(images), -1)
    for member in members:
        classes = member["predictions"].astype(int)
        sureness = member["probability"].astype(np.float64)
        votes[images, classes] += 1 + sureness / (len(members) + 1)
        truth = np.where(member["rank"] == 0, classes, truth)
    return float((votes.argmax(axis=1) == truth).mean())


def mean_probability(
    members: Sequence[Scored], labels: np.ndarray, views: Sequence[str] = ("logits",)
) -> float:
    """Top-1 of the mean of the members' probabilities; each has `views`, (N, 100)
    logits: "logits", of the image, and perhaps "mirrored", of its mirror image."""
    mean = np.mean([probabilities(m[v]) for m in members for v in views], axis=0)
    return float((mean.argmax(axis=1) == labels).mean())


def by_size(
    members: Sequence[Any], score: Callable[[Sequence[Any]], float]
) -> pd.DataFrame:
    """What an ensemble of k members scores: a row a size, from 1 to all.

    `k`, `top1` (mean over all subsets of that size, or over `MOST_SUBSETS` of them,
    drawn always alike) and `subsets`.
    """
    rows = []
    for k in range(1, len(members) + 1):
        chosen = [[members[i] for i in subset] for subset in _subsets(len(members), k)]
        top1 = float(np.mean([score(each) for each in chosen]))
        rows.append({"k": k, "top1": top1, "subsets": len(chosen)})
    return pd.DataFrame(rows)


def _subsets(count: int, k: int) -> list[tuple[int, ...]]:
    if math.comb(count, k) <= MOST_SUBSETS:
        return list(itertools.combinations(range(count), k))
    generator, found = np.random.default_rng(k), set()
    while len(found) < MOST_SUBSETS:
        found.add(tuple(sorted(generator.choice(count, k, replace=False).tolist())))
    return sorted(found)
