"""Arrays in .npz files, read without trusting them."""

import io
import zipfile
from pathlib import Path

import numpy as np

from cifar100.errors import one_line


def read_npz(source: Path | bytes, *, largest: int) -> dict[str, np.ndarray]:
    """The arrays in an .npz file, or in its content, by name.

    Nothing in it can run, and it can't grow beyond `largest` bytes when it is unpacked.
    Raises `ValueError`, in one line, for what is no such file, damaged or larger, and
    `OSError` for a file that can't be read.
    """
    try:
        content = source if isinstance(source, bytes) else _content(source, largest)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > largest:
            raise ValueError(f"unpacks to more than {largest:,} bytes")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except OSError:
        raise
    except Exception as error:  # whatever odd bytes make zip, header and numbers give
        reason = one_line(error) or type(error).__name__
        raise ValueError(f"not a whole file of arrays ({reason})") from None
    if odd := [key for key, value in arrays.items() if type(value) is not np.ndarray]:
        raise ValueError(f"not a file of arrays ({one_line(odd[0])})")
    return arrays


def _content(path: Path, largest: int) -> bytes:
    with open(path, "rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"larger than {largest:,} bytes")
    return content
