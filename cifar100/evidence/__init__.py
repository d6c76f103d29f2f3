"""What recorded runs say about a change: paired effects, intervals, verdicts."""

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
    "Contrast",
    "Moderated",
    "PairedEffect",
    "compare",
    "compare_evaluated",
    "contrasts",
    "effects",
    "evaluation_gain",
    "evaluations_table",
    "interval_text",
    "judgement",
    "moderate",
    "paired_differences",
    "pp",
    "recorded_effects",
    "speaks",
    "verdict",
]
