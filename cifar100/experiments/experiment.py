"""An experiment is a value: everything that decides what one training run is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from math import inf
from typing import Any, Literal, get_args

from cifar100.errors import UserError, suggestion
from cifar100.files import sha256_of

Optimizer = Literal["adam", "sgd", "muon"]
Schedule = Literal["constant", "cosine", "one_cycle"]
Augmentation = Literal[
    "flip",
    "alternating_flip",
    "crop",
    "affine",
    "brightness",
    "cutout",
    "mixup",
    "cutmix",
    "rand_augment",
]
Evaluation = Literal[
    "weight_average",
    "flip_tta",
    "batch_norm_reestimated",
    "batch_norm_augmented",
    "dropout_averaged",
    "augmented_before_split",
    "augmented_after_split",
]
Precision = Literal["float32", "mixed_bfloat16"]
Kind = Literal["confirmatory", "exploratory"]

# What happens to one picture after the other: OpenCV can do it beforehand
# (cifar100/offline.py), and single pictures can be spared.
STORABLE = ("flip", "affine", "brightness")

# What an experiment is called and why it is run; none of it changes a number, so none
# of it is part of the id.
OUTSIDE_ID = (
    *("name", "parent", "row", "claim", "supports", "kind", "seeds", "gpu", "timed"),
    "headline",
)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One training recipe, in Keras' spelling.

    `learning_rate` is the peak of its schedule. `arguments` go to the architecture's
    function. `crop_padding` counts pixels of reflection on each side. `warmup` is the
    share of all steps in which a one-cycle schedule rises. `early_stopping` is a
    patience in epochs; it stops on one half of val, and the run is scored on the other.
    `stored_copies` makes the augmentation offline: that many augmented copies of each
    picture are stored beforehand, and an epoch takes each picture from one of its
    copies or as it is. `unchanged` is the share of pictures, drawn anew in each epoch,
    that online augmentation leaves as they are. `images_per_class` leaves so many
    training images of each class, the first ones. `gpu` marks a run too long for two
    cores, `timed` one whose seconds are part of its claim, so that it is recorded with
    nothing else beside it, and `headline` one whose logits are kept beside the record.
    `image_sizes` are pairs: a side in pixels, and up to which share of the steps it is
    trained on (progressive resizing); val is always scored at 32.
    `momentum` is SGD's. Muon moves convolution kernels, at a peak of
    `muon_learning_rate` and with `muon_momentum`; SGD moves all other weights.
    `lookahead` is the share that the slow weights keep when they go towards the trained
    ones, which start again from them, every fifth step. `layer_decay` is by how much
    the rate of a pretrained block is smaller than that of the block above it.
    `weight_decay` is decoupled and leaves biases and batch-norm parameters alone
    (Loshchilov & Hutter 2019, arXiv:1711.05101, section 2).

    Raises `UserError` for a value that no run could have.
    """

    name: str
    parent: str | None = None
    row: str = ""
    claim: str = ""
    supports: int = 1
    kind: Kind = "exploratory"
    seeds: int = 3
    gpu: bool = False
    timed: bool = False
    headline: bool = False

    architecture: str
    arguments: Mapping[str, Any] | tuple = ()
    augmentation: tuple[Augmentation, ...] = ()
    crop_padding: int = 4
    image_sizes: tuple[tuple[int, float], ...] = ()
    stored_copies: int | None = None
    unchanged: float = 0.0
    images_per_class: int | None = None
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    muon_learning_rate: float = 0.13
    muon_momentum: float = 0.6
    lookahead: float | None = None
    layer_decay: float = 1.0
    weight_decay: float = 0.0
    schedule: Schedule = "constant"
    warmup: float = 0.25
    epochs: int = 20
    batch_size: int = 128
    label_smoothing: float = 0.0
    dropout: float = 0.0
    early_stopping: int | None = None
    precision: Precision = "float32"
    evaluations: tuple[Evaluation, ...] = field(default=())

    def __post_init__(self):
        pairs = tuple(sorted(dict(self.arguments).items()))
        object.__setattr__(self, "arguments", pairs)  # hashable, in one order
        for key, (kind, *_) in _RANGES.items():
            if kind is float and type(value := getattr(self, key)) is int:
                object.__setattr__(self, key, float(value))  # Keras asks for floats
        _check(self)

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting that the id covers, as JSON values."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["arguments"] = dict(self.arguments)
        kept = {key: value for key, value in values.items() if key not in OUTSIDE_ID}
        return json.loads(json.dumps(kept))

    @cached_property
    def id(self) -> str:
        """What records are known by: `id_of` its settings."""
        return id_of(self.settings)


