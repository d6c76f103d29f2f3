"""CIFAR-100 as arrays: found on this machine, verified once, then mapped."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cifar100 import cache, paths
from cifar100.archive import unpack
from cifar100.cache import SPLIT_SHA256, SPLITS
from cifar100.class_names import COARSE_NAMES, COARSE_OF_FINE, FINE_NAMES
from cifar100.errors import DataMissing, UserError, suggestion
from cifar100.files import scratch_folder, sweep_folders, writing
from cifar100.official import FILES, FOLDER, verify

__all__ = [
    "COARSE_NAMES",
    "COARSE_OF_FINE",
    "FINE_NAMES",
    "MEAN",
    "SPLITS",
    "SPLIT_SHA256",
    "STD",
    "Split",
    "find",
    "load",
    "prepare",
    "split_index",
    "verify_cache",
]

# Per channel, in [0, 1], over the 50,000 official training images: (3,) float32.
MEAN = np.array([0.50707516, 0.48654887, 0.44091784], np.float32)
STD = np.array([0.26733429, 0.25643846, 0.27615047], np.float32)
MEAN.setflags(write=False)
STD.setflags(write=False)


class Split(NamedTuple):
    """One split; all three arrays are read-only."""

    images: np.ndarray  # (N, 32, 32, 3) uint8, mapped from the cache
    fine: np.ndarray  # (N,) uint8, 0 to 99
    coarse: np.ndarray  # (N,) uint8, 0 to 19


def load(split: str) -> Split:
    """The 45,000 images of "train", 5,000 of "val" or 10,000 of "test", with labels.

    The first call verifies the data set and fills the cache; later ones map it. Nothing
    is downloaded. Raises DataMissing when the data set is not on this machine, and
    UserError for files that are missing, truncated or altered.
    """
    if split not in SPLITS:
        nearest = suggestion(str(split), SPLITS)
        raise UserError(f"unknown split '{split}'{nearest} (of {', '.join(SPLITS)})")
    folder = _cached()
    images = cache.open_array(folder / f"{split}-images.npy")
    fine = cache.open_array(folder / f"{split}-fine.npy")
    coarse = COARSE_OF_FINE[fine]
    coarse.setflags(write=False)
    return Split(images, fine, coarse)


def split_index() -> tuple[np.ndarray, np.ndarray]:
    """Where the train and val images stand among the official 50,000.

    Two ascending int64 arrays, (45000,) and (5000,), with 450 and 50 of each class; the
    same for everyone: SPLIT_SHA256 is their checksum. Raises like `load`.
    """
    folder = _cached()
    train = cache.open_array(folder / "train-index.npy")
    return train, cache.open_array(folder / "val-index.npy")


def find() -> Path | None:
    """The folder or archive to read the data set from; None if there is none here.

    Looks at `data/`, `$CIFAR100_SOURCE`, and what Keras has downloaded, in that order.
    """
    own = paths.data() / FOLDER
    if any((own / name).exists() for name in FILES):
        return own
    given = os.environ.get("CIFAR100_SOURCE")
    return _given(given) if given else _keras()


def prepare(source: Path | str | None = None, *, progress: bool = True) -> Path:
    """Put the verified data set into `data/cifar-100-python`; returns that folder.

    It comes from `source` (a folder, or a .tar.gz), else from where `find` finds it,
    else from the network. Fills the cache too, after checking every byte of an old one.
    Raises UserError for wrong files, DataMissing when the download fails, and WorkError
    when there is no room.
    """
    target = paths.data() / FOLDER
    found = _given(str(source)) if source else find()
    with writing(paths.data()):
        if found is not None and found.resolve() == target.resolve():
            verify(target)
        elif found is None or not _copied(found, target, given=source is not None):
            from cifar100.download import fetch  # here, since `load` never downloads

            fetch(paths.data(), verify, progress=progress)
    for prefix in (".copy-", ".unpack-"):  # of a call that was killed at its end
        sweep_folders(paths.data(), prefix)
    sweep_folders(paths.cache(), "unpack-")
    folder = paths.cache() / "data"
    if not cache.intact(folder, thorough=True):
        with writing(folder):
            cache.build(folder, target)
    return target


def verify_cache() -> None:
    """Check every byte of the cached arrays, and make them anew where they differ.

    `load` itself compares sizes and times: a disk that goes bad changes neither. Raises
    like `load`.
    """
    _cached(thorough=True)


def _cached(*, thorough: bool = False) -> Path:
    folder = paths.cache() / "data"
    if cache.intact(folder, thorough=thorough):
        return folder
    source = find()
    if source is None:
        raise DataMissing(
            "CIFAR-100 is not on this machine (neither in data/, nor in "
            "CIFAR100_SOURCE, nor where Keras keeps it); `cifar100 data` gets it"
        )
    try:
        with writing(folder), _opened(source) as official:
            cache.build(folder, official)
    except UserError as error:
        if source != _keras():
            raise
        # Nobody gave us that, and `prepare` would pass over it.
        raise DataMissing(f"{error}; `cifar100 data` gets CIFAR-100") from None
    return folder


def _holder(path: Path) -> Path | None:
    """The folder with the official files, `path` or in it; `path` if it is a file."""
    for folder in (path / FOLDER, path):
        if any(os.path.isfile(folder / name) for name in FILES):
            return folder
    return path if os.path.isfile(path) else None


def _given(text: str) -> Path:
    holder = _holder(Path(os.path.expanduser(text)))
    if holder is None:
        raise UserError(
            f"'{text}' (asked for, or in CIFAR100_SOURCE) holds no CIFAR-100; it has "
            f"to be a folder with {FOLDER} in it, or a {FOLDER}.tar.gz"
        )
    return holder


def _keras() -> Path | None:
    """What `keras.datasets.cifar100` left, in any layout that it has had."""
    home = os.path.expanduser(os.environ.get("KERAS_HOME") or "~/.keras")
    left = map(_holder, sorted(Path(home, "datasets").glob(f"{FOLDER}*")))
    # An archive may be half of one: it counts only where nothing was unpacked.
    return min(filter(None, left), key=os.path.isfile, default=None)


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[Path]:
    """The folder of official files: `source` itself, or an archive unpacked for now."""
    if source.is_dir():
        yield source
        return
    with scratch_folder(paths.cache(), "unpack-") as staging:
        try:
            yield unpack(source, staging)
        except UserError as error:
            inside = str(error).replace(f"{staging}{os.sep}", f"{source}: ")
            raise UserError(inside) from None


def _copied(source: Path, target: Path, *, given: bool) -> bool:
    """Copy the verified files; False if all there is is a bad copy that Keras left,
    and nobody has `given` it."""
    try:
        with _opened(source) as folder:
            verify(folder)
            with scratch_folder(target.parent, ".copy-") as scratch:
                new = scratch / FOLDER
                new.mkdir()
                for name in FILES:
                    shutil.copyfile(folder / name, new / name)
                if not target.exists():
                    os.replace(new, target)  # at once: a part of it would be found
                    return True
                for name in FILES:
                    os.replace(new / name, target / name)
    except UserError:
        if given or source != _keras():
            raise
        return False
    return True
