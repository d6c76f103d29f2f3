"""Wrong input of every kind: one line, exit status 2, nothing written, no traceback."""

import io
import os
import signal
import struct
import subprocess
import sys
import zlib

import bad_input
import numpy as np
import pytest
from bad_input import CUP, PREDICT
from PIL import Image
from small_notebooks import contents
from wrong_homes import a_network, holding

import build_report
from cifar100 import course
from cifar100.cli import main
from cifar100.errors import UserError
from cifar100.experiments import Experiment

# Pictures


def saved(mode="RGB", size=(40, 40), kind="PNG", **options):
    """The bytes of a plain picture."""
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind, **options)
    return buffer.getvalue()


def declared(width, height):
    """A PNG that says of itself to be that large, and holds next to nothing."""

    def chunk(kind, content):
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + pixels


FRAMES = {"save_all": True, "append_images": [Image.new("RGB", (40, 40), "red")]}
NO_PICTURE = "no picture of a known kind, or damaged from its start"
DAMAGED = "a damaged picture"
BAD_PICTURES = {
    "text.jpg": (b"This is no picture.\n", NO_PICTURE),
    "empty.png": (b"", "an empty file"),
    "page.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NO_PICTURE),
    "program.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", NO_PICTURE),
    "huge.png": (declared(30_000, 30_000), "more than 89 million pixels"),
    "large.png": (declared(10_000, 10_000), "more than 89 million pixels"),
    "cut.png": (saved()[:60], DAMAGED),
    "cut.jpg": (saved(kind="JPEG")[:300], DAMAGED),
    "cut-animation.gif": (saved(kind="GIF", **FRAMES)[:60], DAMAGED),
    "cut-cmyk.jpg": (saved("CMYK", kind="JPEG")[:200], DAMAGED),
    "cut-16-bit.png": (saved("I;16")[:60], DAMAGED),
    "cut-alpha.webp": (saved("RGBA", kind="WEBP")[:20], DAMAGED),
    "header-only.tiff": (saved(kind="TIFF")[:100], NO_PICTURE),
}
PICTURES = [
    (
        lambda home, n=name, c=content: (a_network()(home), holding(n, c)(home)),
        ["predict", CUP, name],
        f"{name}: {words}",
    )
    for name, (content, words) in BAD_PICTURES.items()
]
PICTURES += [
    (a_network(), ["predict", "missing.jpg"], "missing.jpg: no such file"),
    (a_network(), ["predict", CUP, "."], "a folder; name the pictures in it"),
    (a_network(), ["predict", "/dev/zero"], "not a regular file"),
    (a_network(), [*PREDICT, "--save-view", "."], "writes PNG"),
]

TABLE = [
    *bad_input.COMMAND_LINE,
    *bad_input.SETTINGS,
    *bad_input.DATA,
    *bad_input.RECORDS,
    *bad_input.NETWORKS,
    *PICTURES,
]


def written(home):
    """All files and their content, but for empty ones that keep others out."""
    found = contents(home)
    return {name: content for name, content in found.items() if "lock" not in name}


@pytest.fixture
def ended(home, monkeypatch, capfd):
    """Call a command in this process: exit status, output, errors."""
    kept = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.chdir(home)

    def run(call, *arguments):
        with pytest.raises(SystemExit) as end:
            sys.exit(call(*arguments))
        return end.value.code, *capfd.readouterr()

    yield run
    for number, handler in kept.items():
        signal.signal(number, handler)


def name_of(value):
    return " ".join(value)[:60] if isinstance(value, list) else ""


