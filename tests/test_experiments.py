"""An experiment is a value with an id; a child changes exactly one setting."""

from dataclasses import replace

import pytest

from cifar100.errors import UserError
from cifar100.experiments import DEFAULTS, EXPERIMENTS, Experiment, child, get
from cifar100.listing import change

# Every id that a record may carry. A new experiment adds a line; no line ever changes.
IDS = {
    "simple_cnn": "03d5fcf13ce3",
    "simple_cnn_short": "e81a5295901f",
    "simple_cnn_weight_decay": "5d656117a63d",
    "lenet5": "4e58e305fb88",
    "lenet5_relu": "f23c5ef5bf0c",
    "lenet5_max_pool": "aed035428018",
    "lenet5_batch_norm": "245e263b1306",
    "lenet5_wide": "c64ae1f33b58",
    "lenet5_0003": "6548e26bf516",
    "lenet5_003": "d98aa32cba0c",
    "lenet5_relu_0003": "e0193e7980ae",
    "lenet5_relu_003": "cd7b25099522",
    "alexnet": "bdd59faca9f5",
    "alexnet_batch_norm": "8ff6c0c3dbe3",
    "alexnet_overlapping": "8464b033b37b",
    "alexnet_dropout": "a1a694597ef2",
    "alexnet_batch_norm_dropout": "15614d8a9b38",
    "alexnet_dense_double": "5861de362e3e",
    "alexnet_filters_half": "2a36847b1c43",
    "alexnet_filters_double": "fcbc2c664ec1",
    "alexnet_full": "544728ddc2ed",
    "baseline_2_blocks": "a32621677922",
    "baseline": "75aec6cc4abf",
    "baseline_4_blocks": "f07769f5ea11",
    "baseline_5_blocks": "76e7e05bde98",
    "baseline_deeper_smaller": "e7fc8532af2c",
    "baseline_wider_shallower": "9b6626b29132",
    "dropout_before": "2634fc5a5ec3",
    "dropout_before_10": "b40912356e9f",
    "dropout_before_30": "739ea3780a62",
    "dropout_before_50": "c7908eb8c3ba",
    "dropout_after": "f1d049fe47e3",
    "dropout_after_10": "d4afe076d480",
    "dropout_after_30": "55fde2ccde0a",
    "dropout_after_50": "92bb91290138",
    "dropout_before_matched": "3a4df5315d29",
    "dropout_spatial": "07a4fab38d5a",
    "dropout_after_no_batch_norm": "733ac70c0276",
    "dropout_before_no_batch_norm": "77078d150870",
    "dropout_before_30_no_batch_norm": "937cdfe88b20",
    "dropout_after_augmented": "28de011475cd",
    "dropout_before_augmented": "cf99f237f76b",
    "twice_as_long": "d17d3bae0d99",
    "four_times_as_long": "4d6e0f2c61c1",
    "dropout_before_four_times": "3c68991a9826",
    "early_stopping": "07bf90c6b09d",
    "four_times_cosine": "7f2aae4cf355",
    "four_times_averaged": "5b1fb6561728",
    "adam_0005": "57a5296b5a2d",
    "adam_0002": "bd2b47fde74b",
    "twice_as_long_adam_0005": "d08b683a802a",
    "cosine": "0e0b6623c776",
    "cosine_adam_0005": "c23892a049cd",
    "cosine_adam_002": "d026c2017542",
    "cosine_adam_004": "3735d2afcf72",
    "cosine_adam_008": "7a09b1617013",
    "sgd_cosine": "f78caa8ac554",
    "sgd_cosine_01": "a7c0dbfa1878",
    "sgd_cosine_03": "80c8bd2490a9",
    "sgd_cosine_1": "afbf9046fb7e",
    "sgd_cosine_3": "abf068cd74d9",
    "two_convolutions": "6d8e87beccdb",
    "double_filters": "dd922aad504f",
    "double_filters_dropout": "2d58a38072a5",
    "double_filters_weight_decay": "7db12cfba6be",
    "batch_norm_after": "6380c033811f",
    "filters_from_8": "895c165a5bc1",
    "filters_from_32": "4389fb8ba5bf",
    "kernel_5_first": "83ca702c2a9a",
    "kernel_5_first_two": "171f5907bf0a",
    "global_average": "0dd1017a302a",
    "global_average_no_dropout": "83be21938f3b",
    "global_average_dropout_10": "bbb9e36a174b",
    "global_average_double_filters": "1100dea3c637",
    "vgg16": "8f89902d409e",
    "vgg13": "c89b8d50a73d",
    "vgg19": "2da7a6574cbe",
    "vgg16_less_block": "043e66893d06",
    "vgg16_global_average": "598cdf3d5ac8",
    "vgg16_full": "ebf47d4a6211",
    "vgg13_full": "a0826044faaa",
    "vgg19_full": "388f373bdb55",
    "vgg16_full_less_block": "cb11102d3126",
    "plain20": "0744760e34ef",
    "resnet20": "7959495126b9",
    "plain56": "cd66d6665c62",
    "resnet56": "90509207ee1a",
    "resnet20_full": "97be03c6b3c4",
    "resnet56_full": "41aed750dcbf",
    "plain56_full": "3ee78b1ab494",
    "resnet18_full": "12945c34b301",
    "plain18_full": "eca6fb470375",
    "shortcut": "c246df376851",
    "student_set": "51ddd796ee2d",
    "student_set_scored": "ee81de58a451",
    "flip": "f9d63912a788",
    "flip_crop": "d28213c2482c",
    "cutout": "000f1bc27b2c",
    "mixup": "25b8a462f252",
    "cutmix": "e89cbc245f70",
    "rand_augment": "2c71d69f6d52",
    "baseline_long": "c09303126150",
    "flip_crop_long": "e4270cb2ccb2",
    "cutmix_long": "7aa194d69ab2",
    "student_set_long": "a2b924168640",
    "wide": "f802137c9638",
    "flip_crop_wide": "1704f5b4208f",
    "flip_crop_4_blocks": "74cfcbc81c6c",
    "stored_1": "05a7a04925ab",
    "stored_3": "9915107dccfd",
    "stored_7": "edf49927e33f",
    "quarter_unchanged": "1c261f1077e7",
    "stored_leak": "99977b8c1f1d",
    "fast": "c4477a309f25",
    "fast_wide": "8fb551c97ec0",
    "fast_wide_long": "38e332a73db3",
    "fast_wide_long_cutmix": "ac0b6ea3fc6c",
    "fast_gpu": "e210367a0e6f",
    "wide_and_long": "3f8185cd1a98",
    "wide_and_long_without_cutmix": "cd39601f50d4",
    "fast_trained_stem": "cdd81adb8d5a",
    "fast_random_start": "3af7f6a6f768",
    "fast_no_shortcuts": "03efc722f5fd",
    "fast_relu": "702286b8eaee",
    "fast_mean_pooling": "7d052c5bc178",
    "fast_long_memory": "a7579bcea306",
    "fast_plain_logits": "53aff298347d",
    "fast_full_size": "3da8a098c1a3",
    "fast_hard_labels": "bc93d31fb14b",
    "fast_cosine": "701ba57d8338",
    "fast_random_flip": "db84eb31afa1",
    "fast_no_crop": "fc1f1e47eb41",
    "fast_lookahead": "ab5c58856ca0",
    "fast_cutout": "4b31ec52914c",
    "fast_mixup": "dc43e2e96aee",
    "fast_full_size_shorter": "dfa24b6c31b0",
    "fast_sgd": "1709be9b4ced",
    "fast_sgd_02": "7b1c3e02c94b",
    "fast_sgd_2": "0b3e07fb5d54",
    "frozen_96": "60d392869fa2",
    "frozen_32": "160cb389fa6c",
    "frozen_64": "3b8947efdbfd",
    "frozen_128": "8b298cb18518",
    "frozen_160": "38835fbc4e2d",
    "frozen_224": "0cc647cf65c8",
    "frozen_96_of_5": "8df4f69acfc2",
    "frozen_96_of_25": "8a5da8c73935",
    "frozen_96_of_100": "b3264820007c",
    "finetuned_64": "7237088d45d3",
    "finetuned_64_one_rate": "1c3dcd5adec2",
    "finetuned_64_small_rate": "6aeeea3d8a90",
    "finetuned_64_all_statistics": "19a54e303455",
    "from_scratch_64": "4dda47bcb51d",
    "from_scratch_64_large_rate": "bc94730c84e6",
    "finetuned_64_no_augmentation": "40ad016fe4b2",
    "finetuned_96": "fdd23b7d2f8e",
    "finetuned_160": "5777e56ee17f",
    "finetuned_224": "5171fac0a7fe",
    "finetuned_224_lite2": "39ca681c11fe",
}

