"""Bits that flip and files that are cut: found, made anew, or told in one line."""

import json
import os
import random
import shutil

import numpy as np
import pytest
from killing import TINY
from small_notebooks import executed, write

from cifar100 import checking, data, paths, records
from cifar100.errors import UserError
from cifar100.official import verify
from cifar100.packing import Pack, read_pack
from cifar100.report import sources
from cifar100.report.build import Options, build
from cifar100.report.runner import Runner
from cifar100.training import checkpoint, loop

RECORDED = sorted(paths.records().glob("simple_cnn/seed-*.json"))[:1]
needs_records = pytest.mark.skipif(not RECORDED, reason="nothing is recorded")


def flip(path, generator):
    """Change one bit of a file, without changing when it was changed."""
    content, status = bytearray(path.read_bytes()), path.stat()
    content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def cut(path, generator):
    """Take away the end of a file."""
    path.write_bytes(path.read_bytes()[: generator.randrange(path.stat().st_size)])


def one_line_or(call):
    """What `call` gives, or None where it refuses, in a line."""
    try:
        return call()
    except UserError as error:
        line = str(error)
    assert "\n" not in line
    return None


HARM = pytest.mark.parametrize("harm", [flip, cut])


@HARM
def test_a_checkpoint_is_whole_or_the_one_before_counts(tmp_path, harm):
    path, generator = tmp_path / "run.checkpoint", random.Random(1)
    for number in (1, 2):
        array = np.full(30, number)
        checkpoint.save(path, {"a": array}, {"epoch": number})
    whole = path.read_bytes()
    for _ in range(60):
        path.write_bytes(whole)
        harm(path, generator)
        arrays, state = checkpoint.load(path)
        assert state == {"epoch": 1}
        np.testing.assert_array_equal(arrays["a"], np.ones(30))


def of_changed_code(path, generator):
    """A whole checkpoint, made before a line of the package changed: the record would
    name a commit that trained a part of its epochs only."""
    arrays, state = checkpoint.load(path)
    state["made"]["code"] = "0" * 64
    checkpoint.save(path, arrays, state)
    checkpoint.previous(path).unlink()


def of_another_shape(path, generator):
    """A whole checkpoint, of a network that had another shape."""
    arrays, state = checkpoint.load(path)
    checkpoint.save(path, arrays | {"model/000": np.zeros((5, 5))}, state)
    checkpoint.previous(path).unlink()


@pytest.mark.data
def test_training_passes_over_a_bad_checkpoint(home_with_data):
    def interrupt(experiment, seed, row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    options = {"profile": "smoke", "checkpoint_seconds": 0}
    (undisturbed,) = loop.train(TINY, [0], **options)
    with pytest.raises(KeyboardInterrupt):
        loop.train(TINY, [0], on_epoch=interrupt, **options)
    (path,) = (paths.cache() / "checkpoints").glob("*.checkpoint")
    whole = path.read_bytes()
    for harm in (flip, cut, of_another_shape, of_changed_code):
        path.write_bytes(whole)
        harm(path, random.Random(2))
        (run,) = loop.train(TINY, [0], **options)
        assert run.facts["weights_sha256"] == undisturbed.facts["weights_sha256"]
        assert run.facts["resumed"] == 0


@needs_records
@HARM
@pytest.mark.parametrize("split", ["val", "test"])
def test_predictions_are_whole_or_found_out(home, harm, split):
    folder = shutil.copytree(RECORDED[0].parent, paths.records() / "simple_cnn")
    path, generator = folder / f"seed-0.{split}.npz", random.Random(3)
    whole = path.read_bytes()
    for _ in range(8):
        path.write_bytes(whole)
        harm(path, generator)
        record = records.read(folder / "seed-0.json")
        (problem, *_) = checking.check_record(record)
        assert "was changed" in problem


@needs_records
@HARM
def test_a_record_is_read_checked_or_refused_in_one_line(home, harm):
    """What its JSON says of time and machine has no second source; git has."""
    shutil.copytree(RECORDED[0].parent, paths.records() / "simple_cnn")
    path, generator = paths.records() / "simple_cnn" / "seed-0.json", random.Random(4)
    whole, refused = path.read_bytes(), 0
    for _ in range(150):
        path.write_bytes(whole)
        harm(path, generator)
        record = one_line_or(lambda: records.read(path))
        refused += record is None
        for problem in checking.check_record(record) if record else ():
            assert "\n" not in problem
    assert refused > 15


def test_the_cache_of_the_data_set_is_mended(home, fake_data):
    """Also where neither size nor time has changed, before a run that is recorded."""
    data.prepare(progress=False)
    folder, generator = paths.cache() / "data", random.Random(5)
    whole = {path: path.read_bytes() for path in folder.glob("*.npy")}
    for path in whole:
        flip(path, generator)
        data.verify_cache()
        assert {p: p.read_bytes() for p in folder.glob("*.npy")} == whole
        cut(path, generator)
        data.load("train")
        assert {p: p.read_bytes() for p in folder.glob("*.npy")} == whole


@HARM
def test_official_files_are_refused_in_one_line(fake, fake_data, harm):
    generator = random.Random(6)
    for name in ("train", "test", "meta"):
        path = fake.folder / name
        whole, refused = path.read_bytes(), 0
        for _ in range(10):
            path.write_bytes(whole)
            harm(path, generator)
            refused += one_line_or(lambda: verify(fake.folder) or True) is None
        path.write_bytes(whole)
        assert refused >= (10 if harm is cut else 7)


@needs_records
def test_a_pack_is_whole_or_refused(home, tmp_path):
    shutil.copytree(RECORDED[0].parent, paths.records() / "simple_cnn")
    Pack(tmp_path / "visit.zip", paths.records()).update()
    path, generator = tmp_path / "visit-1.zip", random.Random(7)
    whole, contents = path.read_bytes(), read_pack(path)
    for number in range(40):
        path.write_bytes(whole)
        (flip if number % 2 else cut)(path, generator)
        found = one_line_or(lambda: read_pack(path))
        assert found in (None, contents)  # a bit may say nothing, as that of a date


def test_what_a_build_keeps_is_made_anew_where_it_is_damaged(home):
    options = Options(notebooks=home / "notebooks")
    write(options.notebooks, "00-one", "print(1)")
    index = build(options, print)
    runner = Runner(options.cache, "read", jobs=1)
    (source,) = sources.find_notebooks(options.notebooks)
    status = options.cache / "read" / "00-one" / "status.json"
    key = json.loads(status.read_text())["key"]
    assert runner.recall(source, key)
    for content in ("", "[]", "{", "null", "[" * 100_000, f'{{"key": "{key}"}}'):
        status.write_text(content)
        assert runner.recall(source, key) is None
    (options.output / "report.json").write_text('{"kind": "cifar100 report"}')
    lines = []
    assert build(options, lines.append) == index
    assert executed(lines) == ["00-one"]
