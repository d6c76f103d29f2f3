"""The JSON file of a record: read, and checked to be one."""

import functools
import json
from pathlib import Path
from types import NoneType
from typing import Any

from cifar100.errors import UserError, one_line

SCHEMA = 1
NUMBER = (int, float)
FIGURES = ("val_top1", "train_top1", "val_loss", "train_loss")
KINDS = {  # what every reader of a record counts on
    **{"experiment": str, "id": str, "seed": int, "profile": str, "settings": dict},
    **{"story": dict, "written": str, "commit": (str, NoneType), "clean": bool},
    "sha256": {"split_index": str},
    **{"precision": str, "exclusive": bool, "engine": str},
    "fingerprint": {"parameters": int, "macs": int, "first_step_loss": NUMBER},
    "device": {"kind": str, "name": str},
    "threads": {"intra": int},
    "seconds": {"train": NUMBER, "evaluation": NUMBER, "compilation": NUMBER},
    "metrics": dict.fromkeys(FIGURES, NUMBER),
    **{"weights_sha256": str, "val_scored": str, "images_per_second": NUMBER},
    **{"resumed": int, "evaluations": dict, "epochs": [dict]},
    "versions": {"keras": str},
}


def read_content(path: Path) -> dict[str, Any]:
    """What the file at `path` holds: kept while it does not change, so nobody may
    change what this gives. `UserError` when it is no record that this version reads."""
    try:
        now = path.stat()
    except OSError as error:
        raise UserError(f"{path}: not a readable record ({one_line(error)})") from None
    return _read(path, now.st_ino, now.st_mtime_ns, now.st_size)


@functools.cache
def _read(path: Path, *state: int) -> dict[str, Any]:
    """The content of a file in one state."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise UserError(f"{path}: not a readable record ({one_line(error)})") from None
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise UserError(
            f"{path}: schema {schema!r} is unknown, this version reads {SCHEMA}; "
            "update the course, or remove the file"
        )
    if wrong := [key for key, kind in KINDS.items() if not _is(content.get(key), kind)]:
        raise UserError(
            f"{path}: {', '.join(wrong)} lacking, or not as a record has it; get it "
            "again from git, or remove the file"
        )
    return content


def _is(value: Any, kind: Any) -> bool:
    """Whether a JSON value is of a type, or like a list or dict of types."""
    if isinstance(kind, dict):
        return isinstance(value, dict) and all(_is(value.get(k), kind[k]) for k in kind)
    if isinstance(kind, list):
        return isinstance(value, list) and all(_is(each, kind[0]) for each in value)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
