"""Stored networks: what is kept of them, what is said of them, what is refused."""

import json
import shutil

import keras
import numpy as np
import pytest

from cifar100 import (
    calibration,
    data,
    exporting,
    models,
    network_file,
    paths,
    pretrained,
    records,
    weights,
)
from cifar100.errors import UserError, WorkError
from cifar100.experiments import EXPERIMENTS, Experiment, get
from cifar100.files import sha256_of
from cifar100.model_card import model_card
from cifar100.training.engine import create
from cifar100.training.run import Run
from tests.run_facts import FACTS, METRICS

SMALL = get("lenet5_batch_norm")  # kernels, biases, moving statistics

IMAGENET = paths.cache() / "pretrained" / "efficientnet_lite0.npz"
needs_imagenet = pytest.mark.skipif(
    not IMAGENET.exists(), reason="ImageNet's weights are not in this machine's cache"
)


def made(experiment, seed=0):
    """The arrays of an untrained network, its batch norms not as they start."""
    model = models.build(experiment, seed)
    generator = np.random.default_rng(seed)
    arrays = [np.array(w) for w in model.weights]
    return [
        a + generator.uniform(0, 0.5, a.shape).astype("float32") if a.ndim == 1 else a
        for a in arrays
    ]


@pytest.fixture(scope="module")
def exported(tmp_path_factory, real_cache):
    """A folder with a network that was trained on a few hundred images, and what was
    said before. It has a home of its own, since a recording may hold the same run."""
    home, said = tmp_path_factory.mktemp("exported"), []
    (home / ".cache").mkdir()
    (home / ".cache" / "data").symlink_to(real_cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR100_HOME", str(home))
        options = {"profile": "smoke", "output": home / "out", "say": said.append}
        exporting.export(SMALL.name, **options)
    return home / "out", said


@pytest.fixture
def stored(home_with_data, exported):
    """`home`, in whose weights/ that network stands."""
    shutil.copytree(exported[0], weights.folder())
    return weights.folder() / f"{SMALL.name}.npz"


def change(path, **values):
    facts = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(facts | values))


# What is stored


def test_kernels_are_halved_and_vectors_kept():
    kernel = np.random.default_rng(0).normal(0, 0.05, (3, 3, 8, 16)).astype("float32")
    half = network_file.storable(kernel)
    assert half.dtype == np.float16
    assert abs(half - kernel).max() <= abs(kernel).max() / 2048
    vector = np.array([0.1, 2.0], "float32")
    assert network_file.storable(vector) is vector


@pytest.mark.parametrize("largest", [1e5, 1e-5, np.inf, np.nan])
def test_what_half_precision_can_not_hold_stays_as_it_is(largest):
    kernel = np.full((2, 2), largest, np.float32)
    assert network_file.storable(kernel) is kernel


def test_the_size_is_known_before_the_training():
    model = models.build(SMALL)
    size = network_file.size_of(model)
    assert size == len(network_file.pack(model, made(SMALL)))
    assert size < 2.2 * sum(w.size for w in made(SMALL)) + 300 * len(model.weights)


