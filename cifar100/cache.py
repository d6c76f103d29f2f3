"""The data set as arrays to map: split once, written once, checked at each load.

Train and val are stored apart, so that a load copies nothing. The stamp beside the
arrays holds size, time of change and sha256 of each; it is written last.
"""

import contextlib
import hashlib
import io
import json
import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from cifar100.errors import UserError
from cifar100.files import sha256_of, whole_file, write_json
from cifar100.official import CHECKSUMS, blocks, check_names, read_batch

SPLITS = ("train", "val", "test")
VAL_PER_CLASS = 50
SPLIT_SEED = 100
# sha256 of the indices as int64, little-endian: those of train, then those of val.
SPLIT_SHA256 = "752aaef982d5eb463e1888bf6da5b507400f260a15575c9d1271a526695e6052"

VERSION = 1
LARGE = 2**29  # bytes; the data set as it is has a quarter of that
STAMP = "stamp.json"
ARRAYS = (
    *(f"{split}-{array}.npy" for split in SPLITS for array in ("images", "fine")),
    "train-index.npy",
    "val-index.npy",
)


def draw_split(fine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Train and val positions (int64, ascending) for the 50,000 official fine labels.

    50 of each class go to val. Raises UserError where another NumPy draws other numbers
    from the same seed: another split would make every recorded number incomparable.
    """
    generator = np.random.default_rng(SPLIT_SEED)
    chosen = [
        generator.choice(np.flatnonzero(fine == label), VAL_PER_CLASS, replace=False)
        for label in range(100)
    ]
    val = np.sort(np.concatenate(chosen)).astype("<i8")
    train = np.setdiff1d(np.arange(len(fine), dtype="<i8"), val)
    found = sha256_of(train.tobytes() + val.tobytes())
    if found != SPLIT_SHA256:
        raise UserError(
            f"NumPy {np.__version__} draws another train/val split (sha256 "
            f"{found[:16]}…, expected {SPLIT_SHA256[:16]}…); install the NumPy of "
            "requirements.lock"
        )
    return train, val


def open_array(path: Path) -> np.ndarray:
    """The array in an .npy file, mapped and read-only."""
    return np.asarray(np.load(path, mmap_mode="r"))


def release(array: np.ndarray) -> None:
    """Unmap what was read of a large mapped array; a small one is left alone.

    The system keeps the pages as long as it has room, so reading them again is cheap,
    but the process does not count as owner of the whole file.
    """
    if array.nbytes >= LARGE:
        while isinstance(array, np.ndarray):
            array = array.base
        if isinstance(array, mmap.mmap):
            array.madvise(mmap.MADV_DONTNEED)


def intact(folder: Path, *, thorough: bool = False) -> bool:
    """Whether the cache in `folder` is whole.

    Sizes and times are compared; content where a time has changed (a copied folder), or
    of all files if `thorough`.
    """
    try:
        stamp = json.loads((folder / STAMP).read_bytes())
        if (stamp["version"], stamp["split"]) != (VERSION, SPLIT_SHA256):
            return False
        moved = False
        for name in ARRAYS:
            known, status = stamp["files"][name], (folder / name).stat()
            later = status.st_mtime_ns != known["mtime_ns"]
            if status.st_size != known["bytes"] or (
                (later or thorough) and sha256_of(folder / name) != known["sha256"]
            ):
                return False
            known["mtime_ns"] = status.st_mtime_ns
            moved = moved or later
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if moved:
        with contextlib.suppress(OSError):  # a cache that only others may write to
            write_json(folder / STAMP, stamp)
    return True


def build(folder: Path, official: Path) -> None:
    """Fill `folder` from the official files, verified on the way.

    Two processes that do so at once replace each other's files by equal ones. Raises
    UserError, naming the file, for files that are not CIFAR-100's.
    """
    check_names(official / "meta")
    folder.mkdir(parents=True, exist_ok=True)
    planar, fine = read_batch(official / "test", CHECKSUMS["test"])
    everything = np.arange(len(fine))
    files = _save_split(folder, "test", planar, fine, everything)
    planar, fine = read_batch(official / "train", CHECKSUMS["train"])
    for split, index in zip(("train", "val"), draw_split(fine), strict=True):
        files |= _save_split(folder, split, planar, fine, index)
        name = f"{split}-index.npy"
        files[name] = save_array(folder / name, index.shape, "<i8", [index])
    stamp = {"version": VERSION, "split": SPLIT_SHA256, "files": files}
    write_json(folder / STAMP, stamp)


def _save_split(
    folder: Path, split: str, planar: np.ndarray, fine: np.ndarray, index: np.ndarray
) -> dict[str, dict[str, Any]]:
    shape = (len(index), 32, 32, 3)
    images, labels = f"{split}-images.npy", f"{split}-fine.npy"
    return {
        images: save_array(folder / images, shape, "|u1", blocks(planar, index)),
        labels: save_array(folder / labels, index.shape, "|u1", [fine[index]]),
    }


def save_array(
    path: Path, shape: tuple[int, ...], dtype: str, parts: Iterable[np.ndarray]
) -> dict[str, Any]:
    """Write an .npy part by part, whole or not at all; returns its stamp: `bytes`,
    `mtime_ns` and `sha256` of the file."""
    header = io.BytesIO()
    description = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, description)
    digest = hashlib.sha256(header.getvalue())
    with whole_file(path) as file:
        file.write(header.getvalue())
        for part in parts:
            file.write(part)
            digest.update(part)
    status = path.stat()
    return {
        "bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "sha256": digest.hexdigest(),
    }
