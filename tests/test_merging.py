"""Packs of two devices never mix in one tree, and a killed merge is finished later."""

import pytest

from cifar100 import merging, paths, records
from cifar100.experiments import get
from cifar100.merging import root_of, unpack
from cifar100.recording import claimed
from tests.packed_records import standing, store

TREE = ("simple_cnn", "simple_cnn_short", "simple_cnn_weight_decay")


def everywhere(kind, seeds=2):
    for name in TREE:
        for seed in range(seeds):
            store(name, seed, kind=kind)


def test_relatives_have_one_root():
    assert {root_of(name) for name in TREE} == {"simple_cnn"}
    assert root_of("dropout_after_augmented") == "baseline_2_blocks"


def test_a_run_that_stands_is_left_as_it_is(packed):
    path = packed(lambda: everywhere("cpu"))
    here = store("simple_cnn", 1, engine="another").path.read_bytes()
    merge = unpack([path])
    assert merge.summary() == "5 records merged, 1 already recorded"
    assert records.path_of(get("simple_cnn"), 1).read_bytes() == here
    assert unpack([path]).summary() == "0 records merged, 6 already recorded"


def test_another_device_that_covers_a_part_replaces_nothing(packed):
    def fill():
        store("simple_cnn", 0, kind="gpu")
        store("simple_cnn_short", 0, kind="gpu")
        store("lenet5", 0, kind="gpu")

    path = packed(fill)
    everywhere("cpu")
    merge = unpack([path])
    assert merge.problems == [
        "tree of `simple_cnn`: 4 of 6 recorded runs are not in the pack; nothing "
        "replaced; unpack it again together with the rest"
    ]
    assert merge.summary() == "1 records merged, 0 already recorded, 2 refused"
    kinds = standing()
    assert kinds.pop(("lenet5", 0)) == "gpu"
    assert set(kinds.values()) == {"cpu"}


def test_another_device_that_covers_all_replaces_the_tree(packed):
    path = packed(lambda: everywhere("gpu", seeds=3))
    everywhere("cpu", seeds=2)
    store("lenet5")
    assert unpack([path]).summary() == "9 records merged, 0 already recorded"
    kinds = standing()
    assert kinds.pop(("lenet5", 0)) == "cpu"
    assert list(kinds.values()) == ["gpu"] * 9


def test_what_wants_a_gpu_comes_in_beside_relatives_of_a_processor(packed):
    def fill():
        store("vgg16_full", kind="gpu")
        store("vgg16", kind="gpu")

    path = packed(fill)
    store("vgg16")
    store("vgg13")
    merge = unpack([path])
    assert merge.merged == 1
    (problem,) = merge.problems
    assert problem.startswith("tree of `vgg16`: 1 of 2 recorded runs are not")
    kinds = standing()
    assert kinds.pop(("vgg16_full", 0)) == "gpu"
    assert set(kinds.values()) == {"cpu"}


def test_two_packs_may_cover_a_tree_together(packed):
    first = packed(lambda: store("simple_cnn", kind="gpu"), "first")
    second = packed(lambda: store("simple_cnn_short", kind="gpu"), "second")
    store("simple_cnn")
    store("simple_cnn_short")
    assert unpack([first]).merged == 0
    assert unpack([second, first, second]).merged == 2
    assert set(standing().values()) == {"gpu"}


def test_stale_records_need_not_be_covered(packed):
    path = packed(lambda: store("simple_cnn", kind="gpu"))
    store("simple_cnn_short", id="0" * 12)
    assert unpack([path]).merged == 1


def test_packs_of_two_devices_are_not_mixed_in_a_tree(packed):
    first = packed(lambda: store("simple_cnn", kind="gpu"), "first")
    second = packed(lambda: store("simple_cnn_short", kind="cpu"), "second")
    merge = unpack([first, second])
    (problem,) = merge.problems
    assert "tree of `simple_cnn`: recorded on cpu and gpu" in problem
    assert standing() == {}


def test_a_run_that_another_process_is_on_is_left_to_it(packed):
    path = packed(lambda: everywhere("cpu", seeds=1))
    with claimed(get("simple_cnn"), 0):
        merge = unpack([path])
    assert merge.problems == ["simple_cnn, seed 0: another process is on this run"]
    assert merge.merged == 2


@pytest.mark.parametrize("moment", range(12))
def test_a_killed_merge_leaves_no_half_record_and_is_finished_later(
    packed, monkeypatch, moment
):
    def both(kind):
        store("simple_cnn", kind=kind)
        store("simple_cnn_short", kind=kind)

    path = packed(lambda: both("gpu"))
    both("cpu")
    calls, write = [], merging.write_atomically

    def killed(*arguments):
        calls.append(arguments)
        if len(calls) > moment:
            raise KeyboardInterrupt
        write(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(merging, "write_atomically", killed)
        with pytest.raises(KeyboardInterrupt):
            unpack([path])
    kinds = standing()
    if moment < 6:  # still unpacking
        assert list(kinds.values()) == ["cpu", "cpu"]
    # What is between old and new is no record; nothing else is lost.
    assert len(kinds) == (1 if moment >= 6 else 2)
    unpack([path])
    assert standing() == {("simple_cnn", 0): "gpu", ("simple_cnn_short", 0): "gpu"}
    assert list((paths.cache()).glob("unpack-*")) == []
