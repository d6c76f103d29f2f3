"""Records: a run as evidence. Written atomically, never by hand, checked by anyone."""

import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cifar100 import data, paths
from cifar100.errors import UserError, WorkError
from cifar100.experiments import EXPERIMENTS, Experiment
from cifar100.files import sha256_of, write_atomically, write_json
from cifar100.npz import read_npz
from cifar100.record_file import SCHEMA, read_content
from cifar100.training.run import Run

STORY_FIELDS = ("row", "claim", "supports", "kind")
SPLITS = ("val", "test")  # whose predictions are stored
LARGEST_ARRAYS = 16 * 2**20  # bytes that the arrays of a file may have unpacked
REHEARSAL = "smoke"  # the profile of a rehearsal, whose records are no evidence


@dataclass(frozen=True)
class Record:
    """One stored run: `data` is the JSON file, `path` where it stands."""

    path: Path
    data: dict[str, Any]

    @property
    def experiment(self) -> str:
        """Name of the experiment."""
        return self.data["experiment"]

    @property
    def id(self) -> str:
        """Id of the experiment's settings."""
        return self.data["id"]

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.data["seed"]

    @property
    def device(self) -> str:
        """What it ran on: "AMD EPYC (avx512f)", or its kind where that is unknown."""
        device = self.data["device"]
        return f"{device['name']} ({device.get('instructions', device['kind'])})"

    @property
    def stale(self) -> bool:
        """Whether the experiment of that name has other settings today, or is gone."""
        known = EXPERIMENTS.get(self.experiment)
        return known is None or known.id != self.id

    def predictions_path(self, split: str) -> Path:
        """Where the predictions for `val` or `test` stand; with "-logits", those."""
        return self.path.with_name(f"{self.path.stem}.{split}.npz")

    def files(self) -> list[Path]:
        """Its files, logits included where they are kept, in the order in which they
        are written: without the last one, the JSON, the others count for nothing."""
        logits = [self.predictions_path(f"{split}-logits") for split in SPLITS]
        kept = [path for path in logits if self.wrote(path)]
        return [self.predictions_path(s) for s in SPLITS] + kept + [self.path]

    def val(self) -> dict[str, np.ndarray]:
        """What `scores.per_image` gave for the 5,000 validation images."""
        return read_arrays(self.predictions_path("val"))

    def val_logits(self, *, mirrored: bool = False) -> np.ndarray | None:
        """Logits for the validation images or their mirror images, (5000, 100) float16.

        Headline experiments keep them beside the record; the oldest of these records
        have lost theirs. None there, and for a file that the run did not write.
        """
        path = self.predictions_path("val-logits")
        found = read_arrays(path) if self.wrote(path) else {}
        return found.get("mirrored" if mirrored else "logits")

    def wrote(self, path: Path) -> bool:
        """Whether `path` is a file of this run, byte for byte as the run left it."""
        ending = path.name.partition(".")[2]
        expected = self.data.get("sha256", {}).get(ending)
        return path.exists() and sha256_of(path) == expected


def folder_of(profile: str) -> Path:
    """Where runs of a profile are stored: apart, unless they are evidence."""
    return paths.records() if profile == "full" else paths.rehearsal()


def path_of(experiment: Experiment, seed: int, profile: str = "full") -> Path:
    """Where the record of a run stands, or will."""
    return folder_of(profile) / experiment.name / f"seed-{seed}.json"


def write(run: Run, *, exclusive: bool = False, rehearsal: bool = False) -> Record:
    """Store a run of profile `full`, or in a rehearsal a smaller one apart from the
    evidence; what stood in its place is replaced.

    A JSON file that stood there goes first and the new one is written last: without it
    the npz files count for nothing, so a kill in between leaves no half record. Raises
    `UserError` for another profile, `WorkError` for figures that are not finite.
    """
    if run.profile != (REHEARSAL if rehearsal else "full"):
        raise UserError(f"profile {run.profile} is no evidence; only full is stored")
    path = path_of(run.experiment, run.seed, run.profile)
    packed = {"val": pack_arrays(run.val), "test": pack_arrays(run.test)}
    for split, logits in run.logits.items():
        both = {"logits": logits, "mirrored": run.mirrored.get(split)}
        kept = {k: v.astype(np.float16) for k, v in both.items() if v is not None}
        packed[f"{split}-logits"] = pack_arrays(kept)
    hashes = {f"{name}.npz": sha256_of(content) for name, content in packed.items()}
    content = describe(run, hashes, exclusive=exclusive)
    try:
        text = json.dumps(content, allow_nan=False)
    except ValueError:
        wrong = f"{run.experiment.name}, seed {run.seed}: some figures are not finite"
        raise WorkError(f"{wrong}; no record was written") from None
    path.unlink(missing_ok=True)
    for name, arrays in packed.items():
        write_atomically(path.with_name(f"{path.stem}.{name}.npz"), arrays)
    write_json(path, content)
    return Record(path, json.loads(text))


