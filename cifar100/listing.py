"""What `cifar100 experiments` and `cifar100 status` show."""

from typing import Any

from cifar100.costs import macs_by_experiment, petaflop
from cifar100.experiments import EXPERIMENTS, Experiment, get
from cifar100.records import finals_table, list_records, missing


def experiment_rows() -> list[dict[str, Any]]:
    """One row an experiment: name, id, parent, the change, its place in the story."""
    return [
        {
            "experiment": e.name,
            "id": e.id,
            "row": e.row,
            "parent": e.parent,
            "change": change(e),
            "kind": e.kind,
            "seeds": e.seeds,
            "gpu": e.gpu,
            "claim": e.claim,
        }
        for e in EXPERIMENTS.values()
    ]


def change(experiment: Experiment) -> dict[str, Any]:
    """The settings in which an experiment differs from its parent: one, or none for a
    root."""
    parent = experiment.parent
    return {} if parent is None else differences(experiment, EXPERIMENTS[parent])


def differences(one: Experiment, other: Experiment) -> dict[str, Any]:
    """Settings, and arguments of the network, that `one` has and `other` has not."""
    mine, theirs = one.settings, other.settings
    found = {key: mine[key] for key in mine if mine[key] != theirs[key]}
    if (arguments := found.pop("arguments", None)) is not None:
        before = theirs["arguments"]
        found |= {k: v for k, v in arguments.items() if before.get(k) != v}
    return found


def pair_text(child: str, parent: str) -> str:
    """Which way a comparison subtracts, and in what the two differ."""
    keys = differences(get(child), get(parent)) | differences(get(parent), get(child))
    return f"{child} minus {parent}; they differ in {', '.join(sorted(keys))}"


def experiment_tree(rows: list[dict[str, Any]], *, indent: bool) -> list[str]:
    """A line an experiment, children under their parents when `indent`."""
    depth: dict[str, int] = {}
    lines = []
    for row in rows if not indent else _depth_first(rows):
        depth[row["experiment"]] = depth.get(row["parent"], -1) + 1
        margin = "  " * depth[row["experiment"]] if indent else ""
        settings = ", ".join(f"{k} = {v}" for k, v in row["change"].items())
        mark = "  [confirmatory]" if row["kind"] == "confirmatory" else ""
        mark += "  [GPU]" if row["gpu"] else ""
        lines.append(
            f"{row['row']:4}{margin}{row['experiment']}  {settings or 'root'}{mark}"
        )
    return lines


def _depth_first(rows: list[dict[str, Any]], parent: str | None = None) -> list:
    return [
        item
        for row in rows
        if row["parent"] == parent
        for item in (row, *_depth_first(rows, row["experiment"]))
    ]


def status_rows() -> list[dict[str, Any]]:
    """One row an experiment: seeds recorded and wanted, stale records, mean of
    `val_top1` (`None` without records), cost of a run and of what is missing in PF."""
    records, macs = list_records(current_only=False), macs_by_experiment()
    finals = finals_table([r for r in records if not r.stale])
    rows = []
    for e in EXPERIMENTS.values():
        mine = finals[finals["experiment"] == e.name] if len(finals) else finals
        cost, lacking = petaflop(e, macs[e.name]), missing(e)
        rows.append(
            {
                "experiment": e.name,
                "row": e.row,
                "gpu": e.gpu,
                "timed": e.timed,
                "recorded": len(mine),
                "wanted": e.seeds,
                "missing": lacking,
                "stale": sum(r.stale and r.experiment == e.name for r in records),
                "val_top1": float(mine["val_top1"].mean()) if len(mine) else None,
                "petaflop": cost,
                "petaflop_missing": cost * len(lacking),
            }
        )
    return rows


def status_table(rows: list[dict[str, Any]]) -> list[str]:
    """The rows as text, with a line for each story row and the sum of what is left.

    Runs that are a matter for a GPU are marked and do not count as missing. Those that
    want a machine of their own are marked `alone`.
    """
    lines = [
        f"{'':4}{'experiment':32}{'seeds':>7}{'stale':>7}{'val top-1':>11}{'PF':>8}"
    ]
    for row in rows:
        seeds = f"{row['recorded']}/{row['wanted']}"
        top1 = "" if row["val_top1"] is None else f"{row['val_top1']:.4f}"
        lines.append(
            f"{row['row']:4}{row['experiment']:32}{seeds:>7}{row['stale']:>7}"
            f"{top1:>11}{row['petaflop']:>8.3f}"
            f"{'  GPU' if row['gpu'] else '  alone' if row['timed'] else ''}"
        )
    wanted = [row for row in rows if not row["gpu"]]
    for name in dict.fromkeys(row["row"] for row in wanted):
        lacking = sum(len(row["missing"]) for row in wanted if row["row"] == name)
        lines.append(
            f"{name}: " + (f"{lacking} runs missing" if lacking else "complete")
        )
    left = sum(row["petaflop_missing"] for row in wanted)
    lines.append(f"left to record: {left:.3f} PF (10^15 floating-point operations)")
    return lines
