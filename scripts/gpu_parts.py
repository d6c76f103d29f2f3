"""What a call to another machine can carry: CIFAR-100 as lossless mosaics, and weights.

Made here from the verified data set, put together there; needs NumPy and Pillow only.
"""

import os
import pickle
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

TILE, COLUMNS = 32, 100  # pixels of an image, images in a row of a mosaic
TRAIN = 50_000  # of the official images; the test images follow them
PART = 12_000  # images a part, 20 MB


def build_parts(folder: Path, part: int = PART) -> None:
    """The data set, in the order of the official files, in parts that are not here."""
    from cifar100 import data

    total = TRAIN + len(data.load("test").fine)
    names = names_of(-(-total // part))
    for other in folder.glob("data-*"):
        if other.name not in names:
            shutil.rmtree(other)
    if all((folder / name).exists() for name in names):
        return
    images, fine = np.empty((total, TILE, TILE, 3), np.uint8), np.empty(total, np.uint8)
    places = *data.split_index(), np.arange(TRAIN, total)
    for split, place in zip(data.SPLITS, places, strict=True):
        images[place], fine[place] = data.load(split)[:2]
    for number, name in enumerate(names):
        if not (folder / name).exists():
            rows = slice(number * part, (number + 1) * part)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".") as new:
                write_part(Path(new, name), images[rows], fine[rows])
                os.replace(Path(new, name), folder / name)


def build_pretrained(folder: Path) -> None:
    """The ImageNet weights that rows for a GPU start from, a folder a variant."""
    from cifar100 import pretrained
    from cifar100.scheduling import SETS

    for experiment in SETS["gpu"]:
        arguments = dict(experiment.arguments)
        if arguments.get("weights") == "imagenet":
            variant = arguments.get("variant", 0)
            pretrained.weights(variant)  # which gets and checks them
            target = folder / f"pretrained-{variant}"
            target.mkdir(exist_ok=True)
            shutil.copy(pretrained.cached_path(variant), target)


def names_of(count: int) -> list[str]:
    """`data-1-of-5` … `data-5-of-5`: a part says by its name how many there are."""
    return [f"data-{number}-of-{count}" for number in range(1, count + 1)]


def complete(folder: Path) -> list[Path]:
    """All parts in `folder`, in order; FileNotFoundError names those that lack."""
    found = {path.name: path for path in folder.glob("data-*-of-*")}
    names = names_of(int(min(found, default="data-1-of-1").rpartition("-")[2]))
    if lacking := [name for name in names if name not in found]:
        raise FileNotFoundError(", ".join(lacking))
    return [found[name] for name in names]


def write_part(folder: Path, images: np.ndarray, fine: np.ndarray) -> None:
    """One part of the data set: a lossless mosaic, and its labels.

    `images` (N, 32, 32, 3) uint8, `fine` (N,) uint8; 1.7 kB an image, of 3 kB.
    """
    rows = -(-len(images) // COLUMNS)
    tiles = np.zeros((rows * COLUMNS, TILE, TILE, 3), np.uint8)
    tiles[: len(images)] = images
    tiles = tiles.reshape(rows, COLUMNS, TILE, TILE, 3).transpose(0, 2, 1, 3, 4)
    mosaic = Image.fromarray(tiles.reshape(rows * TILE, COLUMNS * TILE, 3))
    folder.mkdir(parents=True)
    mosaic.save(folder / "images.webp", lossless=True)
    np.save(folder / "fine.npy", fine)


def read_part(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """What `write_part` was given."""
    fine = np.load(folder / "fine.npy")
    with Image.open(folder / "images.webp") as mosaic:
        tiles = np.asarray(mosaic.convert("RGB"))
    tiles = tiles.reshape(-1, TILE, COLUMNS, TILE, 3).transpose(0, 2, 1, 3, 4)
    return tiles.reshape(-1, TILE, TILE, 3)[: len(fine)], fine


def put_together(parts: Path, target: Path, train: int = TRAIN) -> None:
    """Write the official layout, `target`, from all parts; `test` comes last.

    Nothing is verified here: `cifar100 data` does that. FileNotFoundError names parts
    that lack.
    """
    from cifar100.class_names import COARSE_NAMES, COARSE_OF_FINE, FINE_NAMES

    pairs = [read_part(folder) for folder in complete(parts)]
    images, fine = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
    names = {"fine_label_names": FINE_NAMES, "coarse_label_names": COARSE_NAMES}
    content = {"meta": {key: list(value) for key, value in names.items()}}
    for name, part in ("train", slice(train)), ("test", slice(train, None)):
        planar = images[part].transpose(0, 3, 1, 2).reshape(-1, 3 * TILE * TILE)
        content[name] = {
            "data": planar,
            "fine_labels": fine[part].tolist(),
            "coarse_labels": COARSE_OF_FINE[fine[part]].tolist(),
        }
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as new:
        for name, value in content.items():
            with open(Path(new, name), "wb") as file:
                pickle.dump(value, file, protocol=4)
        target.mkdir(exist_ok=True)
        for name in content:
            os.replace(Path(new, name), target / name)