# The defaults that ids leave out: were one to change, old records would be misread.
FROZEN = {
    "arguments": {},
    "augmentation": (),
    "crop_padding": 4,
    "stored_copies": None,
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "momentum": 0.9,
    "weight_decay": 0.0,
    "schedule": "constant",
    "warmup": 0.25,
    "epochs": 20,
    "batch_size": 128,
    "label_smoothing": 0.0,
    "dropout": 0.0,
    "early_stopping": None,
    "precision": "float32",
    "evaluations": (),
    "image_sizes": (),
    "images_per_class": None,
    "muon_learning_rate": 0.13,
    "muon_momentum": 0.6,
    "lookahead": None,
    "layer_decay": 1.0,
    "unchanged": 0.0,
}


def test_every_id_is_pinned():
    assert {e.name: e.id for e in EXPERIMENTS.values()} == IDS


def test_defaults_that_ids_leave_out_never_change():
    assert {key: DEFAULTS[key] for key in FROZEN} == FROZEN


def test_a_setting_at_its_default_leaves_the_id_alone():
    """This is what lets a new setting come without making records stale."""
    bare = Experiment(name="a", architecture="simple_cnn")
    spelled = Experiment(name="a", architecture="simple_cnn", **FROZEN)
    assert bare.id == spelled.id


