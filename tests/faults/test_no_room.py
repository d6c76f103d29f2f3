"""Full and read-only disks: one line, nothing half-written; with room, on it goes."""

import shutil

import numpy as np
import pytest
from killing import TINY, state
from small_notebooks import contents, write

from cifar100 import data, paths, records
from cifar100.cli import main
from cifar100.errors import UserError, WorkError, one_line
from cifar100.experiments import get
from cifar100.packing import Pack
from cifar100.report.build import Options, build
from cifar100.training import checkpoint, loop
from cifar100.training.run import Run
from tests.run_facts import FACTS, METRICS

NO_SPACE = "No space left on device"
READ_ONLY = "Read-only file system"


def a_run(size=5000):
    """A run whose record takes some `15 * size` bytes."""
    generator = np.random.default_rng(0)
    arrays = {"probability": generator.normal(size=size)}
    options = {"metrics": METRICS, "facts": FACTS}
    return Run(get("simple_cnn"), 0, "full", [], arrays, arrays, **options)


# Full


@pytest.mark.parametrize("room", [24, 48, 78])
def test_a_record_that_finds_no_room_leaves_no_half_of_itself(home, disk, room):
    disk(home, room)
    with pytest.raises(OSError, match=NO_SPACE):
        records.write(a_run())
    assert not list(home.rglob("*.json"))
    assert not list(home.rglob("*.tmp"))
    disk(home, 1000)
    assert records.write(a_run()).val().keys() == {"probability"}
    assert len(list(home.rglob("seed-*"))) == 3


def test_a_checkpoint_that_finds_no_room_leaves_the_one_before(home, disk):
    path = home / "run.checkpoint"
    disk(home, 40)
    checkpoint.save(path, {"a": np.zeros(10)}, {"epoch": 1})
    with pytest.raises(OSError, match=NO_SPACE):
        checkpoint.save(path, {"a": np.zeros(10_000)}, {"epoch": 2})
    assert checkpoint.load(path)[1] == {"epoch": 1}
    assert not list(home.glob(".*"))


def test_a_pack_that_finds_no_room_leaves_the_one_before(home, disk, tmp_path):
    records.write(a_run(1000))
    disk(tmp_path / "out", 20)
    pack = Pack(tmp_path / "out" / "visit.zip", paths.records())
    pack.update()
    before = contents(tmp_path / "out")
    records.write(a_run(2000))
    with pytest.raises(OSError, match=NO_SPACE):
        pack.update()
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("room", [40, 200, 300])
def test_data_that_find_no_room_leave_nothing(home, disk, fake_data, room):
    disk(home, room)
    with pytest.raises(WorkError, match=NO_SPACE) as caught:
        data.prepare(progress=False)
    assert "\n" not in str(caught.value)
    assert not list(home.rglob("stamp.json"))
    assert not list(home.rglob("*.tmp"))
    disk(home, 2000)
    data.prepare(progress=False)
    assert len(data.load("val").images) == 10


@pytest.mark.data
def test_training_goes_on_when_there_is_room_again(home_with_data, disk):
    """A checkpoint, then a record, finds no room: nothing of the run is lost."""
    undisturbed = loop.train(TINY, [5], profile="smoke", checkpoint_seconds=0)[0]
    folder = paths.cache() / "checkpoints"
    disk(folder, 40)

    def again(**options):
        options |= {"profile": "smoke", "checkpoint_seconds": 0}
        return loop.train(TINY, [5, 6], **options)

    with pytest.raises(WorkError, match=f"seed 6: {NO_SPACE}.*make room") as caught:
        again()
    assert f"tiny, seed 5: {NO_SPACE}" in str(caught.value)
    disk(folder, 10_000)
    disk(paths.rehearsal(), 8)
    with pytest.raises(WorkError, match=f"seed 5: {NO_SPACE}"):
        again(on_run=lambda run: records.write(run, rehearsal=True))
    assert len(list(folder.glob("*.checkpoint"))) == 2
    disk(paths.rehearsal(), 10_000)
    epochs, runs = [], again(on_epoch=lambda _, seed, row: epochs.append(seed))
    assert epochs == []  # both were trained, only their records were missing
    assert runs[0].facts["weights_sha256"] == undisturbed.facts["weights_sha256"]
    assert list(folder.iterdir()) == []


