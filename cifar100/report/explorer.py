"""The experiment explorer: recorded runs as curves that can be laid over each other.

What the page shows comes from the JSON of the records alone: training and validation,
never the sealed test predictions.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from cifar100.costs import petaflop
from cifar100.evidence import (
    PairedEffect,
    interval_text,
    mean_interval,
    pp,
    recorded_effects,
)
from cifar100.evidence.wording import digits_of
from cifar100.experiments import EXPERIMENTS, FAMILIES, STORY, Experiment
from cifar100.listing import change
from cifar100.record_file import FIGURES
from cifar100.records import Record
from cifar100.report.assets import assets

PAGE = "explorer.html"
SCRIPTS = ("view", "axes", "chart", "parts")  # in the order in which they are needed
ASSETS = ("explorer.css", *(f"explorer-{name}.js" for name in SCRIPTS), "explorer.js")
OPENING = 4  # curves at most on a page that nobody has chosen for yet

Runs = Mapping[str, Sequence[Record]]  # by experiment, in the order of the ladder


def explorer_page(
    found: Iterable[Record], environment: jinja2.Environment, site: Mapping[str, Any]
) -> str:
    """The HTML of the page; `found` are all current records, `site` is what all
    templates get."""
    runs = by_experiment(found)
    pages = {summary.number: summary.address for summary in site["summaries"]}
    return environment.get_template("explorer.html.j2").render(
        **{**site, "assets": assets(*ASSETS)},
        data=_embedded(explorer_data(runs)),
        rows=table_rows(runs, pages),
        experiments=len(EXPERIMENTS),
    )


def by_experiment(found: Iterable[Record]) -> dict[str, list[Record]]:
    """Records by the name of their experiment, both in the given order."""
    runs: dict[str, list[Record]] = {}
    for record in found:
        runs.setdefault(record.experiment, []).append(record)
    return runs


def explorer_data(runs: Runs) -> dict[str, Any]:
    """What the page's script works with, as JSON values: every recorded experiment with
    its curves, the groups to choose from, and what is chosen at first."""
    return {
        "experiments": {name: _curves(EXPERIMENTS[name], runs[name]) for name in runs},
        "groups": {"step": _steps(runs), "family": _families(runs)},
        "start": opening(runs),
    }


def opening(runs: Runs) -> list[str]:
    """The best of the ladder after the experiments that led to it, parents first.

    Without a record of the ladder, the best of all.
    """
    ladder = [name for name in runs if EXPERIMENTS[name] in FAMILIES["ladder"]]
    top1 = {name: _finals(runs[name])["val_top1"][0] for name in ladder or runs}
    if not top1:
        return []
    best = max(top1, key=top1.__getitem__)
    return [*_recorded_ancestors(best, runs), best][-OPENING:]


def mean_and_interval(
    values: Sequence[float],
) -> tuple[float, float | None, float | None]:
    """Mean over seeds with the bounds of its 95 % t interval; None for a single one."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, None, None
    return mean, *mean_interval(np.array(values))


