"""What recorded runs say about a change: paired effects, intervals, verdicts."""

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
    "contrasts",
    "effects",
    "interval_text",
    "moderate",
    "paired_differences",
    "pp",
    "recorded_effects",
    "verdict",
]
