"""How often the evidence procedure is wrong, and how often it finds what is there.

    python benchmarks/evidence_simulation.py [--repeats 2500] [--output FILE]

Every repeat draws a whole ladder of confirmatory contrasts, runs `evidence.effects` on
it as for real records, and looks at the words. Family-wise error: at least one *held*
or *reversed* although nothing differs. Power: the share of true effects that are
*held*. The true standard deviation of a paired difference is 1.1 pp throughout, or
spread evenly over 0.6 to 1.6 pp, or drawn from the distribution that
`evidence.moderate` fits to the pairs that are recorded. The first such simulation,
before any record, took 0.5 pp.
"""

import argparse
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from scipy import stats

from cifar100.evidence import Contrast, effects, moderate, recorded_effects
from cifar100.files import write_json
from cifar100.training import environment

RESULT = Path(__file__).parent / "results" / "evidence_simulation.json"
CONTRASTS, SEEDS = 20, 5
EFFECTS = (0.0, 0.01, 0.02)
Spread = Callable[[np.random.Generator, int], np.ndarray]  # true sd of so many pairs


def uniform(low: float, high: float) -> Spread:
    """True standard deviations, evenly from `low` to `high`."""
    return lambda rng, count: rng.uniform(low, high, count)


def fitted(sd: float, degrees: float) -> Spread:
    """True standard deviations of the prior that `moderate` fits: `sd`² times `degrees`
    over a chi-square with so many degrees of freedom (Smyth 2004, section 3). All are
    alike where `degrees` are infinite."""
    if np.isinf(degrees):
        return uniform(sd, sd)
    return lambda rng, count: sd * np.sqrt(degrees / rng.chisquare(degrees, count))


def recorded_spread() -> dict[str, float]:
    """The prior of the ladder's recorded pairs: how many `pairs`, `sd`, `degrees`."""
    found = recorded_effects()
    n = np.array([effect.n for effect in found])
    half = np.array([(effect.high - effect.low) / 2 for effect in found])
    own = half / stats.t.ppf(0.975, n - 1) * np.sqrt(n)
    _, variance, degrees = moderate(own**2, n - 1)
    return {"pairs": len(found), "sd": float(np.sqrt(variance)), "degrees": degrees}


def draw_ladder(
    rng: np.random.Generator,
    spread: Spread,
    effect: float,
    *,
    true: int = 1,
    shared_parent: bool = False,
    exploratory: int = 0,
) -> tuple[dict[str, dict[int, float]], list[Contrast]]:
    """One ladder: accuracies by experiment and seed, and the contrasts among them.

    The first `true` contrasts have the `effect`, all others none. With `shared_parent`
    all children are compared with one parent, so that half of the variance is common
    to every contrast. `exploratory` contrasts of three seeds come on top.
    """
    count = CONTRASTS + exploratory
    # A difference has the variance of child and parent together.
    sd = spread(rng, count) / np.sqrt(2)
    parents = 0.5 + sd[:, None] * rng.standard_normal((count, SEEDS))
    if shared_parent:
        parents[:] = parents[0]
    children = 0.5 + sd[:, None] * rng.standard_normal((count, SEEDS))
    children[:true] += effect
    values, contrasts = {}, []
    for index in range(count):
        confirmatory = index < CONTRASTS
        seeds = SEEDS if confirmatory else 3
        values[f"child-{index}"] = dict(enumerate(children[index, :seeds].tolist()))
        values[f"parent-{index}"] = dict(enumerate(parents[index].tolist()))
        kind = "confirmatory" if confirmatory else "exploratory"
        contrasts.append(Contrast(f"child-{index}", f"parent-{index}", kind))
    return values, contrasts


@contextmanager
def quick_collection() -> Iterator[None]:
    """statsmodels collects garbage in every correction: leave it nothing to look at."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def simulate(
    repeats: int,
    spread: Spread,
    effect: float,
    *,
    seed: int = 0,
    true: int = 1,
    **ladder,
) -> dict:
    """Rates over `repeats` ladders.

    `rate`, with its Monte Carlo `standard_error`, is the family-wise error when
    `effect` is 0, else the power for it. `words` are the shares of the words that the
    first contrast got, `own_coverage` and `moderated_coverage` of its 95 % intervals.
    """
    rng = np.random.default_rng(seed)
    scores, words, own, moderated = [], Counter(), 0, 0
    with quick_collection():
        for _ in range(repeats):
            found = effects(*draw_ladder(rng, spread, effect, true=true, **ladder))
            given = [one.word for one in found]
            error = "held" in given or "reversed" in given
            scores.append(given[:true].count("held") / true if effect else error)
            first = found[0]
            words[first.word] += 1
            own += first.low <= effect <= first.high
            moderated += first.moderated_low <= effect <= first.moderated_high
    return {
        "rate": float(np.mean(scores)),
        "standard_error": float(np.std(scores) / np.sqrt(repeats)),
        "own_coverage": own / repeats,
        "moderated_coverage": moderated / repeats,
        "words": {word: count / repeats for word, count in sorted(words.items())},
    }


def _report(name: str, effect: float, result: dict) -> None:
    what = f"power for {100 * effect:.0f} pp" if effect else "family-wise error"
    percent = {k: 100 * v for k, v in result.items() if k != "words"}
    rate = f"{percent['rate']:5.1f} ± {percent['standard_error']:.1f} %"
    covered = f"{percent['moderated_coverage']:.1f} %"
    own = f"{percent['own_coverage']:.1f} %"
    print(
        f"{name:36} {what:18} {rate}   intervals cover {covered}, own {own}", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2_500)
    parser.add_argument("--output", type=Path, default=RESULT)
    arguments = parser.parse_args()
    ladders = {
        "": {},
        ", all true": {"true": CONTRASTS},
        ", one parent": {"shared_parent": True},
        ", 60 exploratory": {"exploratory": 60},
    }
    rows, start, recorded = [], time.perf_counter(), recorded_spread()
    spreads = {
        "sd 1.1 pp": uniform(0.011, 0.011),
        "sd 0.6 to 1.6 pp": uniform(0.006, 0.016),
        "sd as recorded": fitted(recorded["sd"], recorded["degrees"]),
    }
    for spread_name, spread in spreads.items():
        for ladder_name, ladder in ladders.items():
            for effect in EFFECTS[1:] if "true" in ladder else EFFECTS:
                result = simulate(arguments.repeats, spread, effect, **ladder)
                name = f"{spread_name}{ladder_name}"
                _report(name, effect, result)
                rows.append({"ladder": name, "effect": effect, **result})
    seconds = time.perf_counter() - start
    print(f"{arguments.repeats} repeats each, {seconds:.0f} s")
    write_json(
        arguments.output,
        {
            **environment.stamp(),
            "repeats": arguments.repeats,
            "recorded": recorded,
            "seconds": round(seconds, 1),
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