# Read-only


def refused(capsys, *arguments):
    """Exit status and the one line of a command in this process."""
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return end.value.code, err


def test_training_for_read_only_records_is_refused_before_it_starts(
    home, read_only, capsys
):
    read_only(home / "records")
    code, line = refused(capsys, "train", "simple_cnn")
    assert code == 2
    assert "records/simple_cnn/seed-0.json can't be written" in line
    assert "tensorflow" not in line
    assert state(home) == {}


def test_what_only_reads_works_on_a_read_only_home(home, read_only, capsys):
    for name in ("simple_cnn", "simple_cnn_short"):
        source = paths.package_root() / "records" / name
        if not (source / "seed-1.json").exists():
            pytest.skip("nothing is recorded")
        shutil.copytree(source, home / "records" / name)
    read_only(home)
    for command in (
        ["compare", "simple_cnn_short", "simple_cnn", "--json"],
        ["check", "--no-fingerprints"],
        ["experiments"],
    ):
        with pytest.raises(SystemExit) as end:
            main(command)
        assert end.value.code == 0, capsys.readouterr()


def test_data_in_a_read_only_home_are_refused(home, read_only, fake_data):
    read_only(home)
    with pytest.raises(UserError, match=READ_ONLY) as caught:
        data.load("val")
    assert "CIFAR100_HOME" in str(caught.value)


def test_a_claim_in_a_read_only_cache_ends_in_one_line(home, read_only, capsys):
    read_only(home / ".cache")
    code, line = refused(capsys, "train", "simple_cnn")
    assert code == 1
    assert READ_ONLY in line


# The report


def options_of(home):
    return Options(
        notebooks=home / "notebooks",
        output=home / "out" / "report",
        cache=home / ".cache" / "report",
    )


@pytest.fixture(scope="module")
def good_report(tmp_path_factory):
    """A home with a report."""
    home = tmp_path_factory.mktemp("good")
    write(home / "notebooks", "00-one", "print(1)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR100_HOME", str(home))
        build(options_of(home), print)
    return home


@pytest.fixture
def built(home, good_report):
    """Options of a report that is out of date, and what is in it."""
    shutil.copytree(good_report, home, dirs_exist_ok=True)
    options = options_of(home)
    manifest = options.output / "report.json"
    manifest.write_text(manifest.read_text().replace('"key": "', '"key": "old'))
    return options, contents(options.output)


def test_a_report_that_finds_no_room_leaves_the_last_one(built, disk, home):
    options, before = built
    kept = shutil.move(home / "out", home / "aside")
    size = sum(len(content) for content in before.values()) // 1024
    disk(home / "out", round(1.5 * size))
    shutil.copytree(home / "aside" / "report", options.output)
    with pytest.raises(WorkError, match=NO_SPACE) as caught:
        build(options, print)
    assert "cannot write the report" in str(caught.value)
    assert contents(options.output) == before
    assert [path.name for path in options.output.parent.iterdir()] == ["report"]
    shutil.rmtree(kept)


def test_a_notebook_that_finds_no_room_is_named(built, disk):
    options, before = built
    disk(options.cache, 16)
    write(options.notebooks, "00-one", "print(2)", "print('x' * 100_000)")
    with pytest.raises(WorkError, match=r"00-one\.ipynb, ") as caught:
        build(options, print)
    text = str(caught.value)
    assert NO_SPACE in text or "make room there" in text, text
    assert contents(options.output) == before


def test_a_report_on_a_read_only_disk_fails_and_is_left_alone(built, read_only):
    options, before = built
    read_only(options.output.parent)
    with pytest.raises(WorkError, match=READ_ONLY):
        build(options, print)
    assert contents(options.output) == before


def test_errors_of_the_system_are_told_in_one_line(tmp_path):
    with pytest.raises(OSError, match="No such") as caught:
        (tmp_path / "a").read_bytes()
    assert one_line(caught.value) == f"No such file or directory: {tmp_path / 'a'}"
    assert one_line(ValueError("a\n\x1b[2Jb\t c")) == "a [2Jb c"