def test_packed_weights_are_those_that_come_out():
    weights_in = made(SMALL)
    first, second = models.build(SMALL), models.build(SMALL, seed=1)
    content = network_file.pack(first, weights_in)
    assert content == network_file.pack(first, weights_in)
    network_file.unpack(second, content)
    for given, a, b in zip(weights_in, first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(np.array(a), np.array(b))
        np.testing.assert_array_equal(
            np.array(a), network_file.storable(given).astype("float32")
        )


@needs_imagenet
def test_a_linear_head_is_stored_alone_and_takes_pictures():
    arguments = {"image_size": 32}
    head = Experiment(name="h", architecture="linear_head", arguments=arguments)
    model = models.build(head)
    given = made(head)
    content = network_file.pack(model, given)
    assert len(content) == network_file.size_of(model) < 300_000
    other = models.build(head, seed=1)
    network_file.unpack(other, content)
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    found = weights.logits(network_file.for_pictures(head, other), images)
    whole = Experiment(name="w", architecture="efficientnet_lite", arguments=arguments)
    backbone = models.build(whole)
    pretrained.load(backbone)
    features = keras.Model(backbone.input, backbone.get_layer("features").output)
    expected = np.array(model(weights.logits(features, images), training=False))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_the_settings_of_every_experiment_survive_json():
    for experiment in EXPERIMENTS.values():
        settings = json.loads(json.dumps(experiment.settings))
        known = {"experiment": "x", "settings": settings, "id": experiment.id}
        again = weights.experiment_of(known)
        assert (again.id, again.arguments) == (experiment.id, experiment.arguments)


# Export, save, load


@pytest.mark.data
def test_facts_say_what_the_stored_network_does(exported):
    folder, _ = exported
    model, facts = weights.load(str(folder / f"{SMALL.name}.npz"))
    val = data.load("val")
    logits = weights.logits(model, val.images)
    labels = val.fine.astype(int)
    assert facts["val"]["top1"] == (logits.argmax(axis=1) == labels).mean()
    loss = calibration.loss(logits, labels, facts["temperature"])
    assert facts["val"]["loss_calibrated"] == pytest.approx(loss, abs=1e-5)
    assert (facts["id"], facts["seed"], facts["profile"]) == (SMALL.id, 0, "smoke")
    assert facts["sha256"] == sha256_of(folder / f"{SMALL.name}.npz")


@pytest.mark.data
def test_the_engine_and_the_stored_network_see_the_same(stored):
    model, _ = weights.load(SMALL.name)
    engine = create(SMALL, threads=1)
    engine.set_weights([np.array(w) for w in model.weights])
    images = data.load("val").images[:600]
    own = weights.logits(model, images)
    np.testing.assert_allclose(own, engine.logits(images), atol=1e-4)


@pytest.mark.data
def test_an_export_says_beforehand_what_is_known_of_its_time(exported):
    line = f"{SMALL.name}, seed 0: trains now; no record tells how long that takes"
    assert exported[1] == [line]


def test_the_time_of_an_export_is_that_of_a_record(home):
    for seed, minutes in (0, 5), (2, 9):
        seconds = {"train": 60 * minutes - 60, "evaluation": 60, "compilation": 600}
        facts = FACTS | {"seconds": seconds}
        given = {"history": [], "val": {}, "test": {}, "metrics": METRICS}
        records.write(Run(SMALL, seed, "full", **given, facts=facts))
    assert "with seed 0 took 5 minutes on a proc" in exporting.beforehand(SMALL, 0)
    assert "with seed 2 took 9 minutes on a proc" in exporting.beforehand(SMALL, 3)


@pytest.mark.data
def test_the_model_card_tells_the_facts(exported):
    folder, _ = exported
    facts = json.loads((folder / f"{SMALL.name}.json").read_text())
    card = (folder / f"{SMALL.name}.md").read_text()
    assert f"**{100 * facts['val']['top1']:.1f} %**" in card
    assert f"{facts['temperature']:.3f}" in card
    assert facts["sha256"] in card
    assert "| learning_rate | 0.001 |" in card
    assert "it can't do anything" in card  # a trial run, and it says so
    for word in ("## Limits", "none of them is in this folder"):
        assert word in card


@pytest.mark.data
def test_the_model_card_names_what_was_learned_from(exported):
    known = json.loads((exported[0] / f"{SMALL.name}.json").read_text())
    card = model_card(known | {"profile": "full"})
    assert "Trained on 45,000 of CIFAR-100's 50,000 training images. The other" in card
    assert "ImageNet" not in card
    few = known["settings"] | get("frozen_96_of_5").settings
    card = model_card(known | {"profile": "full", "settings": few})
    assert "Trained on 500 of CIFAR-100's 50,000 training images. 5,000 others" in card
    assert "The backbone's ImageNet weights are" in card
    scratch = known["settings"] | get("from_scratch_64").settings
    card = model_card(known | {"profile": "full", "settings": scratch})
    assert "ImageNet" not in card


@pytest.mark.data
def test_a_trial_stays_out_of_the_course_and_what_is_too_large_too(home_with_data):
    with pytest.raises(UserError, match="takes full runs alone"):
        weights.save(SMALL, made(SMALL), seed=0, profile="smoke")
    weights.folder().mkdir()
    filler = weights.folder() / "other.npz"
    filler.write_bytes(bytes(7_950_000))
    with pytest.raises(WorkError, match="put it elsewhere with --output"):
        weights.save(SMALL, made(SMALL), seed=0)
    with pytest.raises(WorkError, match="put it elsewhere with --output"):
        exporting.export(SMALL.name, say=pytest.fail)
    assert list(weights.folder().iterdir()) == [filler]
    filler.write_bytes(bytes(7_000_000))
    assert weights.save(SMALL, made(SMALL), seed=0).parent == weights.folder()
    assert weights.names() == [SMALL.name]


def test_an_unknown_experiment_and_a_file_for_a_folder_are_refused(tmp_path):
    with pytest.raises(UserError, match="did you mean 'simple_cnn'"):
        exporting.export("simple_cn", say=pytest.fail)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="not a folder"):
        exporting.export("simple_cnn", output=tmp_path / "file", say=pytest.fail)


