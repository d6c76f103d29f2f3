"""`cifar100 compare --json`, held against scipy and a computation of its own."""

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import optimize, special, stats

from cifar100 import paths
from cifar100.experiments import EXPERIMENTS, FAMILIES

PAIRS = [
    ("dropout_after", "dropout_before"),
    ("baseline_deeper_smaller", "baseline"),
    ("dropout_spatial", "dropout_after"),
]


def runs(name):
    """The JSON of each run by seed, straight from the files; stale ones left out."""
    paths_ = paths.records().glob(f"{name}/seed-*.json")
    found = [json.loads(path.read_text()) for path in paths_]
    return {c["seed"]: c for c in found if c["id"] == EXPERIMENTS[name].id}


def pair(child, parent):
    """Aligned accuracies (2, n) over the seeds in common; empty if not comparable.

    Where one of the two stopped early, those on the half of val that it did not watch.
    """
    one, other = runs(child), runs(parent)
    seeds = sorted(one.keys() & other.keys())
    both = [content[seed] for content in (one, other) for seed in seeds]
    if len({(c["device"]["kind"], c["precision"]) for c in both}) != 1:
        return np.empty((2, 0))
    alike = len({c["val_scored"] for c in both}) == 1
    metric = "val_top1" if alike else "val_second_half_top1"
    return np.array([c["metrics"][metric] for c in both]).reshape(2, -1)


@pytest.fixture(scope="module")
def compared():
    """What the command prints for each pair, as JSON."""
    found = {}
    for child, parent in PAIRS:
        if len(pair(child, parent)[0]) < 3:
            pytest.skip("too little is recorded")
        command = [sys.executable, "-m", "cifar100", "compare", child, parent, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[child, parent] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("names", PAIRS, ids=" against ".join)
def test_own_interval_is_scipys_paired_t_interval_of_the_same_records(compared, names):
    effect, (child, parent) = compared[names], pair(*names)
    reference = stats.ttest_rel(child, parent)
    low, high = reference.confidence_interval(0.95)
    assert effect["mean"] == pytest.approx((child - parent).mean(), abs=1e-9)
    assert (effect["low"], effect["high"]) == pytest.approx((low, high), abs=1e-9)
    assert effect["n"] == len(child)


@pytest.mark.parametrize("names", PAIRS, ids=" against ".join)
def test_moderated_interval_is_that_of_an_independent_computation(compared, names):
    """Smyth 2004, section 6.2, with the prior found by bracketing, over every contrast
    of the ladder whose records may be compared."""
    variances, degrees = [], []
    for e in FAMILIES["ladder"]:
        if e.parent is None or len(pair(e.name, e.parent)[0]) < 2:
            continue
        child, parent = pair(e.name, e.parent)
        if variance := np.var(child - parent, ddof=1):
            variances.append(variance)
            degrees.append(len(child) - 1)
    s2, d = np.array(variances), np.array(degrees)
    logs = np.log(s2) - special.digamma(d / 2) + np.log(d / 2)
    excess = logs.var(ddof=1) - special.polygamma(1, d / 2).mean()
    if excess > 0:
        solve = optimize.brentq
        half = solve(lambda y: special.polygamma(1, y) - excess, 1e-6, 1e9, xtol=1e-13)
        extra = 2 * half
        prior = np.exp(logs.mean() + special.digamma(half) - np.log(half))
    else:
        extra, prior = np.inf, np.exp(logs.mean())

    child, parent = pair(*names)
    difference, n = child - parent, len(child)
    own = difference.var(ddof=1)
    total = n - 1 + extra
    variance = prior
    if np.isfinite(extra):
        variance = (extra * prior + (n - 1) * own) / total
    scale = np.sqrt(variance / n)
    spread = stats.t(total) if np.isfinite(total) else stats.norm()
    reach = spread.ppf(0.975) * scale
    effect = compared[names]
    expected = difference.mean() - reach, difference.mean() + reach
    found = effect["moderated_low"], effect["moderated_high"]
    assert found == pytest.approx(expected, abs=1e-9)
    p = 2 * spread.sf(abs(difference.mean()) / scale)
    assert effect["p"] == pytest.approx(p, rel=1e-6)
