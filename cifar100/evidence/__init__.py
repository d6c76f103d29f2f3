"""What recorded runs say about a change: paired effects, intervals, verdicts."""

from cifar100.evidence.confusion import (
    BY_SUPERCLASS,
    by_class,
    confused_pairs,
    confusion,
    guesses,
    kinship,
    of_superclasses,
    surest_errors,
)
from cifar100.evidence.exam import (
    Agreement,
    best_of,
    effects_on_test,
    examined,
    on_front,
    rank_agreement,
    standings,
    top1_on,
    with_test,
)
from cifar100.evidence.findings import findings, headlines, in_words, kind_of
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
from cifar100.evidence.noise import (
    binomial_error,
    by_size,
    disagreement,
    mean_probability,
    pair_spreads,
    paired_image_error,
    seeds_needed,
    spread,
    vote,
)
from cifar100.evidence.paired import (
    Contrast,
    PairedEffect,
    effects,
    mean_interval,
    paired_differences,
)
from cifar100.evidence.recorded import compare, contrasts, recorded_effects
from cifar100.evidence.wording import interval_text, pp, verdict

__all__ = [
    "BY_SUPERCLASS",
    "ENGLISH",
    "KOREAN",
    "Agreement",
    "Contrast",
    "Language",
    "Moderated",
    "PairedEffect",
    "best_of",
    "binomial_error",
    "by_class",
    "by_size",
    "compare",
    "compare_evaluated",
    "confused_pairs",
    "confusion",
    "contrasts",
    "disagreement",
    "effects",
    "effects_on_test",
    "evaluation_gain",
    "evaluations_table",
    "examined",
    "findings",
    "guesses",
    "headlines",
    "in_words",
    "interval_text",
    "judgement",
    "kind_of",
    "kinship",
    "mean_interval",
    "mean_probability",
    "moderate",
    "of_superclasses",
    "on_front",
    "pair_spreads",
    "paired_differences",
    "paired_image_error",
    "pp",
    "rank_agreement",
    "recorded_effects",
    "seeds_needed",
    "speaks",
    "spread",
    "standings",
    "surest_errors",
    "top1_on",
    "verdict",
    "vote",
    "with_test",
]