def test_without_weights_a_line_says_how_to_make_them(home):
    for call in (weights.best, lambda: weights.load("fast")):
        with pytest.raises(UserError, match="cifar100 export NAME"):
            call()


# What is refused

DAMAGE = {
    "damaged": lambda p: p.write_bytes(p.read_bytes()[:-1] + b"x"),
    "damaged, its checksum": lambda p: p.write_bytes(b""),
    "No such file": lambda p: p.unlink(),
    "no facts of a network": lambda p: p.with_suffix(".json").write_text("[]"),
    "no facts of": lambda p: p.with_suffix(".json").write_text('{"schema": 1'),
    "schema 2 is unknown": lambda p: change(p, schema=2),
    "no facts": lambda p: change(p, temperature=0),
    "not those of its id": lambda p: change(p, id="0" * 12),
    "settings that this version": lambda p: change(p, settings={"new": 1}),
}


@pytest.mark.data
@pytest.mark.parametrize("words", DAMAGE)
def test_a_bad_file_is_refused_in_one_line_that_names_it(stored, words):
    DAMAGE[words](stored)
    with pytest.raises(UserError, match=words) as caught:
        weights.load(SMALL.name)
    assert str(stored.with_suffix("")) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def replace(path, arrays):
    np.savez(path, **arrays)
    change(path, sha256=sha256_of(path))


@pytest.mark.data
def test_arrays_of_another_shape_are_refused(stored):
    with np.load(stored) as archive:
        arrays = dict(archive)
    key = next(iter(arrays))
    replace(stored, arrays | {key: arrays[key][:1]})
    with pytest.raises(UserError, match=f"another version of this network \\({key}"):
        weights.load(SMALL.name)
    replace(stored, {k: v for k, v in arrays.items() if k != key})
    with pytest.raises(UserError, match="stored None, today"):
        weights.load(SMALL.name)


class Trap:
    def __reduce__(self):
        return pytest.fail, ("the file was executed",)


@pytest.mark.data
def test_nothing_in_a_file_is_executed(stored):
    replace(stored, {"000-kernel": np.array([Trap()], object)})
    with pytest.raises(UserError, match="holds no weights"):
        weights.load(SMALL.name)
    stored.write_bytes(b"\x80\x04.")
    change(stored, sha256=sha256_of(stored))
    with pytest.raises(UserError, match="holds no weights"):
        weights.load(SMALL.name)
