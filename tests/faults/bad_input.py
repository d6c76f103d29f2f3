"""A table of wrong input to the commands.

A case is (what stands in the home, the command line, words of its one line).
"""

from pathlib import Path

import numpy as np
from wrong_homes import (
    ARCHIVE,
    CODE,
    a_network,
    archive,
    broken_record,
    cut_pack,
    holding,
    link,
    nothing,
    npz_bomb,
    pack,
    recorded,
    sparse,
)

from cifar100.experiments import get
from cifar100.official import FILES, FOLDER

CUP = str(Path(__file__).parents[1] / "pictures" / "cup.webp")
EACH = tuple(f"{FOLDER}/{name}" for name in FILES)
NO_TARGET = "is no plain file or leads elsewhere"
TRAIN = ["train", "simple_cnn"]
SET = [*TRAIN, "--set"]
HEAD = ["train", "frozen_96", "--set"]
UNPACK = ["record", "--unpack", "visit.zip"]
SOURCE = ["data", "--source"]
PREDICT = ["predict", CUP]
STATUS = ["compare", "simple_cnn_short", "simple_cnn"]
DEEP = "[" * 100_000

COMMAND_LINE = [
    (nothing, ["statuss"], "No such command"),
    (nothing, ["train"], "Missing argument"),
    (nothing, [*TRAIN, "lenet5"], "unexpected extra argument"),
    (nothing, [*TRAIN, "--epochs", "3"], "No such option"),
    (nothing, ["train", "simple_cn"], "did you mean 'simple_cnn'"),
    (nothing, ["train", ""], "unknown experiment ''"),
    (nothing, ["train", "../simple_cnn"], "unknown experiment '../simple_cnn'"),
    (nothing, ["train", "a\nb\x1b[31m"], "unknown experiment 'a b [31m'"),
    (nothing, [*TRAIN, "--seed", "-1"], "'--seed'"),
    (nothing, [*TRAIN, "--seed", "one"], "'--seed'"),
    (nothing, [*TRAIN, "--seed", "1.5"], "'--seed'"),
    (nothing, [*TRAIN, "--seed", "1", "--seed", "1"], "seed 1 is given twice"),
    (nothing, [*TRAIN, "--threads", "0"], "'--threads'"),
    (nothing, [*TRAIN, "--profile", "quik"], "did you mean 'quick'"),
    (nothing, [*TRAIN, "--profile", "read"], "unknown profile 'read'"),
    (nothing, [*TRAIN, "--profile", ""], "unknown profile ''"),
    (recorded(), TRAIN, "simple_cnn, seed 0 is recorded already"),
    (holding("records", "a file"), TRAIN, "is read-only or no folder"),
    (nothing, ["record", "--set", "lader"], "did you mean 'ladder'?"),
    (nothing, ["record", "--set", "gpu", "--only", "lenet5"], "exclude each other"),
    (nothing, ["record", "--only", "simple"], "unknown experiment 'simple'"),
    (nothing, ["record", "--only", "vgg16_ful"], "did you mean 'vgg16_full'"),
    (nothing, ["train", "fast"], "the seconds of 'fast' count; add --exclusive"),
    (nothing, ["record", "--workers", "0"], "'--workers'"),
    (nothing, ["record", "--workers", "2", "--exclusive"], "leave out --workers"),
    (nothing, ["record", "--budget", "soon"], "'soon' is no time"),
    (nothing, ["record", "--budget", "2 hours"], "'2 hours' is no time"),
    (nothing, ["record", "--budget", "-1h"], "'-1h' is no time"),
    (nothing, ["record", "--pack", "/"], "/ is a folder; name a file"),
    (nothing, [*UNPACK, "--budget", "1h"], "--unpack stands alone"),
    (nothing, [*UNPACK, "--rehearsal"], "--unpack stands alone"),
    (nothing, ["compare", "simple_cnn"], "Missing argument"),
    (nothing, ["compare", "simple_cnn_shrt", "simple_cnn"], "'simple_cnn_short'"),
    (nothing, ["compare", "simple_cnn", "simple_cnn"], "against itself"),
    (nothing, STATUS, "have 0 recorded seeds in common"),
    (nothing, ["export", "simple_cn"], "did you mean 'simple_cnn'"),
    (nothing, ["export", "lenet5", "--seed", "-1"], "'--seed'"),
    (holding("out", ""), ["export", "lenet5", "--output", "out"], "not a folder"),
    (holding("weights", ""), ["export", "lenet5"], "is read-only or no folder"),
]

