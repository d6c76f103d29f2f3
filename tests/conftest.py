"""Fixtures that several test files share."""

import hashlib
import os
import pickle
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings
from made_once import made_once

from cifar100 import cache, data, paths
from cifar100.archive import unpack
from cifar100.class_names import COARSE_NAMES, COARSE_OF_FINE, FINE_NAMES
from cifar100.errors import UserError
from cifar100.official import FOLDER, Checksums, as_images
from tests.packed_records import at, packed  # noqa: F401 (fixtures)

# Drawn once, so that all workers have it, and a moment that failed can be had again.
SEED = os.environ.setdefault("SEED", str(random.SystemRandom().randrange(10**6)))
settings.register_profile("course", deadline=None, print_blob=True)
settings.load_profile("course")


def pytest_report_header():
    """Name the seed of random moments."""
    return f"random moments: SEED={SEED}"


def pytest_collection_modifyitems(items):
    """Skip tests marked `data` by name where the data set is not at hand."""
    reason = "needs CIFAR-100, which is not on this machine (`cifar100 data` gets it)"
    try:
        here = cache.intact(paths.cache() / "data") or data.find() is not None
    except UserError as error:
        here, reason = False, f"needs CIFAR-100; {error}"
    if not here:
        for item in items:
            if item.get_closest_marker("data"):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def style_of_the_course(request):
    """Figures are tested in the style that readers see, and leave no style behind."""
    if request.module.__name__.startswith(("test_plots", "test_course")):
        from matplotlib import rc_context

        from cifar100 import plots

        with rc_context():
            plots.use_style()
            yield
    else:
        yield


@pytest.fixture
def home(tmp_path, monkeypatch) -> Iterator[Path]:
    """An empty CIFAR100_HOME, with no data set to be found anywhere."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("CIFAR100_HOME", str(folder))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("CIFAR100_SOURCE", raising=False)
    monkeypatch.delenv("CIFAR100_MIRROR", raising=False)
    yield folder
    shutil.rmtree(folder)  # pytest would keep hundreds of megabytes a test


@pytest.fixture(scope="session")
def real_cache() -> Path:
    """The folder of cached arrays of the real data set; read only."""
    data.load("val")
    return paths.cache() / "data"


@pytest.fixture
def home_with_data(real_cache, home) -> Path:
    """Like `home`, but `data.load` gives the real data set."""
    (home / ".cache").mkdir()
    (home / ".cache" / "data").symlink_to(real_cache)
    return home


@pytest.fixture(scope="session")
def official(tmp_path_factory) -> Path:
    """The real cifar-100-python folder; read only."""
    source = data.find()
    if source is None:
        pytest.skip("the official files of CIFAR-100 are not here, only their cache")
    return (
        source if source.is_dir() else unpack(source, tmp_path_factory.mktemp("cifar"))
    )


@pytest.fixture(scope="session")
def records_only(tmp_path_factory) -> Path:
    """A home that holds the records of the course and nothing else."""

    def copy(home):
        shutil.copytree(paths.package_root() / "records", home / "records")

    return made_once(tmp_path_factory, "records-only", copy)


@pytest.fixture(scope="session")
def real_report(records_only, tmp_path_factory) -> Path:
    """The folder of the report of the real notebooks, in profile `read`, made without
    the data set: no Keras cache, no other source of it."""
    from cifar100.report.build import Options, build

    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CIFAR100_HOME", str(records_only))
            patch.setenv("KERAS_HOME", str(records_only / "keras"))
            patch.delenv("CIFAR100_SOURCE", raising=False)
            build(Options(output=folder / "report"))

    return made_once(tmp_path_factory, "real-report", make) / "report"


@pytest.fixture
def fake(tmp_path) -> SimpleNamespace:
    """A small data set in the official layout: .folder, .checksums, .images, .fine."""
    folder = tmp_path / "fake" / FOLDER
    folder.mkdir(parents=True)
    made = SimpleNamespace(folder=folder, checksums={}, images={}, fine={})
    for name, count in ("train", 40), ("test", 20):
        generator = np.random.default_rng(count)
        planar = generator.integers(0, 256, (count, 3072), dtype=np.uint8)
        fine = generator.integers(0, 100, count, dtype=np.uint8)
        batch = {
            b"data": planar,
            b"fine_labels": fine.tolist(),
            b"coarse_labels": COARSE_OF_FINE[fine].tolist(),
        }
        (folder / name).write_bytes(pickle.dumps(batch, protocol=4))
        made.images[name], made.fine[name] = as_images(planar), fine
        made.checksums[name] = Checksums(
            count,
            hashlib.sha256(made.images[name]).hexdigest(),
            hashlib.sha256(fine).hexdigest(),
        )
    names = {
        b"fine_label_names": [name.encode() for name in FINE_NAMES],
        b"coarse_label_names": [name.encode() for name in COARSE_NAMES],
    }
    (folder / "meta").write_bytes(pickle.dumps(names, protocol=2))
    return made


@pytest.fixture
def fake_archive(fake, tmp_path) -> Path:
    """The data set of `fake` as a .tar.gz."""
    stem = str(tmp_path / FOLDER)
    return Path(shutil.make_archive(stem, "gztar", fake.folder.parent, FOLDER))


@pytest.fixture
def no_experiments():
    """None is known; afterwards all are, in their order, which pages follow."""
    from cifar100.experiments import EXPERIMENTS

    kept = dict(EXPERIMENTS)
    EXPERIMENTS.clear()
    yield
    EXPERIMENTS.clear()
    EXPERIMENTS.update(kept)
