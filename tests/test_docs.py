"""Figures in docs/ are those of the stored measurements."""

import json
import statistics

from cifar100 import paths

ROOT = paths.package_root()


def block(name, page="engines"):
    """What a page of docs/ has between two marks, in one line."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    inside = text.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
    return " ".join(inside.split())


def results(name):
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


def test_the_number_of_programs_is_the_measured_one():
    found = results("compilation")
    kinds = {name: each["distinct"] for name, each in found["by_program"].items()}
    assert sum(kinds.values()) == found["distinct"]
    assert block("programs") == (
        f"The {found['experiments']} experiments that the ladder had on "
        f"{found['written'][:10]} take {found['programs']} programs, "
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


def test_the_speeds_in_half_precision_are_the_measured_ones():
    found = results("precision")
    processor = found["processor"]
    head = "| images a second | side, px | float32 | bfloat16 | times as fast |"
    lines = [head, "|---|---|---|---|---|"]
    for row in found["speeds"]:
        single, half = (
            row["images_per_second"][p] for p in ("float32", "mixed_bfloat16")
        )
        lines.append(
            f"| `{row['experiment']}` | {row['side']} | {single['median']:.0f} | "
            f"{half['median']:.0f} | {half['ratio to float32']:.2f} |"
        )
    where = f"On: {processor['name']}, {processor['instructions']}."
    assert block("precision") == " ".join([*lines, where])


def in_a_table(head, rows):
    """Cells as a Markdown table, in one line."""
    first, *others = [f"| {' | '.join(line)} |" for line in [head, *rows]]
    return " ".join([first, f"|{'---|' * len(head)}", *others])


def test_the_efficiency_of_two_workers_is_the_measured_one():
    found = results("side_by_side").get("efficiency_of_two_workers")
    text = "Not measured yet."
    if found:
        text = (
            "**Measured** on two cores: two runs side by side, a thread each, against "
            "the same two one after the other with a thread. Two workers reach "
            f"{found['simple_cnn']:.0%} of twice the speed for the simple CNN and "
            f"{found['resnet20']:.0%} for ResNet-20."
        ).replace("%", " %")
    assert block("workers", "scaling") == text


def test_the_simulated_hours_are_those_of_the_simulation():
    found, rows = results("cluster_simulation"), {}
    head = ["runs", "times", "1 worker", "64, at least"]
    for row in found["rows"]:
        cells = rows.setdefault((row["courses"], row["times"]), [])
        if row["workers"] == 1 and not cells:
            cells += [str(row["courses"] * found["runs"]), row["times"]]
            cells += [f"{row['makespan_hours']:.2f}"]
        if row["workers"] == 64 and len(cells) == 3:
            cells += [f"{row['bound_hours']:.2f}"]
        if row["workers"] == 64:
            cells += [f"{row['makespan_hours']:.2f}"]
            head += [row["order"]] if row["order"] not in head else []
    rows = [rows[key] for key in sorted(rows)]
    assert block("simulated", "scaling") == in_a_table(head, rows)


def test_the_simulated_troubles_are_those_of_the_simulation():
    found = results("cluster_simulation")["disturbed"]["8"]
    rows = [
        [
            name,
            f"{each['mean_makespan_hours']:.2f}",
            f"{each['makespan_hours_of_20th']:.2f}",
        ]
        for name, each in found.items()
    ]
    head = ["64 workers", "hours, mean", "one in twenty takes more than"]
    assert block("troubles", "scaling") == in_a_table(head, rows)


def test_the_memory_of_a_large_data_set_is_the_measured_one():
    found = results("large_data")
    own, mapped = (found["peak_gib"][k] for k in ("own", "with mapped pages"))
    assert own < mapped < 2
    assert found["pictures_gib"] > 1.2
    assert block("large", "scaling") == (
        f"**Measured**: CIFAR-100's training set {found['copies']} times over, "
        f"{found['pictures_gib']:.2f} GiB of pictures in one file. An epoch of "
        f"`{found['experiment']}`, shuffled, and all that is scored after it took at "
        f"most {own:.2f} GiB of memory; with the mapped pages of the file, "
        f"{mapped:.2f} GiB. The system takes those back when it wants to."
    )
