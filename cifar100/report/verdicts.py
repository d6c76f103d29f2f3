"""What became of each claim, ready for templates: table, groups by word, journey."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cifar100.evidence import ENGLISH, KOREAN, Language, in_words, kind_of
from cifar100.experiments import STORY, Step
from cifar100.experiments.story import TARGET_OWN_NETWORK, TARGET_TRANSFER

LANGUAGES = (ENGLISH, KOREAN)
# Classes of the style sheet by verdict word, in the order in which they are listed.
MARKS = {
    "held": "held",
    "reversed": "reversed",
    "no effect worth 1 pp": "none",
    "not decidable": "undecided",
    "open": "open",
    "exploratory": "exploratory",
    "missing": "missing",
}
TARGETS = (TARGET_OWN_NETWORK, TARGET_TRANSFER)
SORTED_BY_NUMBER = {
    "ours": "top1",
    "difference": "effect",
    "anew": "anew",
    "p": "p_adjusted",
    "seeds": "n",
}


@dataclass(frozen=True)
class Line:
    """One row of `findings`: `said` are its words by column, `values` what columns sort
    by, `kind` its verdict word in English, or why it has none."""

    found: Mapping[str, Any]
    said: Mapping[str, str]
    kind: str

    @property
    def mark(self) -> str:
        return MARKS[self.kind]

    @property
    def turns(self) -> bool:
        """Whether a clear difference has another sign, or is not clear, once batch
        norm's statistics are estimated anew."""
        effect, anew = self.found["effect"], self.found["anew"]
        if math.isnan(effect) or math.isnan(anew):
            return False
        clear = self.found["low"] * self.found["high"] > 0
        stays = self.found["anew_low"] * self.found["anew_high"] > 0
        return clear and not (stays and effect * anew > 0)

    @property
    def values(self) -> dict[str, str]:
        numbers = {key: self.found[column] for key, column in SORTED_BY_NUMBER.items()}
        return {
            key: "" if number is None or math.isnan(number) else f"{number:.6f}"
            for key, number in numbers.items()
        }


def lines(table: pd.DataFrame, language: Language) -> list[Line]:
    """All rows of `findings` in a language."""
    said = in_words(table, language).to_dict("records")
    rows = table.to_dict("records")
    return [Line(r, s, kind_of(r)) for r, s in zip(rows, said, strict=True)]


def by_kind(found: Sequence[Line]) -> dict[str, list[Line]]:
    """The lines under each word that occurs, in the order of `MARKS`."""
    groups = {kind: [line for line in found if line.kind == kind] for kind in MARKS}
    return {kind: members for kind, members in groups.items() if members}


def by_notebook(found: Sequence[Line]) -> dict[str, list[tuple[str, str, int]]]:
    """For each notebook its claims' words as (class, word, how many)."""
    notebooks: dict[str, list[Line]] = {}
    for line in found:
        if line.found["kind"] == "confirmatory":
            notebooks.setdefault(line.found["notebook"], []).append(line)
    return {
        number: [
            (MARKS[k], m[0].said["verdict"], len(m)) for k, m in by_kind(own).items()
        ]
        for number, own in notebooks.items()
    }


class Scale:
    """Accuracies as percentages of a track's width, between two round tenths."""

    def __init__(self, accuracies: Sequence[float]):
        self.low = math.floor(10 * min(accuracies) - 0.2) / 10
        self.high = math.ceil(10 * max(accuracies) + 0.2) / 10

    def at(self, accuracy: float) -> str:
        share = (accuracy - self.low) / (self.high - self.low)
        return f"{100 * share:.2f}%"

    def ticks(self) -> list[tuple[str, str]]:
        """Position and text of each tenth."""
        count = round(10 * (self.high - self.low))
        values = [self.low + place / 10 for place in range(count + 1)]
        return [(self.at(value), f"{value:.1f}") for value in values]


def journey(found: Sequence[Line]) -> dict[str, Any]:
    """The figure of the front page: the student's steps, each with our lines."""
    figures = [accuracy for step in STORY for pair in step.figures for accuracy in pair]
    columns = ("before", "top1", "top1_low", "top1_high")
    ours = [line.found[c] for line in found for c in columns]
    known = [a for a in ours if not math.isnan(a)]
    scale = Scale([*figures, *known, *TARGETS])
    return {
        "ticks": scale.ticks(),
        "targets": [scale.at(target) for target in TARGETS],
        "target_figures": [f"{target:.2f}" for target in TARGETS],
        "steps": [
            _step(step, [x for x in found if x.found["row"] == step.row], scale)
            for step in STORY
        ],
    }


def _step(step: Step, own: Sequence[Line], scale: Scale) -> dict[str, Any]:
    dots, ranges = [], []
    for turn, (low, high) in enumerate(step.figures):
        if low < high:
            ranges.append((scale.at(low), scale.at(high)))
        else:
            dots.append((scale.at(low), step.is_change and turn == 0))
    recorded = [line for line in own if line.found["n"]]
    return {
        "step": step,
        "title": own[0].said["step"],
        "student": step.student,
        "dots": dots,
        "ranges": ranges,
        "lines": own,
        "marks": [_marks(line.found, scale) for line in recorded],
    }


def _marks(row: Mapping[str, Any], scale: Scale) -> dict[str, str | None]:
    """Positions of one experiment: its parent, its mean, its interval."""
    columns = ("before", "top1", "top1_low", "top1_high")
    return {c: None if math.isnan(row[c]) else scale.at(row[c]) for c in columns}