def describe(run: Run, hashes: dict[str, str], *, exclusive: bool) -> dict[str, Any]:
    """The JSON of a record."""
    story = asdict(run.experiment)
    return {
        "schema": SCHEMA,
        "experiment": run.experiment.name,
        "id": run.experiment.id,
        "seed": run.seed,
        "profile": run.profile,
        "settings": run.experiment.settings,
        "story": {key: story[key] for key in STORY_FIELDS},
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": {"split_index": data.SPLIT_SHA256, **hashes},
        "precision": run.experiment.precision,
        "exclusive": exclusive,
        **run.facts,
        "metrics": run.metrics,
        "evaluations": run.evaluations,
        "epochs": run.history,
    }


def pack_arrays(arrays: dict[str, np.ndarray]) -> bytes:
    """The arrays as a compressed npz; equal arrays always give equal bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an npz file; nothing in it can run. `UserError` if it is bad."""
    try:
        return read_npz(path, largest=LARGEST_ARRAYS)
    except (FileNotFoundError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{path}: {reason}; get it again from git") from None


def read(path: Path) -> Record:
    """The record at `path`; `UserError` when it is not one that this version reads."""
    return Record(path, read_content(path))


def open_test(
    found: Iterable[Record],
) -> dict[tuple[str, int], dict[str, np.ndarray]]:
    """What runs said of the 10,000 test images, by (experiment, seed).

    THE EXAM: notebook 15 calls this when every choice has been made, and nothing else
    ever does; a test enforces it. Arrays are those of `scores.per_image`, and `logits`
    (10000, 100) float16 where kept. Raises `WorkError` for predictions that are not
    those of their run; then none are given.
    """
    opened = {}
    for record in found:
        path = record.predictions_path("test")
        if not record.wrote(path):
            raise WorkError(f"{path} is not what its run wrote; see `cifar100 check`")
        opened[record.experiment, record.seed] = read_arrays(path)
        kept = record.predictions_path("test-logits")
        if record.wrote(kept):
            opened[record.experiment, record.seed] |= read_arrays(kept)
    return opened


def list_records(
    experiment: str | None = None, *, current_only: bool = True
) -> list[Record]:
    """All records, or one experiment's, in the order of the ladder, then by seed; those
    that are stale too unless `current_only`."""
    pattern = f"{experiment or '*'}/seed-*.json"
    found = [read(path) for path in paths.records().glob(pattern)]
    places = {name: place for place, name in enumerate(EXPERIMENTS)}
    found.sort(key=lambda r: (places.get(r.experiment, len(places)), r.seed))
    return [record for record in found if not (current_only and record.stale)]


def missing(experiment: Experiment, profile: str = "full") -> list[int]:
    """Seeds of an experiment that have no current record yet."""
    return [s for s in range(experiment.seeds) if not recorded(experiment, s, profile)]


def recorded(experiment: Experiment, seed: int, profile: str = "full") -> bool:
    """Whether a current record of that run stands."""
    path = path_of(experiment, seed, profile)
    return path.exists() and read(path).id == experiment.id


def epochs_table(records: list[Any]) -> pd.DataFrame:
    """Tidy, one row per (experiment, seed, epoch), of records and runs alike."""
    rows = []
    for item in records:
        if isinstance(item, Run):
            name, epochs = item.experiment.name, item.history
        else:
            name, epochs = item.experiment, item.data["epochs"]
        rows += [{"experiment": name, "seed": item.seed, **epoch} for epoch in epochs]
    return pd.DataFrame(rows)


def finals_table(records: list[Record]) -> pd.DataFrame:
    """Tidy, one row per (experiment, seed): final metrics, the gap of top-1 from train
    to val, size, cost, device."""
    rows = []
    for record in records:
        content = record.data
        metrics = content["metrics"]
        seconds = {f"{k}_seconds": v for k, v in content["seconds"].items()}
        rows.append(
            {
                "experiment": record.experiment,
                "seed": record.seed,
                **metrics,
                "gap": metrics["train_top1"] - metrics["val_top1"],
                "parameters": content["fingerprint"]["parameters"],
                "macs": content["fingerprint"]["macs"],
                **seconds,
                "images_per_second": content["images_per_second"],
                "val_scored": content["val_scored"],
                "device_kind": content["device"]["kind"],
                "device_name": record.device,
                "precision": content["precision"],
                "exclusive": content["exclusive"],
            }
        )
    return pd.DataFrame(rows)