def test_name_and_story_are_not_part_of_the_id():
    base = get("simple_cnn")
    told = replace(base, name="other", claim="new words", seeds=3, kind="confirmatory")
    assert told.id == base.id


def test_every_setting_is_part_of_the_id():
    base = get("student_set")  # augmented, as some settings ask
    changes = {
        "architecture": "resnet",
        "arguments": {"filters": (8, 8)},
        "augmentation": ("flip",),
        "crop_padding": 2,
        "stored_copies": 3,
        "optimizer": "sgd",
        "learning_rate": 5e-4,
        "momentum": 0.8,
        "weight_decay": 0.3,
        "schedule": "cosine",
        "warmup": 0.1,
        "epochs": 7,
        "batch_size": 64,
        "label_smoothing": 0.1,
        "dropout": 0.5,
        "early_stopping": 3,
        "precision": "mixed_bfloat16",
        "evaluations": ("flip_tta",),
        "image_sizes": ((20, 0.5), (32, 1)),
        "images_per_class": 5,
        "muon_learning_rate": 0.2,
        "muon_momentum": 0.9,
        "lookahead": 0.95,
        "layer_decay": 0.8,
        "unchanged": 0.25,
    }
    ids = {key: child(base, "x", **{key: value}).id for key, value in changes.items()}
    assert changes.keys() == {"architecture", *DEFAULTS}
    assert len({base.id, *ids.values()}) == len(changes) + 1


def test_a_child_changes_one_setting():
    base = get("simple_cnn")
    with pytest.raises(UserError, match="change one setting"):
        child(base, "x", epochs=3, learning_rate=1e-4)
    with pytest.raises(UserError, match="change one setting"):
        child(base, "x", arguments={"filters": (8,), "dense_units": 5})
    wide = child(base, "wide", arguments={"dense_units": 256})
    with pytest.raises(UserError, match="change one setting"):
        child(wide, "x", arguments={})
    with pytest.raises(UserError, match="has already"):
        child(wide, "x", arguments={"dense_units": 256})
    with pytest.raises(UserError, match="change one setting"):
        child(base, "x")
    with pytest.raises(UserError, match="has already"):
        child(base, "x", epochs=15)


def test_a_child_keeps_the_other_arguments_of_the_network():
    wide = child(get("simple_cnn"), "wide", arguments={"dense_units": 256})
    both = child(wide, "both", arguments={"filters": (8, 8)})
    assert dict(both.arguments) == {"dense_units": 256, "filters": (8, 8)}
    assert both.parent == "wide"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"optimizer": "adamm"}, "did you mean 'adam'"),
        ({"learning_rate": "fast"}, "learning_rate is a number"),
        ({"learning_rate": -1.0}, "at least 0"),
        ({"epochs": 2.5}, "epochs is an integer"),
        ({"epochs": 0}, "at least 1"),
        ({"dropout": 1.5}, "from 0 to 1"),
        ({"augmentation": ("flop",)}, "did you mean 'flip'"),
        ({"augmentation": "flip"}, "is a tuple"),
        ({"augmentation": ("flip", "alternating_flip")}, "choose one"),
        ({"early_stopping": 0}, "at least 1"),
        ({"batch_size": True}, "batch_size is an integer"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(change, words):
    with pytest.raises(UserError, match=words) as caught:
        child(get("simple_cnn"), "x", **change)
    assert "\n" not in str(caught.value)


def test_unknown_experiment_names_the_nearest():
    with pytest.raises(UserError, match="did you mean 'simple_cnn_short'"):
        get("simple_cnn_shrt")


def test_every_parent_is_an_experiment():
    parents = {e.parent for e in EXPERIMENTS.values()} - {None}
    assert parents <= EXPERIMENTS.keys()


def test_every_child_differs_from_its_parent_in_one_setting():
    differing = {e.name: len(change(e)) for e in EXPERIMENTS.values() if e.parent}
    assert {name: n for name, n in differing.items() if n != 1} == {}


def test_every_row_of_the_ladder_is_there():
    rows = {e.row for e in EXPERIMENTS.values()}
    assert rows >= {f"S{number}" for number in range(1, 20)}


def test_confirmatory_contrasts_are_few_and_have_five_seeds():
    """Holm's correction counts them all, so their number is part of the plan."""
    confirmatory = [e for e in EXPERIMENTS.values() if e.kind == "confirmatory"]
    assert len(confirmatory) <= 20
    for e in confirmatory:
        assert e.seeds == EXPERIMENTS[e.parent].seeds == 5, e.name
        assert e.claim
        assert not e.gpu


def test_no_two_experiments_are_the_same():
    ids = [e.id for e in EXPERIMENTS.values()]
    assert len(set(ids)) == len(ids)
