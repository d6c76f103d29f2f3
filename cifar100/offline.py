"""Offline augmentation: copies of the training pictures, made by OpenCV and stored.

Copy c of a picture is what online augmentation shows of it in epoch c of the same seed,
so that the two differ in one thing: the number of versions of a picture is finite.
Only the training split is ever read. A set of copies lives in the cache, 138 MB for
each copy of the 45,000 pictures, for as long as its run; it can always be made again.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cifar100 import augment, cache, data, paths
from cifar100.errors import UserError
from cifar100.experiments.experiment import STORABLE
from cifar100.files import locked, sha256_of, write_json, writing

VERSION = 1
BLOCK = 1000  # pictures made, written and hashed at a time: 3 MB
PICTURES, MANIFEST = "pictures.npy", "manifest.json"


@dataclass(frozen=True)
class StoredSet:
    """The stored copies of one run.

    `copies` uint8 (copies, N, 32, 32, 3), mapped and read-only; `manifest` says what
    they were made from and with, and holds the file's sha256.
    """

    folder: Path
    copies: np.ndarray
    manifest: dict[str, Any]

    def versions(self, epoch: int) -> np.ndarray:
        """Which version of each picture epoch `epoch` shows, int64 (N,): 0 is the
        picture as it is, c its copy c.

        Each picture goes through its versions in turn, from a place of its own that is
        drawn once: in any `copies + 1` epochs on end it shows each of them once.
        """
        copies, count = self.copies.shape[:2]
        generator = augment.generator(self.manifest["seed"], 0, "stored")
        return (generator.integers(copies + 1, size=count) + epoch) % (copies + 1)

    def pictures(self, originals: np.ndarray, epoch: int) -> np.ndarray:
        """The pictures of epoch `epoch`, uint8 (N, 32, 32, 3), in memory; `originals`
        are the training pictures that the copies were made from."""
        shown, versions = np.array(originals), self.versions(epoch)
        for number, copy in enumerate(self.copies, start=1):
            chosen = versions == number
            shown[chosen] = copy[chosen]
        return shown

    def remove(self) -> None:
        """Delete the files; what is mapped already stays readable."""
        with _locked(self.folder):
            shutil.rmtree(self.folder, ignore_errors=True)


def store(
    transforms: tuple[str, ...], copies: int, *, seed: int, images: int | None = None
) -> StoredSet:
    """Make `copies` augmented copies of the first `images` training pictures, all by
    default; a set that stands already and is whole is only opened.

    Written whole or not at all, the manifest last; every byte is checked when a set is
    opened, and a damaged one is made anew. A second process that wants the same set
    waits for the first. Raises `UserError` for transforms that can't be stored,
    `DataMissing`, and `WorkError` when there is no room.
    """
    _check(transforms)
    originals = data.load("train").images[:images]
    parameters = [
        draw(transforms, len(originals), seed, copy) for copy in range(1, copies + 1)
    ]
    wanted = {
        "version": VERSION,
        "transforms": list(transforms),
        "copies": copies,
        "seed": seed,
        "images": len(originals),
        "split_index": data.SPLIT_SHA256,
        "parameters": _digest(parameters),
        "versions": {"opencv": cv2.__version__, "numpy": np.__version__},
    }
    key = sha256_of(json.dumps(wanted, sort_keys=True).encode())[:12]
    folder = paths.cache() / "offline" / key
    with writing(folder), _locked(folder):
        manifest = _intact(folder, wanted)
        if manifest is None:
            manifest = _fill(folder, originals, parameters, wanted)
        return StoredSet(folder, cache.open_array(folder / PICTURES), manifest)


def draw(
    transforms: tuple[str, ...], count: int, seed: int, epoch: int
) -> dict[str, np.ndarray]:
    """What `augment.draw` gives each of `count` training pictures in an epoch.

    An epoch gives its first parameters to the picture that comes first in it; here they
    stand in the order of the pictures. A picture of the last, partial batch, which that
    epoch leaves out, gets the parameters that it would have had.
    """
    drawn = augment.draw(transforms, count, seed, epoch, crop_padding=0)
    place = np.argsort(augment.order(count, seed, epoch))
    return {key: value[place] for key, value in drawn.items()}


def render(images: np.ndarray, parameters: dict[str, np.ndarray]) -> np.ndarray:
    """Augmented copies by OpenCV, uint8 (N, 32, 32, 3), as `augment.apply` makes them.

    `parameters` are those of `augment.draw` for `STORABLE` transforms.
    """
    cv2.setNumThreads(0)  # one picture is too small to be shared between threads
    made = np.array(images)
    size = images.shape[2], images.shape[1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for i in np.flatnonzero(parameters.get("flip", ())):
        made[i] = cv2.flip(made[i], 1)
    for i, matrix in enumerate(parameters.get("affine", ())):
        made[i] = cv2.warpAffine(
            made[i], matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
    for i, factor in enumerate(parameters.get("brightness", ())):
        made[i] = cv2.convertScaleAbs(made[i], alpha=float(factor))  # it saturates
    return made


def _check(transforms: tuple[str, ...]) -> None:
    wrong = [name for name in transforms if name not in STORABLE]
    if wrong or not transforms:
        what = f"'{wrong[0]}' can't be stored" if wrong else "nothing to store"
        raise UserError(f"{what}; copies take one or more of {', '.join(STORABLE)}")


def _digest(parameters: list[dict[str, np.ndarray]]) -> str:
    """sha256 of all that was drawn: changed strengths make another set."""
    digest = hashlib.sha256()
    for drawn in parameters:
        for key in sorted(drawn):
            digest.update(drawn[key].tobytes())
    return digest.hexdigest()


def _intact(folder: Path, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """The manifest of a whole set in `folder`, else None."""
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
        whole = found == wanted | {"sha256": sha256_of(folder / PICTURES)}
    except (OSError, ValueError):
        return None
    return found if whole else None


def _fill(
    folder: Path,
    originals: np.ndarray,
    parameters: list[dict[str, np.ndarray]],
    wanted: dict[str, Any],
) -> dict[str, Any]:
    """Write a set into `folder`; nothing of it is left when that fails."""
    shutil.rmtree(folder, ignore_errors=True)  # what a killed process left
    try:
        shape = (len(parameters), *originals.shape)
        blocks = _blocks(originals, parameters)
        stamp = cache.save_array(folder / PICTURES, shape, "|u1", blocks)
        manifest = wanted | {"sha256": stamp["sha256"]}
        write_json(folder / MANIFEST, manifest)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return manifest


def _blocks(
    originals: np.ndarray, parameters: list[dict[str, np.ndarray]]
) -> Iterator[np.ndarray]:
    for drawn in parameters:
        for first in range(0, len(originals), BLOCK):
            part = slice(first, first + BLOCK)
            yield render(originals[part], {k: v[part] for k, v in drawn.items()})


def _locked(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the set in `folder`, waiting for whoever holds it."""
    return locked(paths.cache() / "locks" / f"offline-{folder.name}")