@pytest.mark.parametrize(("given", "arguments", "words"), TABLE, ids=name_of)
def test_the_command_refuses_it_in_one_line(home, ended, given, arguments, words):
    given(home)
    before = written(home)
    code, out, err = ended(main, arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert words in err
    assert written(home) == before


def test_the_table_is_long_enough():
    assert len(TABLE) >= 80


def test_good_pictures_of_odd_kinds_are_not_refused(tmp_path):
    from cifar100.pictures import read_picture

    odd = {
        "one-pixel.png": saved(size=(1, 1)),
        "animated.gif": saved(kind="GIF", **FRAMES),
        "cmyk.jpg": saved("CMYK", kind="JPEG"),
        "sixteen.png": saved("I;16"),
        "alpha.png": saved("RGBA"),
        "strip.png": saved(size=(20_000, 1)),
    }
    for name, content in odd.items():
        (tmp_path / name).write_bytes(content)
        assert read_picture(tmp_path / name).shape == (32, 32, 3)


# The report


REPORT = [
    (["--profile", "reed"], "did you mean 'read'"),
    (["--profile", ""], "unknown profile ''"),
    (["--seeds", "3"], "--seeds"),
    (["--only", "98"], "--only 98"),
    (["--only", "05-dropuot"], "did you mean '05-dropout'"),
    (["--only", "../01-the-data"], "--only ../01-the-data"),
    (["--only", ","], "names no notebook"),
    (["--jobs", "0"], "--jobs 0"),
    (["--jobs", "two"], "--jobs"),
    (["--output", "."], "not a report, and not empty"),
    (["--output", "file"], "not a folder"),
    (["--output", "file/report"], "cannot write there"),
]


@pytest.mark.parametrize(("arguments", "words"), REPORT, ids=name_of)
def test_the_build_refuses_it_in_one_line(home, ended, monkeypatch, arguments, words):
    holding("file", "years of work")(home)
    before = written(home)
    monkeypatch.setattr(sys, "argv", ["build_report.py", *arguments])
    code, out, err = ended(build_report.main)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert words in err
    assert written(home) == before


# Notebooks, definitions, surroundings


@pytest.mark.parametrize("profile", ["quik", "", "READ", None, 3, ["read"], "read\n"])
def test_a_notebook_refuses_its_profile_in_one_line(profile):
    with pytest.raises(UserError, match="unknown profile"):
        course.begin(profile)


DEFINITIONS = [
    ({"epochs": "20"}, "epochs is an integer"),
    ({"epochs": True}, "epochs is an integer"),
    ({"seeds": 0}, "seeds is an integer"),
    ({"learning_rate": float("nan")}, "learning_rate is a number"),
    ({"learning_rate": np.inf}, "learning_rate is a number"),
    ({"momentum": None}, "momentum is a number"),
    ({"layer_decay": 2}, "from 0 to 1"),
    ({"kind": "sure"}, "kind can't be 'sure'"),
    ({"precision": "float16"}, "precision can't be"),
    ({"augmentation": "flip"}, "augmentation is a tuple"),
    ({"augmentation": ("flip", "alternating_flip")}, "choose one"),
    ({"augmentation": ("mixup",), "stored_copies": 1}, "'mixup' can't go with it"),
    ({"augmentation": ("crop",), "unchanged": 0.5}, "'crop' can't go with it"),
    ({"unchanged": 0.5}, "unchanged takes flip, affine, brightness; no augmentation"),
    ({"unchanged": 1.5}, "unchanged is a number from 0 to 1"),
    (
        {"augmentation": ("flip",), "unchanged": 0.5, "stored_copies": 1},
        "choose one",
    ),
    ({"evaluations": ("test",)}, "evaluations can't be 'test'"),
    ({"image_sizes": ((16, 0.5),)}, "ends with 1"),
    ({"image_sizes": ((16, float("nan")), (32, 1))}, "rising share"),
    ({"image_sizes": ((20, "a"), (32, 1))}, "rising share"),
    ({"image_sizes": ((20, None), (32, 1))}, "rising share"),
    ({"image_sizes": ((20, True), (32, 1))}, "rising share"),
    ({"image_sizes": ((20, (0.5,)), (32, 1))}, "rising share"),
    ({"image_sizes": ((8, 0.5), (32, 1))}, "from 9 to 32"),
]


@pytest.mark.parametrize(("settings", "words"), DEFINITIONS, ids=repr)
def test_an_experiment_refuses_it_in_one_line(settings, words):
    with pytest.raises(UserError, match=words) as caught:
        Experiment(name="x", architecture="simple_cnn", **settings)
    assert "\n" not in str(caught.value)


ASKS_NETWORK = ["train", "lenet5", "--set", "no_such=1"]  # whether it takes that
SURROUNDINGS = [
    ({"KERAS_BACKEND": "torch"}, ASKS_NETWORK, "KERAS_BACKEND is 'torch'; one of"),
    ({"CIFAR100_HOME": __file__}, ["train", "lenet5"], "which is not a folder"),
    ({"CIFAR100_SOURCE": "/nowhere"}, ["data"], "'/nowhere' (asked for"),
]


@pytest.mark.parametrize(("surroundings", "arguments", "words"), SURROUNDINGS, ids=str)
def test_wrong_surroundings_end_in_one_line(home, surroundings, arguments, words):
    command = [sys.executable, "-m", "cifar100", *arguments]
    surroundings = os.environ | surroundings
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
