"""Runs made up for tests of the exam: answers drawn at random, nothing trained."""

import numpy as np

from cifar100 import records
from cifar100.class_names import COARSE_OF_FINE
from cifar100.experiments import EXPERIMENTS, get
from cifar100.training.run import Run
from cifar100.training.scores import metrics, per_image
from tests.run_facts import FACTS, METRICS

# Name: what the logit of the true class is ahead on average. Both families, a parent
# and its child in each; the best of each kind keep their logits.
QUALITY = {
    "baseline_2_blocks": 2.2,
    "baseline": 2.5,
    "dropout_before": 2.7,
    "dropout_after": 2.8,
    "flip_crop_long": 3.0,
    "fast": 3.2,
    "fast_wide": 3.6,
    "frozen_32": 2.6,
    "finetuned_96": 3.9,
}
CLAIMS = [e for e in EXPERIMENTS.values() if e.kind == "confirmatory"]
OF_CLAIMS = dict.fromkeys(n for e in CLAIMS for n in (e.parent, e.name))
KIN = np.equal.outer(COARSE_OF_FINE, COARSE_OF_FINE)  # (100, 100)


def labels(count, seed=0):
    """Class ids, uint8 (N,)."""
    return np.random.default_rng(seed).integers(0, 100, count).astype(np.uint8)


def logits_for(fine, ahead, seed):
    """Logits, float32 (N, 100): the true class `ahead`, its relatives half of one, and
    images that are hard for every run."""
    hard = np.random.default_rng(99).normal(0, 1, (len(fine), 1))
    own = np.random.default_rng(seed).normal(0, 1, (len(fine), 100))
    shared = np.random.default_rng(98).normal(0, 1, (len(fine), 100))
    logits = own + shared + KIN[fine]
    logits[np.arange(len(fine)), fine] += ahead + hard[:, 0] - 1
    return logits.astype(np.float32)


def made_run(name, seed, val, test, **facts):
    """A run of profile `full` whose answers fit the labels `val` and `test`."""
    experiment = get(name)
    place = list(EXPERIMENTS).index(name)
    logits = {
        split: logits_for(fine, QUALITY.get(name, 2.0), 1000 * place + seed)
        for split, fine in (("val", val), ("test", test))
    }
    scored = {
        split: per_image(logits[split], fine)
        for split, fine in (("val", val), ("test", test))
    }
    found = metrics(scored["val"])
    size = {"parameters": 1000 * (place + 1), "macs": 10**5 * (place + 1)}
    return Run(
        experiment=experiment,
        seed=seed,
        profile="full",
        history=[{"epoch": 1, "val_top1": found["top1"], "train_loss": 4.6}],
        val=scored["val"],
        test=scored["test"],
        metrics=METRICS
        | {f"val_{key}": value for key, value in found.items()}
        | {"val_second_half_top1": found["top1"]},
        evaluations=dict.fromkeys(experiment.evaluations, found),
        facts=FACTS | {"fingerprint": FACTS["fingerprint"] | size} | facts,
        logits=logits if experiment.headline else {},
        mirrored={"val": logits["val"][::-1]} if experiment.headline else {},
    )


def record_all(val, test, names=QUALITY, seeds=3, claims=False):
    """Write runs of some experiments into the records of this home; with `claims`
    all runs of those that a claim is about besides."""
    counts = dict.fromkeys(names, seeds)
    if claims:
        counts |= dict.fromkeys(OF_CLAIMS, 5)
    for name, count in counts.items():
        for seed in range(count):
            seconds = {"train": 60.0 * (seed + 1), "evaluation": 1, "compilation": 1}
            run = made_run(name, seed, val, test, seconds=seconds)
            records.write(run, exclusive=get(name).timed)