def id_of(settings: Mapping[str, Any]) -> str:
    """First 12 hex digits of the sha256 of the settings that differ from defaults.

    So a new setting with a default leaves every id, and so every record, valid, also
    one that was written before the setting. Defaults never change: a test pins them.
    """
    default = json.loads(json.dumps(DEFAULTS))
    changed = {k: v for k, v in settings.items() if v != default.get(k)}
    text = json.dumps(changed, sort_keys=True, separators=(",", ":"))
    return sha256_of(text.encode())[:12]


def as_tuples(value: Any) -> Any:
    """JSON's lists, also those within others, as the tuples that settings hold."""
    if isinstance(value, dict):
        return {key: as_tuples(each) for key, each in value.items()}
    return tuple(map(as_tuples, value)) if isinstance(value, list) else value


DEFAULTS = {
    f.name: {} if f.name == "arguments" else f.default
    for f in fields(Experiment)
    if f.name not in OUTSIDE_ID and f.name != "architecture"
}
SETTINGS = ("architecture", *DEFAULTS)


def child(parent: Experiment, name: str, **change: Any) -> Experiment:
    """`parent` with exactly one setting changed.

    An argument of the network is changed by `arguments={"filters": (64, 128)}`, one
    at a time. The story's fields (`row`, `claim`, …) may be given besides; they are
    not inherited, except for the row, the number of seeds and `gpu`.

    Raises `UserError` when it is not one setting, or not a setting at all.
    """
    story = {key: change.pop(key) for key in OUTSIDE_ID if key in change}
    for key in change.keys() - set(SETTINGS):
        raise UserError(f"{name}: no setting '{key}'{suggestion(key, SETTINGS)}")
    arguments = change.get("arguments", (None,))
    if len(change) != 1 or len(arguments) != 1:
        raise UserError(f"{name}: change one setting of {parent.name}, got {change}")
    wanted = change
    if "arguments" in change:
        wanted = {"arguments": dict(parent.arguments) | dict(arguments)}
    fresh = {"claim": "", "supports": 1, "kind": "exploratory"}
    fresh |= {"timed": False, "headline": False}
    made = replace(parent, name=name, parent=parent.name, **(fresh | story | wanted))
    if made.settings == parent.settings:
        raise UserError(f"{name}: {change} is what {parent.name} has already")
    return made


_CHOICES = {
    "optimizer": get_args(Optimizer),
    "schedule": get_args(Schedule),
    "precision": get_args(Precision),
    "kind": get_args(Kind),
}
_EACH = {
    "augmentation": get_args(Augmentation),
    "evaluations": get_args(Evaluation),
}
_ABOVE_ZERO = ("learning_rate", "muon_learning_rate")
_RANGES = {
    "learning_rate": (float, 0, None),
    "momentum": (float, 0, 1),
    "muon_learning_rate": (float, 0, None),
    "muon_momentum": (float, 0, 1),
    "lookahead": (float, 0, 1),
    "layer_decay": (float, 0, 1),
    "weight_decay": (float, 0, None),
    "warmup": (float, 0, 1),
    "label_smoothing": (float, 0, 1),
    "dropout": (float, 0, 1),
    "unchanged": (float, 0, 1),
    "epochs": (int, 1, None),
    "batch_size": (int, 1, None),
    "crop_padding": (int, 1, 16),
    "early_stopping": (int, 1, None),
    "stored_copies": (int, 1, None),
    "images_per_class": (int, 1, 450),
    "seeds": (int, 1, None),
}


