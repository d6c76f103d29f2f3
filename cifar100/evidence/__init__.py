"""What recorded runs say about a change: paired effects, intervals, verdicts."""

from cifar100.evidence.findings import findings, headlines, in_words
from cifar100.evidence.korean import KOREAN
from cifar100.evidence.languages import ENGLISH, Language
from cifar100.evidence.mechanisms import (
    compare_evaluated,
    evaluation_gain,
    evaluations_table,
    judgement,
    speaks,
)
from cifar100.evidence.moderation import Moderated, moderate
from cifar100.evidence.paired import (
    Contrast,
    PairedEffect,
    effects,
    paired_differences,
)
from cifar100.evidence.recorded import compare, contrasts, recorded_effects
from cifar100.evidence.wording import interval_text, pp, verdict

__all__ = [
    "ENGLISH",
    "KOREAN",
    "Contrast",
    "Language",
    "Moderated",
    "PairedEffect",
    "compare",
    "compare_evaluated",
    "contrasts",
    "effects",
    "evaluation_gain",
    "evaluations_table",
    "findings",
    "headlines",
    "in_words",
    "interval_text",
    "judgement",
    "moderate",
    "paired_differences",
    "pp",
    "recorded_effects",
    "speaks",
    "verdict",
]
