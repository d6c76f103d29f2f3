"""Checkpoints: a killed run goes on and ends with the numbers of an undisturbed one."""

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from cifar100 import paths
from cifar100.experiments import Experiment
from cifar100.files import sha256_of, sweep, write_atomically

MAGIC = b"cifar100 checkpoint 1\n"


def path_of(experiment: Experiment, profile: str, seed: int) -> Path:
    """Where the checkpoint of a run stands."""
    name = f"{experiment.id}-{profile}-seed-{seed}.checkpoint"
    return paths.cache() / "checkpoints" / name


def save(path: Path, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> None:
    """Write arrays and JSON state in one checksummed file; keep the one before it."""
    buffer = io.BytesIO()
    packed = np.frombuffer(json.dumps(state).encode(), np.uint8)
    np.savez(buffer, __state__=packed, **arrays)
    payload = buffer.getvalue()
    with contextlib.suppress(FileNotFoundError):
        os.replace(path, previous(path))
    write_atomically(path, MAGIC + f"{sha256_of(payload)}\n".encode() + payload)


def load(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """The newest whole checkpoint at `path`, or the one before it, or `None`.

    A file that was cut off or changed fails its checksum and counts as absent.
    """
    for candidate in (path, previous(path)):
        if (payload := _verified(candidate)) is not None:
            with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
            state = json.loads(arrays.pop("__state__").tobytes())
            return arrays, state
    return None


def previous(path: Path) -> Path:
    """Where the checkpoint before the newest stands."""
    return path.with_name(f"{path.name}.previous")


def remove(path: Path) -> None:
    """Delete both, and what a killed writer left: the run is over and recorded."""
    for candidate in (path, previous(path)):
        candidate.unlink(missing_ok=True)
    sweep(path)


def _verified(path: Path) -> bytes | None:
    if not path.exists():
        return None
    content = path.read_bytes()
    head, _, rest = content[len(MAGIC) :].partition(b"\n")
    whole = content.startswith(MAGIC) and head.decode(errors="replace") == sha256_of(
        rest
    )
    return rest if whole else None