def _check(experiment: Experiment) -> None:
    """Raise `UserError` for the first value that is not one of its setting's."""
    for key, valid in _CHOICES.items():
        _check_choice(experiment.name, key, getattr(experiment, key), valid)
    for key, valid in _EACH.items():
        chosen = getattr(experiment, key)
        if not isinstance(chosen, tuple):
            raise UserError(
                f"{experiment.name}: {key} is a tuple of names (with --set a list, "
                f'such as ["{valid[0]}"]), not {chosen!r}'
            )
        for value in chosen:
            _check_choice(experiment.name, key, value, valid)
    if {"flip", "alternating_flip"} <= {*experiment.augmentation}:
        raise UserError(f"{experiment.name}: flip and alternating_flip: choose one")
    _check_image_sizes(experiment)
    for key, (kind, low, high) in _RANGES.items():
        value = getattr(experiment, key)
        if value is None and DEFAULTS.get(key, 0) is None:
            continue
        number = (int,) if kind is int else (int, float)
        inside = isinstance(value, number) and not isinstance(value, bool)
        positive = key in _ABOVE_ZERO
        # Written so that NaN, which is neither below nor above, is outside.
        inside = inside and low <= value < inf and (high is None or value <= high)
        if not inside or (positive and not value):
            limits = f"at least {low}" if high is None else f"from {low} to {high}"
            limits = "above 0" if positive else limits
            noun = "an integer" if kind is int else "a number"
            wrong = f"{key} is {noun} {limits}, not {value!r}"
            raise UserError(f"{experiment.name}: {wrong}")
    if experiment.optimizer == "muon" and not experiment.momentum:
        raise UserError(f"{experiment.name}: with muon, momentum is above 0, not 0")
    _check_single_pictures(experiment)


def _check_single_pictures(experiment: Experiment) -> None:
    """`stored_copies` and `unchanged` treat one picture after the other: no mixing."""
    asked = [key for key in ("stored_copies", "unchanged") if getattr(experiment, key)]
    if len(asked) == 2:
        raise UserError(f"{experiment.name}: stored_copies and unchanged: choose one")
    if experiment.stored_copies and experiment.images_per_class:
        text = "stored_copies are of all training images; leave out images_per_class"
        raise UserError(f"{experiment.name}: {text}")
    for key in asked:
        wrong = [name for name in experiment.augmentation if name not in STORABLE]
        if wrong or not experiment.augmentation:
            what = f"'{wrong[0]}' can't go with it" if wrong else "no augmentation"
            raise UserError(
                f"{experiment.name}: {key} takes {', '.join(STORABLE)}; {what}"
            )


def _check_image_sizes(experiment: Experiment) -> None:
    """Sizes of 9 to 32 pixels, each up to a later share of the steps, the last to 1."""
    pairs, before = experiment.image_sizes, 0.0
    fine = isinstance(pairs, tuple) and all(
        isinstance(pair, tuple) and len(pair) == 2 for pair in pairs
    )
    for side, share in pairs if fine else ():
        numbers = type(side) is int and type(share) in (int, float)
        fine = fine and numbers and 9 <= side <= 32 and before < share <= 1
        before = share if fine else 1
    if not fine or (pairs and before != 1):
        raise UserError(
            f"{experiment.name}: image_sizes are pairs of a side from 9 to 32 pixels "
            f"and a rising share of the steps that ends with 1, not {pairs!r}"
        )


def _check_choice(name: str, key: str, value: Any, valid: tuple[str, ...]) -> None:
    if value not in valid:
        hint = suggestion(str(value), valid) or f"; one of {', '.join(valid)}"
        raise UserError(f"{name}: {key} can't be '{value}'{hint}")