SETTINGS = [
    (nothing, [*SET, "epochs"], "KEY=VALUE"),
    (nothing, [*SET, "=3"], "no setting ''"),
    (nothing, [*SET, "epoch=3"], "did you mean 'epochs'"),
    (nothing, [*SET, "name=other"], "no setting 'name'"),
    (nothing, [*SET, "parent=lenet5"], "no setting 'parent'"),
    (nothing, [*SET, "seeds=99"], "no setting 'seeds'"),
    (nothing, [*SET, "arguments=5"], "names the argument itself"),
    (nothing, [*SET, "epochs=3", "--set", "dropout=0.1"], "changes one setting"),
    (
        nothing,
        [*SET, f"epochs={get('simple_cnn').epochs}"],
        "is what simple_cnn has already",
    ),
    (nothing, [*SET, "epochs=many"], "epochs is an integer at least 1, not 'many'"),
    (nothing, [*SET, "epochs="], "epochs is an integer at least 1, not ''"),
    (nothing, [*SET, "nonsense=1"], "; one of architecture, augmentation, batch_size"),
    (nothing, [*SET, "epochs=0"], "epochs is an integer at least 1, not 0"),
    (nothing, [*SET, "epochs=1.5"], "epochs is an integer"),
    (nothing, [*SET, "epochs=true"], "epochs is an integer"),
    (nothing, [*SET, "epochs=null"], "epochs is an integer"),
    (nothing, [*SET, f"epochs={DEEP}"], "epochs is an integer"),
    (nothing, [*SET, "learning_rate=NaN"], "learning_rate is a number"),
    (nothing, [*SET, "learning_rate=Infinity"], "learning_rate is a number"),
    (nothing, [*SET, "learning_rate=1e999"], "learning_rate is a number"),
    (nothing, [*SET, "learning_rate=-1"], "learning_rate is a number above 0"),
    (nothing, [*SET, "learning_rate=0"], "learning_rate is a number above 0"),
    (nothing, ["train", "fast", "--set", "momentum=0"], "momentum is above 0, not 0"),
    (nothing, [*SET, "weight_decay=NaN"], "weight_decay is a number"),
    (nothing, [*SET, "dropout=1.5"], "dropout is a number from 0 to 1, not 1.5"),
    (nothing, [*SET, "lookahead=NaN"], "lookahead is a number from 0 to 1, not nan"),
    (nothing, [*SET, "batch_size=0"], "batch_size is an integer"),
    (nothing, [*SET, "schedule=linear"], "schedule can't be 'linear'"),
    (nothing, [*SET, 'schedule={"a": 1}'], "schedule can't be"),
    (nothing, [*SET, "optimizer=[]"], "optimizer can't be '()'"),
    (nothing, [*SET, "augmentation=flip"], "a tuple of names (with --set"),
    (nothing, [*SET, 'augmentation=["spin"]'], "augmentation can't be 'spin'"),
    (nothing, [*SET, 'augmentation=["flip","alternating_flip"]'], "choose one"),
    (nothing, [*SET, "image_sizes=[16]"], "image_sizes are pairs"),
    (nothing, [*SET, "image_sizes=[[20,0.5],[32,1]]"], "inputs of one size"),
    (nothing, [*HEAD, 'augmentation=["flip"]'], "takes features, not pictures"),
    (nothing, [*HEAD, 'evaluations=["flip_tta"]'], "leave out 'flip_tta'"),
    (nothing, ["train", "stored_1", "--set", "images_per_class=9"], "leave out images"),
    (nothing, [*SET, "images_per_class=451"], "from 1 to 450, not 451"),
    (nothing, [*SET, "architecture=resnet_18"], "'resnet'"),
    (nothing, [*SET, "filters=NaN"], "filters is a tuple of integers (with"),
    (nothing, [*SET, "filters=[8,-1]"], "simple_cnn: "),
    (nothing, ["train", "vgg16", "--set", "depth=17"], "none of 11, 13, 16, 19"),
    (nothing, ["train", "alexnet", "--set", "batch_norm=none"], "is true or false"),
    (nothing, ["train", "lenet5", "--set", "filters=[6]"], "a tuple of 2 integers"),
    (nothing, ["train", "lenet5", "--set", "pooling=3"], "pooling is a word, not 3"),
    (nothing, ["train", "lenet5", "--set", "pooling=min"], "pooling: 'min' is none of"),
    (nothing, ["train", "resnet20", "--set", "width=x"], "an integer or null, not 'x'"),
]

