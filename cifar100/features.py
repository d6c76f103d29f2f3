"""What the frozen, pretrained network sees in each image: computed once, then mapped.

A network that is not trained gives the same features in every epoch. With them at hand,
training its last layer costs next to nothing.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cifar100 import cache, data, paths, pretrained
from cifar100.errors import UserError
from cifar100.files import locked, sha256_of, write_json, writing

FEATURES = 1280  # channels of EfficientNet-Lite before its last layer
BATCH = 100  # images
EVERY = 10  # seconds between two lines of progress
# The code that the numbers depend on; the engines agree but for rounding.
CODE = ("features.py", "pretrained.py", "models/transfer.py", "models/layers.py")


def features(
    variant: int, image_size: int, split: str, *, progress: bool = True
) -> np.ndarray:
    """Features of a whole split, in its order: (N, 1280) float32, mapped, read-only.

    The layer "features" of EfficientNet-Lite `variant` with its ImageNet weights, in
    inference mode, for images enlarged to `image_size` and not augmented. The first
    call computes them, with lines of progress on stderr; later ones check the stored
    file's checksum. It is made anew when the weights, the split, the network's code or
    the file itself have changed. Raises like `data.load` and `pretrained.weights`, and
    `UserError` for a variant or size that there is not.
    """
    key = _key(variant, image_size, split)
    folder = paths.cache() / "features"
    path = folder / f"efficientnet_lite{variant}-{image_size}-{split}.npy"
    if not _intact(path, key):  # no lock to read: a home may be read-only
        images = data.load(split).images
        parts = compute(_network(variant, image_size), images, progress=progress)
        _keep(path, key, (len(images), FEATURES), parts)
    return cache.open_array(path)


def features_of(variant: int, image_size: int, images: np.ndarray) -> np.ndarray:
    """The same for a few uint8 images (N, 32, 32, 3), all at once: (N, 1280) float32.
    Computed in any case, nothing is kept."""
    network = _network(variant, image_size)
    return np.asarray(network(_standardised(images), training=False))


def _keep(
    path: Path, key: dict, shape: tuple[int, int], parts: Iterator[np.ndarray]
) -> None:
    """Let one process at a time compute and write the parts; the others find them."""
    with writing(path), locked(paths.cache() / "locks" / path.stem):
        if _intact(path, key):
            return
        stamp = cache.save_array(path, shape, "<f4", parts)
        write_json(_stamp(path), {"key": key, "sha256": stamp["sha256"]})


def compute(
    network: Any, images: np.ndarray, *, progress: bool = False
) -> Iterator[np.ndarray]:
    """What `network` gives for uint8 images (N, 32, 32, 3), batch by batch: (B, F)."""
    begun = said = time.monotonic()
    size = min(BATCH, len(images))
    for first in range(0, len(images), size):
        batch = _standardised(images[first : first + size])
        missing = size - len(batch)  # one shape for all batches: compiled once
        padded = np.pad(batch, [(0, missing)] + [(0, 0)] * 3)
        yield np.asarray(network.predict_on_batch(padded))[: len(batch)]
        now, done = time.monotonic(), first + len(batch)
        if progress and (now - said >= EVERY or done == len(images)):
            said, left = now, (now - begun) / done * (len(images) - done)
            line = f"{network.name}: features of {done:,} of {len(images):,} images"
            print(f"{line}, {left:.0f} s left", file=sys.stderr, flush=True)


def _standardised(images: np.ndarray) -> np.ndarray:
    """uint8 -> float32, as all networks of the course take them."""
    return (np.asarray(images, np.float32) / 255 - data.MEAN) / data.STD


def _network(variant: int, image_size: int):
    """From standardised images (B, 32, 32, 3) to features (B, 1280)."""
    import keras

    from cifar100.models.transfer import efficientnet_lite

    try:
        model = efficientnet_lite(variant=variant, image_size=image_size)
    except ValueError as error:
        raise UserError(str(error)) from None
    pretrained.load(model)
    name = f"{model.name}_at_{image_size}_pixels"
    return keras.Model(model.input, model.get_layer("features").output, name=name)


def _key(variant: int, image_size: int, split: str) -> dict[str, Any]:
    """All that the numbers depend on."""
    if variant not in pretrained.CHECKSUMS:
        raise UserError(f"EfficientNet-Lite{variant} is none of 0, 1, 2")
    package = Path(__file__).parent
    return {
        "variant": variant,
        "image_size": image_size,
        "split": split,
        "split_sha256": data.SPLIT_SHA256,
        "weights_sha256": pretrained.CHECKSUMS[variant].arrays,
        "code_sha256": {name: sha256_of(package / name) for name in CODE},
    }


def _stamp(path: Path) -> Path:
    return path.with_suffix(".json")


def _intact(path: Path, key: dict[str, Any]) -> bool:
    """Whether `path` holds what was written there for `key`, byte for byte."""
    try:
        stamp = json.loads(_stamp(path).read_bytes())
        return stamp["key"] == key and stamp["sha256"] == sha256_of(path)
    except (OSError, ValueError, KeyError, TypeError):
        return False
