"""`cifar100 check`: the final val scores of each run, again from its predictions."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cifar100 import data, paths
from cifar100.errors import DataMissing
from cifar100.experiments import EXPERIMENTS, id_of
from cifar100.files import sha256_of
from cifar100.records import REHEARSAL, SPLITS, STORY_FIELDS, Record, list_records
from cifar100.training.scores import metrics
from cifar100.training.stopping import first_half

VAL_IMAGES = {"full": 5_000, REHEARSAL: 200}
LOSS_TOLERANCE = 1e-4  # relative: threads and instruction sets add up in another order


def check_records(*, fingerprints: bool = True) -> list[str]:
    """One line for each thing that is wrong with the records; empty when all hold.

    Final val scores are computed again from the stored predictions, and those of the
    last epoch compared with them; `evaluations`, scores made in other ways, have no
    second source; the predictions are compared with the labels where the
    data set is there; where it is not, a run that stopped early is passed over. Of test
    files only the hash is looked at: nothing here opens them. `fingerprints` builds
    each network anew and compares parameters, MACs and the loss of the first step; it
    needs the data set.
    """
    problems = list(_strays())
    records = list_records(current_only=False)
    for record in records:
        problems += [f"{_name(record)}: {text}" for text in check_record(record)]
    if fingerprints:
        problems += _changed_fingerprints([r for r in records if not r.stale])
    return problems


def check_record(
    record: Record, *, profile: str = "full", folder: Path | None = None
) -> Iterator[str]:
    """What is wrong with one record, fingerprint apart.

    It should be of `profile` and stand in `folder`, that of all records by default.
    """
    content = record.data
    if content["profile"] != profile:
        yield f"profile {content['profile']} is no evidence"
    place = (folder or paths.records()) / record.experiment / f"seed-{record.seed}.json"
    if record.path != place:
        yield f"does not belong at {record.path}"
    if content["sha256"]["split_index"] != data.SPLIT_SHA256:
        yield "was made on another train/val split"
    if id_of(content["settings"]) != record.id:
        yield "its settings do not give its id"
    if set(content["story"]) != set(STORY_FIELDS):
        yield "its story is incomplete"
    damaged = False
    for split in SPLITS:
        path = record.predictions_path(split)
        expected = content["sha256"].get(f"{split}.npz")
        if not path.exists():
            damaged, text = True, f"{path.name} is missing"
            yield text
        elif sha256_of(path) != expected:
            damaged = True
            yield f"{path.name} was changed: its sha256 is not {expected}"
    if not damaged:
        yield from _wrong_figures(record, VAL_IMAGES[profile])


def _wrong_figures(record: Record, images: int) -> Iterator[str]:
    scored = record.val()
    if any(len(array) != images for array in scored.values()):
        yield f"val predictions are not of {images:,} images"
        return
    try:
        labels = np.asarray(data.load("val").fine)[:images]
    except DataMissing:
        labels = None
    if labels is not None:
        hit = scored["predictions"] == labels
        if not np.array_equal(hit, scored["rank"] == 0):
            yield "rank and predictions disagree about which images are right"
    stored, found = record.data["metrics"], {}
    if record.data["val_scored"] == "all":
        found = {f"val_{key}": value for key, value in metrics(scored).items()}
    if labels is not None:
        half = ~first_half(labels)
        second = metrics({key: value[half] for key, value in scored.items()})
        if record.data["val_scored"] == "second half":
            found = {f"val_{key}": value for key, value in second.items()}
        if "val_second_half_top1" in stored:  # not in the first records
            found["val_second_half_top1"] = second["top1"]
    for key, value in found.items():
        was = stored.get(key, math.nan)
        if not abs(was - value) <= 1e-12:
            yield f"{key} is stored as {was}, its predictions give {value}"
    if record.data["val_scored"] == "all":  # else an earlier epoch may be the best
        last = [row.get("val_top1") for row in record.data["epochs"][-1:]]
        if last != [found["val_top1"]]:
            yield f"its epochs end at a val_top1 of {last}, not {found['val_top1']}"


def _changed_fingerprints(records: list[Record]) -> Iterator[str]:
    """Build each experiment's network once and compare with all of its records."""
    from cifar100.models import cost
    from cifar100.training import inputs
    from cifar100.training.engine import create
    from cifar100.training.first_step import first_step_loss

    by_name: dict[str, list[Record]] = {}
    for record in records:
        by_name.setdefault(record.experiment, []).append(record)
    for name, group in by_name.items():
        threads = group[0].data["threads"]["intra"]
        engine = create(EXPERIMENTS[name], threads)
        found = {
            "parameters": cost.parameters(engine.model),
            "macs": cost.macs(engine.model),
        }
        loss = first_step_loss(engine, inputs.for_first_step(engine.experiment))
        for record in group:
            stored = record.data["fingerprint"]
            for key, value in found.items():
                if stored[key] != value:
                    yield f"{_name(record)}: {key} were {stored[key]}, now {value}"
            same_engine = record.data["engine"] == engine.name
            change = abs(stored["first_step_loss"] - loss) / loss
            if same_engine and not change <= LOSS_TOLERANCE:  # NaN too
                was = stored["first_step_loss"]
                yield f"{_name(record)}: the first step's loss was {was}, now {loss}"


def _strays() -> Iterator[str]:
    """Files in the records' folder that belong to no record."""
    for path in sorted(paths.records().glob("*/seed-*.npz")):
        owner = path.with_name(f"{path.name.split('.')[0]}.json")
        if not owner.exists():
            yield f"{_relative(path)}: belongs to no record"


def _name(record: Record) -> str:
    return _relative(record.path)


def _relative(path: Path) -> str:
    return str(path.relative_to(paths.records().parent))
