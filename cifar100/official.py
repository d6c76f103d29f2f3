"""The official files: their names, their checksums, and reading them verified.

Checksums are of pixels and labels, not of files: the official archive, Keras' copy and
files that were pickled anew hold the same data set in other bytes.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cifar100.class_names import COARSE_NAMES, COARSE_OF_FINE, FINE_NAMES
from cifar100.errors import UserError
from cifar100.unpickle import REMEDY, as_text, read_pickle

FOLDER = "cifar-100-python"
FILES = ("meta", "test", "train")
BLOCK = 1_000  # images converted at a time: memory stays low, and the cache warm


class Checksums(NamedTuple):
    """What one file must hold: images, and sha256 of its arrays as C-order uint8."""

    count: int
    pixels: str  # of (N, 32, 32, 3)
    fine: str  # of (N,)


CHECKSUMS = {
    "train": Checksums(
        50_000,
        "4e457917601a66aed021f5fa37957b56c6319557c0a8ed5484de3c390af45430",
        "9f11b9f97aad759ba6df0a33e3218b01d8deaf4ed3a14aa1185d69b9ad7ebcb3",
    ),
    "test": Checksums(
        10_000,
        "4cb8e5d9309da489bf6b19cc10cd96c3ae6f8daf225380b605aaee4c0d6aee19",
        "4dad7d09c7c97d33f6cb928d705cf4196221316fd6e31bdd978a08ed9103ee0b",
    ),
}


def as_images(planar: np.ndarray) -> np.ndarray:
    """Planes red, green, blue: (N, 3072) uint8 -> (N, 32, 32, 3), contiguous."""
    return np.ascontiguousarray(planar.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def blocks(planar: np.ndarray, index: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """The images (of `index`, else all), BLOCK at a time, (n, 32, 32, 3) uint8."""
    count = len(planar) if index is None else len(index)
    for start in range(0, count, BLOCK):
        part = slice(start, start + BLOCK)
        yield as_images(planar[part if index is None else index[part]])


def read_batch(path: Path, expected: Checksums) -> tuple[np.ndarray, np.ndarray]:
    """One verified file: pixels (N, 3072) uint8 as stored, fine labels (N,) uint8.

    Raises UserError, with the checksum expected and found, for anything else.
    """
    content = read_pickle(path)
    planar, fine, coarse = (
        _bytes(path, content, key) for key in ("data", "fine_labels", "coarse_labels")
    )
    count = expected.count
    if (planar.shape, fine.shape, coarse.shape) != ((count, 3072), (count,), (count,)):
        raise UserError(
            f"{path} holds {planar.shape} pixels with {len(fine)} and {len(coarse)} "
            f"labels, expected {(count, 3072)} with {count} of each; {REMEDY}"
        )
    pixels = hashlib.sha256()
    for images in blocks(planar):
        pixels.update(images)
    _compare(path, "pixels", expected.pixels, pixels.hexdigest())
    _compare(path, "labels", expected.fine, hashlib.sha256(fine).hexdigest())
    if not np.array_equal(coarse, COARSE_OF_FINE[fine]):
        raise UserError(f"{path}: superclasses do not fit the classes; {REMEDY}")
    return planar, fine


def _bytes(path: Path, content: dict[str, Any], key: str) -> np.ndarray:
    given = content.get(key)
    if isinstance(given, list) and {*map(type, given)} == {int}:
        given = np.array(given)  # of lists in lists, a few bytes would make terabytes
    array = given if isinstance(given, np.ndarray) else np.empty(0, object)
    integers = array.dtype.kind in "iu" and array.size
    if not integers or array.min() < 0 or array.max() > 255:
        raise UserError(f"{path} has no usable '{key}'; {REMEDY}")
    return np.ascontiguousarray(array, dtype=np.uint8)


def _compare(path: Path, what: str, expected: str, found: str) -> None:
    if found != expected:
        raise UserError(
            f"{path} is altered: sha256 of the {what} is {found[:16]}…, "
            f"expected {expected[:16]}…; {REMEDY}"
        )


def check_names(path: Path) -> None:
    """Raise UserError unless the file `meta` gives the classes the names we use."""
    content = read_pickle(path)
    for key, names in (
        ("fine_label_names", FINE_NAMES),
        ("coarse_label_names", COARSE_NAMES),
    ):
        try:
            found = tuple(map(as_text, content[key]))
        except (KeyError, TypeError, AttributeError, UnicodeDecodeError):
            found = ()
        if found != names:
            raise UserError(f"{path} is altered: '{key}' are not CIFAR-100's; {REMEDY}")


def verify(folder: Path, checksums: dict[str, Checksums] = CHECKSUMS) -> None:
    """Raise UserError, naming the file, unless `folder` holds CIFAR-100."""
    check_names(folder / "meta")
    for name, expected in checksums.items():
        read_batch(folder / name, expected)
