"""How a language says what was found: verdict words, claims, heads of tables."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from cifar100.evidence.wording import digits_of, p_text, signed
from cifar100.experiments import EXPERIMENTS, STORY


@dataclass(frozen=True, kw_only=True)
class Language:
    """Words for the tables of `findings`, and its way of writing numbers.

    `words` has the four verdict words, and three for what has none: *open* (fewer seeds
    than planned), *exploratory*, *missing*. `claims` and `networks` go by experiment,
    `steps` by row, `heads` by column of `in_words`. `unit` follows a difference, `sign`
    a percentage; `span` and `part` are format strings.
    """

    code: str  # ISO 639-1, for `lang` attributes
    heads: Mapping[str, str]
    words: Mapping[str, str]
    claims: Mapping[str, str]
    steps: Mapping[str, str]
    networks: Mapping[str, str]
    unit: str
    sign: str
    span: str
    part: str
    tiny: str

    def percent(self, fraction: float) -> str:
        """An accuracy: 0.3834 -> "38.3 %"."""
        return f"{100 * fraction:.1f}{self.sign}"

    def level(self, mean: float, low: float, high: float) -> str:
        """An accuracy with its interval, which one run does not have."""
        if pd.isna(low):
            return self.percent(mean)
        bounds = self.span.format(f"{100 * low:.1f}", self.percent(high))
        return f"{self.percent(mean)} ({bounds})"

    def effect(self, mean: float, low: float, high: float) -> str:
        """A difference with its interval in percentage points, a dash if there is none.

        A second digit where the interval is narrow, as in `wording.interval_text`.
        """
        if pd.isna(mean):
            return "–"
        digits = digits_of(low, high)
        bounds = self.span.format(signed(low, digits), signed(high, digits))
        return f"{signed(mean, digits)}{self.unit} ({bounds})"

    def p(self, p: float) -> str:
        """An adjusted p value, a dash if there is none."""
        return "–" if pd.isna(p) else p_text(p, self.tiny)

    def count(self, n: int, planned: int) -> str:
        """Recorded seeds, and how many are planned where they are fewer."""
        return str(n) if n >= planned else self.part.format(n, planned)


ENGLISH = Language(
    code="en",
    heads={
        "row": "step",
        "step": "what the student did",
        "claim": "claim",
        "student": "the student",
        "verdict": "verdict",
        "ours": "ours, on val",
        "difference": "difference (moderated 95 % interval)",
        "anew": "batch norm re-estimated",
        "p": "adjusted p",
        "seeds": "seeds",
        "notebook": "notebook",
    },
    words={
        "held": "held",
        "reversed": "reversed",
        "no effect worth 1 pp": "no effect worth 1 pp",
        "not decidable": "not decidable",
        "open": "open",
        "exploratory": "exploratory",
        "missing": "not recorded yet",
    },
    claims={e.name: e.claim for e in EXPERIMENTS.values()},
    steps={step.row: step.title for step in STORY},
    networks={
        "simple_cnn": "a simple CNN",
        "lenet5": "LeNet-5",
        "alexnet": "AlexNet, narrowed for a laptop",
        "baseline": "the student's network, three blocks",
        "dropout_after": "the student's network, dropout after pooling",
        "global_average": "the student's network, with dropout and no dense layer",
        "vgg16": "VGG-16, a quarter of its width",
        "resnet20": "ResNet-20, half its width",
        "student_set": "the student's network, with the student's augmentation",
        "fast": "a network made for few epochs",
        "fast_wide": "a network made for few epochs, wider and trained longer",
        "fast_wide_long": "that wider network, trained three times as long",
        "fast_gpu": "a network made for few epochs, in its full width, on a GPU",
        "wide_and_long": "a network of twice that width, trained for long, on a GPU",
        "frozen_96": "EfficientNet-Lite0 from ImageNet, frozen, at 96 pixels",
        "finetuned_96": "EfficientNet-Lite0 from ImageNet, fine-tuned at 96 pixels",
        "finetuned_160": "EfficientNet-Lite0 from ImageNet, fine-tuned at 160 pixels",
    },
    unit=" pp",
    sign=" %",
    span="{} to {}",
    part="{} of {}",
    tiny="below 0.0001",
)
