"""Figures in docs/ are those of the stored measurements."""

import json
import statistics

from cifar100 import paths

ROOT = paths.package_root()


def block(name):
    """What docs/engines.md has between two marks, in one line."""
    text = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    inside = text.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
    return " ".join(inside.split())


def results(name):
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


def test_the_number_of_programs_is_the_measured_one():
    found = results("compilation")
    kinds = {name: each["distinct"] for name, each in found["by_program"].items()}
    assert sum(kinds.values()) == found["distinct"]
    assert block("programs") == (
        f"The {found['experiments']} experiments of the ladder take "
        f"{found['programs']} programs, "
        f"of which {found['distinct']} are distinct: {kinds['step']} training steps, "
        f"{kinds['inference']} evaluations, {kinds['dropout']} evaluations with "
        f"dropout on and {kinds['statistics']} estimates of batch-norm statistics. "
        f"To trace and compile them took {found['one_process_seconds']:.0f} s in one "
        f"process and {found['side_by_side_seconds']:.0f} s in {found['workers']} "
        "side by side."
    )


def test_the_difference_between_the_engines_is_the_measured_one():
    found = results("engine_spread")
    top1 = {e: statistics.mean(v["val_top1"]) for e, v in found["engines"].items()}
    apart = abs(top1["jax"] - top1["tensorflow"])
    spread = max(statistics.stdev(v["val_top1"]) for v in found["engines"].values())
    assert apart <= spread, "the engines differ by more than seeds do"
    assert block("spread") == (
        "A ResNet-20 of half the width, five epochs, three seeds on each engine: val "
        f"top-1 {top1['tensorflow']:.1%} on TensorFlow and {top1['jax']:.1%} on JAX, "
        f"{100 * apart:.1f} pp apart; the standard deviation over seeds is "
        f"{100 * spread:.1f} pp."
    ).replace("%", " %")


def test_the_speeds_are_the_measured_ones():
    found = results("engines")["images_per_second"].values()
    names = {
        "JAX engine": "jax engine",
        "Keras' `fit` on JAX": "jax fit",
        "JAX, three seeds by `vmap`": "jax, 3 by vmap",
        "JAX, three seeds side by side": "jax, 3 side by side",
        "TensorFlow engine": "tensorflow engine",
    }
    rows = [
        f"| {name} | "
        + " | ".join(f"{each[key]['median']:.0f}" for each in found)
        + " |"
        for name, key in names.items()
    ]
    head = "| training images a second | simple CNN | ResNet-20 | |---|---|---|"
    assert block("speed") == " ".join([head, *rows])