def table_rows(runs: Runs, pages: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row an experiment: what it is and where it ended, in words.

    `pages` are the addresses of the notebooks in the report by their number.
    """
    found = [record for records in runs.values() for record in records]
    effects = {e.child: e for f in FAMILIES for e in recorded_effects(f, found)}
    steps = {step.row: step for step in STORY}
    rows = []
    for name, records in runs.items():
        experiment, content = EXPERIMENTS[name], records[0].data
        mean, low, high = _finals(records)["val_top1"]
        timed = _timed(records)
        rows.append(
            {
                "name": name,
                "row": experiment.row,
                "page": pages.get(steps[experiment.row].notebook),
                "claim": experiment.claim,
                "parent": experiment.parent,
                "changes": list(_changes(experiment)),
                "n": len(records),
                "planned": experiment.seeds,
                "val_top1": f"{mean:.1%}".replace("%", " %"),
                "interval": None if low is None else _percent_range(low, high),
                "part": content["val_scored"] != "all",
                "parameters": f"{content['fingerprint']['parameters']:,}",
                "macs": f"{content['fingerprint']['macs'] / 1e6:.3g} M",
                "seconds": _rounded(
                    np.median([r.data["seconds"]["train"] for r in timed])
                ),
                "shared": not timed[0].data["exclusive"],
                "device": " and ".join(
                    sorted({r.data["device"]["kind"].upper() for r in timed})
                ),
                "effect": _effect(effects.get(name)),
            }
        )
    return rows


def _embedded(value: object) -> Markup:
    """JSON that may stand in a script element: nothing in it can end the element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 (nothing can close it)


def _curves(experiment: Experiment, records: Sequence[Record]) -> dict[str, Any]:
    """Curves of one experiment: per run, and what all of its runs share.

    `petaflop` is the training compute after each epoch, `seconds` the seconds of
    training until then; evaluation is not counted in either.
    """
    macs = records[0].data["fingerprint"]["macs"]
    longest = max(len(record.data["epochs"]) for record in records)
    done = [(k + 1) / experiment.epochs for k in range(longest)]
    words = [experiment.name, experiment.row, experiment.claim]
    words += [f"{c['setting']} {c['after']}" for c in _changes(experiment)]
    return {
        "row": experiment.row,
        "search": " ".join([*words, *_titles(experiment.row)]).lower(),
        "petaflop": [_short(petaflop(experiment, macs, done=share)) for share in done],
        "shared": not _timed(records)[0].data["exclusive"],
        "final": {
            quantity: [None if value is None else _short(value) for value in found]
            for quantity, found in _finals(records).items()
        },
        "runs": [_run(record) for record in records],
    }


def _run(record: Record) -> dict[str, Any]:
    """One run's curves, and its figures after training in inference mode."""
    epochs = record.data["epochs"]
    seconds = np.cumsum([epoch["seconds"] for epoch in epochs])
    return {
        "seed": record.seed,
        "exclusive": record.data["exclusive"],
        "seconds": [_short(value) for value in seconds],
        **{key: [_short(epoch[key]) for epoch in epochs] for key in FIGURES},
        "final": {key: _short(record.data["metrics"][key]) for key in FIGURES},
    }


def _finals(records: Sequence[Record]) -> dict[str, tuple]:
    return {
        key: mean_and_interval([record.data["metrics"][key] for record in records])
        for key in FIGURES
    }


def _timed(records: Sequence[Record]) -> list[Record]:
    """The runs whose seconds count: those that had their machine to themselves, or all
    where none had."""
    return [record for record in records if record.data["exclusive"]] or [*records]


def _steps(runs: Runs) -> list[dict[str, Any]]:
    """Experiments by the student's steps."""
    groups = []
    for step in STORY:
        members = [[name, 0] for name in runs if EXPERIMENTS[name].row == step.row]
        if members:
            groups.append({"title": f"{step.row} · {step.title}", "members": members})
    return groups


def _families(runs: Runs) -> list[dict[str, Any]]:
    """Experiments under those that they descend from, as deep as there are records."""
    depth = {name: len(_recorded_ancestors(name, runs)) for name in runs}
    return [
        {
            "title": f"{root} · {family}",
            "members": [[name, depth[name]] for name in _descent(root, runs)],
        }
        for family, members in FAMILIES.items()
        for root in (e.name for e in members if e.name in runs)
        if depth[root] == 0
    ]


def _descent(name: str, runs: Runs) -> Iterator[str]:
    """`name` and its recorded descendants, depth first."""
    yield name
    for other in runs:
        if _recorded_ancestors(other, runs)[-1:] == [name]:
            yield from _descent(other, runs)


def _recorded_ancestors(name: str, runs: Runs) -> list[str]:
    """The recorded experiments that `name` descends from, parents first."""
    found, parent = [], EXPERIMENTS[name].parent
    while parent is not None:
        found, parent = [parent, *found], EXPERIMENTS[parent].parent
    return [other for other in found if other in runs]


def _titles(row: str) -> list[str]:
    return [f"{step.title} {step.question}" for step in STORY if step.row == row]


def _changes(experiment: Experiment) -> Iterator[dict[str, str | None]]:
    """The settings in which an experiment differs from its parent, in words.

    `before` is None where the parent leaves it to its network's own default.
    """
    if experiment.parent is None:
        return
    parent = EXPERIMENTS[experiment.parent].settings
    known = parent | parent["arguments"]
    for setting, value in change(experiment).items():
        before = _words(known[setting]) if setting in known else None
        yield {"setting": setting, "before": before, "after": _words(value)}


def _words(value: Any) -> str:
    """A setting's value as a person would write it."""
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        inner = [_words(item).replace(", ", " to ") for item in value]
        return ", ".join(inner)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _effect(effect: PairedEffect | None) -> dict[str, Any] | None:
    """A paired effect in words; the interval is the moderated one, as in verdicts."""
    if effect is None:
        return None
    is_open = effect.kind == "confirmatory" and effect.word is None
    low, high = effect.moderated_low, effect.moderated_high
    digits = digits_of(low, high)
    return {
        "mean": pp(effect.mean, digits),
        "interval": interval_text(low, high, digits),
        "n": effect.n,
        "word": effect.word or ("open" if is_open else "exploratory"),
    }


def _percent_range(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def _rounded(seconds: float) -> str:
    return f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.2g}"


def _short(value: float) -> float:
    """A figure with as many digits as a curve needs; accuracies on 5,000 images, which
    have four, stay exact."""
    return float(f"{value:.4g}")
