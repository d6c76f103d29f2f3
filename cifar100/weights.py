"""Weights of trained networks, kept so that people can use them: `weights/`."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from cifar100 import calibration, data, features, network_file, paths, records
from cifar100.errors import UserError, WorkError, suggestion
from cifar100.experiments import Experiment, as_tuples
from cifar100.files import sha256_of, write_atomically, write_json
from cifar100.model_card import model_card
from cifar100.training import environment

SCHEMA = 1
ROOM = 8_000_000  # bytes that weights/ may take, being tracked
TEXT_ROOM = 16_384  # bytes that we set aside for facts and card of a network
SHORT_NAMES = {"transfer": "frozen_224"}  # what `predict` takes besides


def folder() -> Path:
    """Where the weights stand that come with the course."""
    return paths.root() / "weights"


def names() -> list[str]:
    """The networks in `weights/`, in the order of the alphabet."""
    return sorted(path.stem for path in folder().glob("*.json"))


def best() -> str:
    """The network in `weights/` that gets most of val right; `UserError` if none is.

    A linear head is the last choice: its backbone's weights are a download.
    """

    def merit(name: str) -> tuple[bool, float]:
        known = facts(name)
        whole = known["settings"].get("architecture") != "linear_head"
        return whole, known["val"]["top1"]

    _refuse_empty()
    return max(names(), key=merit)


def facts(network: str) -> dict[str, Any]:
    """What is known of a network: the content of its JSON file.

    `network` is one of `names`, or the path of an exported .npz elsewhere. Raises
    `UserError` for an unknown name, and for facts that this version can't read.
    """
    path = _arrays_path(network).with_suffix(".json")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["schema"] != SCHEMA:
            raise UserError(
                f"{path}: schema {found['schema']!r} is unknown, this version reads "
                f"{SCHEMA}; update the course, or export the network again"
            )
        for key in ("experiment", "id", "settings", "sha256"):
            found[key]
        used = found["temperature"], found["doubt_below"], found["val"]["top1"]
        if not (0 < used[0] < np.inf and 0 <= used[1] <= 1 and 0 <= used[2] <= 1):
            raise ValueError("figures out of range")
        if not isinstance(found["settings"], dict):
            raise ValueError("settings without names")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; {_again(network)}") from None
    except (ValueError, LookupError, TypeError, RecursionError):
        raise UserError(f"{path}: no facts of a network; {_again(network)}") from None
    return found


def load(network: str) -> tuple[Any, dict[str, Any]]:
    """A network with its stored weights, a `keras.Model`, and its `facts`.

    Takes what `facts` takes. Raises `UserError` when a file is missing or damaged, or
    when the code of the network has changed since.
    """
    known, path = facts(network), _arrays_path(network)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; {_again(network)}") from None
    if sha256_of(content) != known["sha256"]:
        raise UserError(f"{path}: damaged, its checksum differs; {_again(network)}")
    from cifar100 import models  # here, since reading facts needs no engine

    try:
        experiment = experiment_of(known)
        model = models.build(experiment)
        network_file.unpack(model, content)
    except ValueError as error:
        raise UserError(f"{path}: {error}; {_again(network)}") from None
    return network_file.for_pictures(experiment, model), known


def save(
    experiment: Experiment,
    weights: list[np.ndarray],
    *,
    seed: int,
    profile: str = "full",
    run: dict[str, Any] | None = None,
    output: Path | None = None,
) -> Path:
    """Store a trained network as .npz, .json and .md; the path of the .npz.

    `weights` are in the order of `model.weights`, `run` is what the JSON shall say of
    the run besides. They are measured on val as they are stored, that is, rounded.
    Stands in `weights/`, or in the folder `output`. Raises `WorkError` when `weights/`
    would take more than 8 MB, `UserError` when a smaller profile than full is to go
    there, and `DataMissing` without the data set.
    """
    place = Path(output) if output else folder()
    if profile != "full" and _is_tracked(place):
        raise UserError(f"weights/ takes full runs alone, not those of {profile}")
    from cifar100 import models

    model = models.build(experiment)
    content = network_file.pack(model, weights)
    _check_size(place, experiment.name, len(content))
    model, val = network_file.for_pictures(experiment, model), data.load("val")
    known = {
        "schema": SCHEMA,
        "experiment": experiment.name,
        "id": experiment.id,
        "settings": experiment.settings,
        "seed": seed,
        "profile": profile,
        **environment.stamp(),
        "run": run or {},
        "weights": sum(value.size for value in weights),
        **calibration.summary(logits(model, val.images), val.fine),
        "records": _recorded(experiment),
        "sha256": sha256_of(content),
    }
    path = place / f"{experiment.name}.npz"
    path.with_suffix(".json").unlink(missing_ok=True)  # never beside other arrays
    write_atomically(path, content)
    write_atomically(path.with_suffix(".md"), model_card(known).encode())
    write_json(path.with_suffix(".json"), known)  # last: without it nothing counts
    return path


def check_room(experiment: Experiment, output: Path | None = None) -> None:
    """Raise `WorkError` if `save` would: sizes are known before the training."""
    from cifar100 import models

    size = network_file.size_of(models.build(experiment))
    _check_size(Path(output) if output else folder(), experiment.name, size)


def experiment_of(known: dict[str, Any]) -> Experiment:
    """The experiment of a network, from its `facts`, also where the course has changed
    or dropped it since. `ValueError` for settings that this version doesn't have."""
    try:
        made = Experiment(name=known["experiment"], **as_tuples(known["settings"]))
    except TypeError:
        raise ValueError("has settings that this version doesn't know") from None
    if made.id != known["id"]:
        raise ValueError(f"its settings are not those of its id {known['id']}")
    return made


def logits(model: Any, images: np.ndarray) -> np.ndarray:
    """Logits of a `keras.Model` in inference, uint8 (N, 32, 32, 3) -> float32
    (N, 100)."""
    return np.concatenate(list(features.compute(model, images)))


def _arrays_path(network: str) -> Path:
    if network.endswith(".npz"):
        return Path(network)
    if network in names():
        return folder() / f"{network}.npz"
    _refuse_empty()
    hint = suggestion(network, names()) or f"; it holds {', '.join(names())}"
    raise UserError(f"no network '{network}' in weights/{hint}")


def _refuse_empty() -> None:
    if not names():
        raise UserError(
            "weights/ holds no network yet; `cifar100 export NAME` trains one and puts "
            "it there (`cifar100 experiments` lists the names)"
        )


def _again(network: str) -> str:
    name = Path(network).stem
    return f"get it again from git, or make it again: `cifar100 export {name}`"


def _is_tracked(place: Path) -> bool:
    return place.resolve() == folder().resolve()


def _check_size(place: Path, name: str, size: int) -> None:
    if not _is_tracked(place):
        return
    others = [p for p in place.glob("*") if p.is_file() and p.stem != name]
    total = sum(p.stat().st_size for p in others) + size + TEXT_ROOM
    if total > ROOM:
        raise WorkError(
            f"{name} takes {size / 1e6:.1f} MB, and weights/ would hold "
            f"{total / 1e6:.1f} MB of {ROOM / 1e6:.0f}; put it elsewhere with --output"
        )


def _recorded(experiment: Experiment) -> dict[str, Any]:
    """What the current records of an experiment say of val, by seed."""
    found = records.list_records(experiment.name)
    return {
        "seeds": [record.seed for record in found],
        "val_top1": [record.data["metrics"]["val_top1"] for record in found],
        "val_scored": [record.data["val_scored"] for record in found],
        "weights_sha256": [record.data["weights_sha256"] for record in found],
    }
