"""What a run costs: multiply-adds of its network, counted once, and its operations."""

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

from cifar100 import paths
from cifar100.experiments import EXPERIMENTS, Experiment
from cifar100.files import sha256_of, write_json
from cifar100.records import list_records

TRAIN_IMAGES, CLASSES = 45_000, 100


def petaflop(experiment: Experiment, macs: int, *, done: float = 1.0) -> float:
    """10^15 floating-point operations of one run: a forward and a backward pass are 6
    for each multiply-add (3 passes' worth, 2 operations each). `macs` are those of 32
    pixels; a smaller picture is taken to cost as much less as it has fewer pixels.
    `done` is the share of the run's steps that count."""
    share, before = 0.0, 0.0
    for side, until in experiment.image_sizes or ((32, 1.0),):
        steps = min(until, done) - min(before, done)
        share, before = share + steps * (side / 32) ** 2, until
    per_class = experiment.images_per_class
    images = CLASSES * per_class if per_class else TRAIN_IMAGES
    return 6 * macs * share * images * experiment.epochs / 1e15


def macs_by_experiment(chosen: Iterable[Experiment] | None = None) -> dict[str, int]:
    """Multiply-adds an image of the chosen experiments, by default all.

    From a record where there is one, else from what was counted before with the same
    network code, else by building the network, which loads Keras.
    """
    chosen = list(EXPERIMENTS.values() if chosen is None else chosen)
    recorded = {r.experiment: r.data["fingerprint"]["macs"] for r in list_records()}
    code, unrecorded = network_code(), [e for e in chosen if e.name not in recorded]
    counted = _remembered(code)
    if lacking := [e for e in unrecorded if e.id not in counted]:
        counted |= _count(lacking)
        with contextlib.suppress(OSError):  # a cache that can't be written is no harm
            write_json(counts_path(), {"network_code": code, "macs": counted})
    return {e.name: recorded.get(e.name) or counted[e.id] for e in chosen}


def counts_path() -> Path:
    """Where counted multiply-adds are kept."""
    return paths.cache() / "macs.json"


def network_code() -> str:
    """One hash of all sources that build and count networks; loads none of them."""
    folder = paths.package_root() / "cifar100" / "models"
    sources = {path.name: sha256_of(path) for path in sorted(folder.glob("*.py"))}
    return sha256_of(json.dumps(sources).encode())


def _remembered(code: str) -> dict[str, int]:
    """Counts by experiment id that this network code gave; a damaged file has none."""
    try:
        content = json.loads(counts_path().read_text(encoding="utf-8"))
        counts = content["macs"] if content["network_code"] == code else {}
        return {id_: int(count) for id_, count in counts.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _count(experiments: list[Experiment]) -> dict[str, int]:
    """Multiply-adds by id. Equal networks are built once: recipes share them."""
    from cifar100 import models
    from cifar100.models import cost

    counts: dict[tuple, int] = {}
    for e in experiments:
        network = e.architecture, e.arguments
        if network not in counts:
            counts[network] = cost.macs(models.build(e))
    return {e.id: counts[e.architecture, e.arguments] for e in experiments}