DATA = [
    (nothing, [*SOURCE, "nowhere.tar.gz"], "'nowhere.tar.gz' (asked for"),
    (nothing, [*SOURCE, "."], "holds no CIFAR-100"),
    (holding(ARCHIVE, "text"), [*SOURCE, ARCHIVE], "not a whole archive"),
    (holding(ARCHIVE, b"\x1f\x8b\x08"), [*SOURCE, ARCHIVE], "not a whole archive"),
    (archive(), [*SOURCE, ARCHIVE], f"has no {FOLDER}/meta"),
    (archive(("cifar-10-python/train", b"")), [*SOURCE, ARCHIVE], "has no"),
    (archive(("../train", b"x")), [*SOURCE, ARCHIVE], NO_TARGET),
    (archive((f"{FOLDER}/../../x", b"x")), [*SOURCE, ARCHIVE], NO_TARGET),
    (archive(link(EACH[0], "/etc/passwd")), [*SOURCE, ARCHIVE], NO_TARGET),
    (archive(link(FOLDER, "..")), [*SOURCE, ARCHIVE], NO_TARGET),
    (archive(sparse(EACH[0], 2**40)), [*SOURCE, ARCHIVE], "CIFAR-100"),
    (archive(*((n, CODE) for n in EACH)), [*SOURCE, ARCHIVE], "asks for os.system"),
    (archive(*((n, b"") for n in EACH)), [*SOURCE, ARCHIVE], "is truncated"),
    (archive(*((n, b"}.") for n in EACH)), [*SOURCE, ARCHIVE], "is altered"),
    (holding(f"{FOLDER}/meta", CODE), [*SOURCE, FOLDER], "asks for os.system"),
    (holding(f"{FOLDER}/meta", "rubbish"), [*SOURCE, FOLDER], "damaged"),
]

RECORDS = [
    (recorded(schema=99), STATUS, "schema 99 is unknown"),
    (recorded(schema="1"), STATUS, "schema '1' is unknown"),
    (recorded(schema=None), STATUS, "schema None is unknown"),
    (broken_record("[]"), STATUS, "schema None is unknown"),
    (broken_record('{"schema": 1'), STATUS, "not a readable record"),
    (broken_record(""), STATUS, "not a readable record"),
    (broken_record(b"\xff\xfe{"), STATUS, "not a readable record"),
    (broken_record(DEEP), STATUS, "not a readable record"),
    (broken_record('{"schema": 1}'), STATUS, "experiment, id, seed"),
    (recorded(metrics={}), STATUS, "metrics lacking"),
    (recorded(metrics={"val_top1": "high"}), STATUS, "metrics lacking"),
    (recorded(metrics={"val_top1": 0.5}), STATUS, "metrics lacking"),
    (recorded(versions={}), STATUS, "versions lacking"),
    (recorded(seed="0"), STATUS, "seed lacking"),
    (recorded(device=None), STATUS, "device lacking"),
    (recorded(fingerprint={"macs": 1}), ["status"], "fingerprint lacking"),
    (recorded(epochs=[3]), ["check", "--no-fingerprints"], "epochs lacking"),
    (recorded(id=["x"]), ["train", "simple_cnn"], "id lacking"),
    (nothing, UNPACK, "visit.zip: No such file"),
    (holding("visit.zip", "text"), UNPACK, "is not a whole pack of records"),
    (cut_pack, UNPACK, "is not a whole pack of records"),
    (pack(("../evil", "x")), UNPACK, "'../evil', which is of no record"),
    (pack(("records/none/seed-0.json", "{}")), UNPACK, "which is of no record"),
    (pack(("records/simple_cnn/seed-0.exe", "")), UNPACK, "which is of no record"),
]

NETWORKS = [
    (nothing, PREDICT, "weights/ holds no network yet"),
    (a_network(), [*PREDICT, "--network", "lennet5"], "did you mean 'lenet5'"),
    (a_network(), [*PREDICT, "--network", "zzz"], "it holds lenet5"),
    (a_network(), [*PREDICT, "--network", "no.npz"], "no.json: No such file"),
    (a_network(), PREDICT, "is of another version of this network"),
    (a_network({"sha256": "0"}), PREDICT, "damaged, its checksum differs"),
    (a_network({"schema": 2}), PREDICT, "schema 2 is unknown"),
    (a_network({"temperature": float("nan")}), PREDICT, "no facts of a network"),
    (a_network({"val": []}), PREDICT, "no facts of a network"),
    (a_network({"id": "0" * 12}), PREDICT, "not those of its id"),
    (a_network({"settings": {"new": 1}}), PREDICT, "settings that this version"),
    (a_network({"settings": []}), PREDICT, "no facts of a network"),
    (a_network(arrays={"x": np.array([{}])}), PREDICT, "holds no weights"),
    (npz_bomb, PREDICT, "unpacks to more than"),
    (holding("weights/lenet5.json", "{"), PREDICT, "no facts of a network"),
    (holding("weights/lenet5.json", DEEP), PREDICT, "no facts of a network"),
    (a_network(), [*PREDICT, "--save-view", "view.gif"], "writes PNG"),
    (a_network(), ["predict"], "Missing argument"),
]
