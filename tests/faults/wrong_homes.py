"""Homes in which something is wrong: each function here gives one that makes it.

What it gives takes the folder of a home and puts files there.
"""

import io
import json
import tarfile
import zipfile

import numpy as np

from cifar100.experiments import get
from cifar100.files import sha256_of
from cifar100.official import FOLDER
from tests.run_facts import FACTS, METRICS

LENET = get("lenet5")
ARCHIVE = f"{FOLDER}.tar.gz"


def nothing(home):
    """An empty home."""


def holding(name, content):
    """A home with one file."""

    def put(home):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = isinstance(content, str)
        path.write_bytes(content.encode() if text else content)

    return put


# Records


def a_record(**changes):
    """The JSON of a record as far as every reader counts on it."""
    experiment = get("simple_cnn")
    content = {
        **{"schema": 1, "experiment": experiment.name, "id": experiment.id, "seed": 0},
        **{"profile": "full", "settings": experiment.settings, "story": {}},
        **{"written": "2026-01-01", "commit": "c0ffee", "clean": True, "epochs": []},
        **{"sha256": {"split_index": "0"}, "precision": "float32", "exclusive": False},
        **{"metrics": METRICS, "evaluations": {}, **FACTS},
    }
    return content | changes


def recorded(**changes):
    """A home with one record."""
    return holding("records/simple_cnn/seed-0.json", json.dumps(a_record(**changes)))


def broken_record(content):
    """A home with this in place of a record."""
    return holding("records/simple_cnn/seed-0.json", content)


# Data sets


def archive(*members, name=ARCHIVE):
    """A home with an archive of (name, content), or of `TarInfo`."""

    def put(home):
        with tarfile.open(home / name, "w:gz") as tar:
            for member in members:
                content = b""
                if isinstance(member, tuple):
                    member, content = tarfile.TarInfo(member[0]), member[1]
                    member.size = len(content)
                tar.addfile(member, io.BytesIO(content))

    return put


def link(name, target):
    """A symbolic link in an archive."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname = tarfile.SYMTYPE, target
    return made


def sparse(name, size):
    """A member of 512 bytes that declares to be `size` long."""
    made = tarfile.TarInfo(name)
    made.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.realsize": str(size)}
    made.pax_headers |= {"GNU.sparse.minor": "0", "GNU.sparse.name": name}
    return made


CODE = b"cos\nsystem\n(S'touch executed'\ntR."  # a pickle that is a program


# Networks


def a_network(facts=None, arrays=None, name="lenet5"):
    """A home with a network: its facts, and arrays under a fitting checksum."""

    def put(home):
        folder = home / "weights"
        folder.mkdir()
        buffer = io.BytesIO()
        np.savez(buffer, **(arrays or {"000-kernel": np.zeros(3)}))
        (folder / f"{name}.npz").write_bytes(buffer.getvalue())
        known = {
            **{"schema": 1, "experiment": "lenet5", "id": LENET.id},
            **{"settings": LENET.settings, "sha256": sha256_of(buffer.getvalue())},
            **{"temperature": 1.0, "doubt_below": 0.5, "val": {"top1": 0.1}},
        }
        (folder / f"{name}.json").write_text(json.dumps(known | (facts or {})))

    return put


def npz_bomb(home):
    """A network of which 100 kB unpack to 100 MB."""
    a_network()(home)
    path = home / "weights" / "lenet5.npz"
    array = io.BytesIO()
    np.save(array, np.zeros(25_000_000, np.float32))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("000-kernel.npy", array.getvalue())
    facts = json.loads(path.with_suffix(".json").read_text())
    facts["sha256"] = sha256_of(path)
    path.with_suffix(".json").write_text(json.dumps(facts))


# Packs of records


def pack(*members):
    """A home with `visit.zip` of (name, content)."""

    def put(home):
        with zipfile.ZipFile(home / "visit.zip", "w") as packed:
            for name, content in members:
                packed.writestr(name, content)

    return put


def cut_pack(home):
    """A pack of which the end is missing."""
    pack(("records/simple_cnn/seed-0.json", "{}"))(home)
    whole = (home / "visit.zip").read_bytes()
    (home / "visit.zip").write_bytes(whole[:-30])
