"""What people should know of a network before they use it: a page from its facts."""

from typing import Any

from scipy import stats

from cifar100.experiments import DEFAULTS

# Settings that are told even where they are defaults.
ALWAYS = ("optimizer", "learning_rate", "schedule", "epochs", "batch_size")

LIMITS = """\
- A picture is cut to its central square and made 32 by 32 pixels small. What is small
  in it, or stands at its edge, is lost.
- The network knows 100 classes and always names some of them. Shown anything else, it
  can be wrong and sure of it; the warning below a doubtful answer does not catch that.
- All figures are of pictures from the same collection that it learnt from. How well it
  does on yours was not measured.
- Five of the classes are people (baby, boy, girl, man, woman). It is not fit to decide
  anything about anyone."""

LICENCE = """\
The weights are under the MIT licence, as the course. CIFAR-100 was collected by Alex
Krizhevsky, Vinod Nair and Geoffrey Hinton and is published without a licence. Its
images are not ours, and none of them is in this folder."""

BACKBONE = """ The backbone's ImageNet weights are
Google's, under the Apache licence 2.0. Where it is frozen they are not in the file:
`cifar100 predict` gets them when they are first needed."""


def model_card(facts: dict[str, Any]) -> str:
    """The model card of a stored network, Markdown, from the content of its JSON."""
    name, settings = facts["experiment"], facts["settings"]
    purpose = (
        "Names what a picture shows, out of 100 classes: "
        f"`cifar100 predict --network {name} PICTURE`.\nThis page is written by "
        f"`cifar100 export`, from `{name}.json`."
    )
    recipe = f"{_table(_recipe(settings))}\n\nAll other settings are\ndefaults."
    sections = {
        "Data": _data(facts),
        "Recipe": recipe,
        "Accuracy": f"{_accuracy(facts)}\n\n{_records(facts['records'])}",
        "Probabilities": _probabilities(facts),
        "Limits": LIMITS,
        "Licence": LICENCE + BACKBONE * _starts_from_imagenet(settings),
    }
    parts = [f"## {title}\n\n{text}" for title, text in sections.items()]
    return "\n\n".join([f"# {name}", purpose, _table(_made(facts)), *parts]) + "\n"


def _table(rows: dict[str, Any]) -> str:
    lines = [f"| {key} | {value} |" for key, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])


def _made(facts: dict[str, Any]) -> dict[str, Any]:
    commit = facts["commit"] or "unknown"
    versions = facts["versions"]
    return {
        "experiment": f"`{facts['experiment']}`, id {facts['id']}",
        "seed": facts["seed"],
        "profile": facts["profile"],
        "weights": f"{facts['weights']:,} numbers",
        "made": facts["written"],
        "commit": commit if facts["clean"] else f"{commit}, with changes",
        "with": ", ".join(f"{key} {value}" for key, value in versions.items()),
        "sha256": f"`{facts['sha256']}`",
    }


def _data(facts: dict[str, Any]) -> str:
    if facts["profile"] != "full":
        return (
            "**A trial on a few training images of CIFAR-100; it can't do anything.**"
        )
    a_class = facts["settings"].get("images_per_class")
    count, others = "45,000", "The other 5,000"
    if a_class is not None:
        count, others = f"{100 * a_class:,}", "5,000 others"
    return (
        f"Trained on {count} of CIFAR-100's 50,000 training images. {others} are "
        "the validation split, which all figures below are from. The test set was not "
        "used."
    )


def _starts_from_imagenet(settings: dict[str, Any]) -> bool:
    given = settings["arguments"].get("weights")
    return settings["architecture"] == "linear_head" or given == "imagenet"


def _recipe(settings: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in settings.items() if k in ALWAYS or not _default(k, v)}
    arguments = kept.pop("arguments", {})
    rows = kept | {f"argument {key}": value for key, value in arguments.items()}
    return {key: _shown(value) for key, value in rows.items()}


def _default(key: str, value: Any) -> bool:
    default = DEFAULTS.get(key)
    return value == (list(default) if isinstance(default, tuple) else default)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _percent(fraction: float, digits: int = 1) -> str:
    return f"{100 * fraction:.{digits}f} %"


def _accuracy(facts: dict[str, Any]) -> str:
    val = facts["val"]
    right = round(val["top1"] * val["images"])
    low, high = stats.binomtest(right, val["images"]).proportion_ci(method="wilson")
    return (
        f"These weights, rounded as they are stored, get **{_percent(val['top1'])}** "
        f"of {val['images']:,} validation images right (95 % interval for so many: "
        f"{_percent(low)} to {_percent(high)}). For {_percent(val['top5'])} the right "
        "class is among the first five. Choices in the course were made on these "
        "images, so expect a little less on others."
    )


def _records(found: dict[str, Any]) -> str:
    top1, count = found["val_top1"], len(found["seeds"])
    if not count:
        return "No run of this experiment is recorded: how far seeds vary is not known."
    if count == 1:
        return f"One run of this experiment is recorded, with {_percent(top1[0])}."
    mean = sum(top1) / count
    low, high = stats.t.interval(0.95, count - 1, loc=mean, scale=stats.sem(top1))
    half = " (on half of the images)" if "second half" in found["val_scored"] else ""
    return (
        f"{count} runs of this experiment are recorded, each with a seed of its own. "
        f"They get {_percent(mean)} on average{half}; 95 % interval of that mean over "
        f"seeds: {_percent(low)} to {_percent(high)}."
    )


def _probabilities(facts: dict[str, Any]) -> str:
    val = facts["val"]
    text = (
        f"All logits are divided by a temperature of {facts['temperature']:.3f}, which "
        "was fitted on the validation split (Guo et al. 2017, arXiv:1706.04599, "
        f"section 4.2). That takes the loss there from {val['loss']:.3f} to "
        f"{val['loss_calibrated']:.3f} nats and changes no answer."
    )
    if val["doubtful_top1"] is None:
        return f"{text} No answer was found to be more likely wrong than right."
    return (
        f"{text}\n\nAn answer comes with a warning when the first class has a "
        f"probability below {_percent(facts['doubt_below'], 0)}: there, it is more "
        "likely wrong than right. That is so for "
        f"{_percent(val['doubtful'], 0)} of the validation images, and of those "
        f"{_percent(val['doubtful_top1'], 0)} are right all the same."
    )
