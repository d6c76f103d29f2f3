"""`cifar100 predict`: what it says of pictures, and what it refuses."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from cifar100 import calibration, models, predicting, weights
from cifar100.class_names import COARSE_NAMES, COARSE_OF_FINE, FINE_NAMES
from cifar100.cli import main
from cifar100.errors import UserError
from cifar100.experiments import get
from cifar100.pictures import read_picture

FOLDER = Path(__file__).parent / "pictures"
PICTURES = sorted(p for p in FOLDER.iterdir() if p.suffix != ".md")
CUP = FOLDER / "cup.webp"

pytestmark = pytest.mark.data  # a network is measured on val when it is stored


@pytest.fixture(scope="module")
def stored(tmp_path_factory, real_cache):
    """A weights/ with two networks: predicting needs no trained ones."""
    folder = tmp_path_factory.mktemp("stored")
    for name in ("lenet5", "simple_cnn"):
        experiment = get(name)
        arrays = [np.array(w) for w in models.build(experiment, seed=1).weights]
        weights.save(experiment, arrays, seed=1, output=folder)
    return folder


@pytest.fixture
def home_with_weights(home, stored):
    """A home without a data set, as of somebody who only wants to predict."""
    shutil.copytree(stored, weights.folder())
    return home


def change(name, **values):
    path = weights.folder() / f"{name}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.fixture
def command(capsys):
    """`cifar100 predict` in this process: exit code, output, errors."""
    kept = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
    }

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["predict", *map(str, arguments)])
        return ended.value.code, *capsys.readouterr()

    yield run
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_every_picture_gets_five_classes_and_their_probabilities(home_with_weights):
    found = predicting.predict(PICTURES, "simple_cnn")
    assert [prediction.file for prediction in found] == list(map(str, PICTURES))
    model, facts = weights.load("simple_cnn")
    for path, prediction in zip(PICTURES, found, strict=True):
        np.testing.assert_array_equal(prediction.view, read_picture(path))
        logits = weights.logits(model, prediction.view[None])
        expected = calibration.probabilities(logits, facts["temperature"])[0]
        assert len(prediction.top5) == 5
        assert prediction.top5[0].probability == pytest.approx(expected.max(), rel=1e-4)
        values = [guess.probability for guess in prediction.top5]
        assert values == sorted(values, reverse=True)
        for guess in prediction.top5:
            fine = FINE_NAMES.index(guess.name)
            assert guess.probability == pytest.approx(expected[fine], rel=1e-4)
            assert guess.superclass == COARSE_NAMES[COARSE_OF_FINE[fine]]


def test_the_temperature_counts(home_with_weights):
    change("lenet5", temperature=1.0)
    (one,) = predicting.predict([CUP], "lenet5")
    change("lenet5", temperature=0.5)
    (half,) = predicting.predict([CUP], "lenet5")
    assert half.top5[0].name == one.top5[0].name
    assert half.top5[0].probability > one.top5[0].probability


def test_a_warning_comes_below_the_limit_of_doubt_and_not_above(home_with_weights):
    (prediction,) = predicting.predict([CUP], "lenet5")
    top = prediction.top5[0].probability
    change("lenet5", doubt_below=top * 1.01)
    (below,) = predicting.predict([CUP], "lenet5")
    change("lenet5", doubt_below=top * 0.99)
    (above,) = predicting.predict([CUP], "lenet5")
    assert "nothing is likely" in below.warning
    assert above.warning is None


def test_without_a_name_the_best_network_on_val_answers(home_with_weights):
    change("lenet5", val={"top1": 0.3})
    change("simple_cnn", val={"top1": 0.4})
    assert predicting.predict([CUP])[0].network == "simple_cnn"
    change("lenet5", val={"top1": 0.5})
    assert predicting.predict([CUP])[0].network == "lenet5"


def test_a_head_whose_backbone_is_a_download_answers_only_when_asked(home_with_weights):
    change("lenet5", val={"top1": 0.3})
    settings = weights.facts("simple_cnn")["settings"]
    change(
        "simple_cnn",
        val={"top1": 0.9},
        settings=settings | {"architecture": "linear_head"},
    )
    assert predicting.predict([CUP])[0].network == "lenet5"


def test_short_names_are_those_of_networks_that_come_with_the_course():
    assert set(weights.SHORT_NAMES.values()) <= set(weights.names())


def test_a_short_name_stands_for_its_network(home_with_weights, monkeypatch):
    monkeypatch.setitem(weights.SHORT_NAMES, "short", "lenet5")
    (short,), (whole,) = (predicting.predict([CUP], n) for n in ("short", "lenet5"))
    assert short.as_json() == whole.as_json()


def test_a_network_elsewhere_is_named_by_its_file(home, stored):
    path = str(stored / "lenet5.npz")
    assert predicting.predict([str(CUP)], path)[0].network == path


def test_no_pictures_give_no_predictions(home_with_weights):
    assert predicting.predict([], "lenet5") == []


def test_one_bad_picture_stops_all_and_each_is_named(home_with_weights, tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    pictures = [CUP, tmp_path / "text.jpg", tmp_path / "missing.png"]
    view = tmp_path / "view.png"
    with pytest.raises(UserError) as caught:
        predicting.predict(pictures, "lenet5", save_view=view)
    for path in pictures[1:]:
        assert f"{path}: no " in str(caught.value)
    assert str(CUP) not in str(caught.value)
    assert not view.exists()


def test_the_view_is_saved_as_it_was_seen(home_with_weights, tmp_path):
    view = tmp_path / "view.png"
    found = predicting.predict(PICTURES[:2], "lenet5", save_view=view)
    with Image.open(view) as image:
        large = np.array(image)
    assert large.shape == (256, 512, 3)
    for number, prediction in enumerate(found):
        part = large[4::8, 256 * number + 4 : 256 * (number + 1) : 8]
        np.testing.assert_array_equal(part, prediction.view)


def test_a_view_replaces_no_picture_and_is_a_png(home_with_weights, tmp_path):
    own = Path(shutil.copy(FOLDER / "clock.png", tmp_path))
    for path, words in (
        (own, "would replace the picture itself"),
        (tmp_path / "view.jpg", "writes PNG"),
        (tmp_path, "writes PNG"),
    ):
        with pytest.raises(UserError, match=words):
            predicting.predict([own], "lenet5", save_view=path)
    assert own.read_bytes() == (FOLDER / "clock.png").read_bytes()


# The command


def test_json_is_one_object_and_nothing_else_is_printed(home_with_weights):
    line = [sys.executable, "-m", "cifar100", "predict", str(CUP), "--json"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=300)
    found = json.loads(done.stdout)
    assert found.keys() == {"network", "file", "top5", "warning"}
    assert found["file"] == str(CUP)
    kinds = {"class", "superclass", "probability"}
    assert [guess.keys() for guess in found["top5"]] == [kinds] * 5
    assert done.stderr == ""


def test_json_of_several_pictures_is_a_list(home_with_weights, command):
    code, out, _ = command(*PICTURES, "--json", "--network", "lenet5")
    assert code == 0
    assert [each["file"] for each in json.loads(out)] == list(map(str, PICTURES))
    assert {each["network"] for each in json.loads(out)} == {"lenet5"}


def test_a_file_name_need_not_be_text(home_with_weights, command, tmp_path):
    odd = os.fsencode(tmp_path) + b"/\xff.webp"
    Path(os.fsdecode(odd)).write_bytes(CUP.read_bytes())
    code, out, _ = command(os.fsdecode(odd), "--json", "--network", "lenet5")
    assert code == 0
    assert json.loads(out)["file"].endswith("/\N{REPLACEMENT CHARACTER}.webp")
    code, out, _ = command(os.fsdecode(odd), "--network", "lenet5")
    assert (code, out.splitlines()[0][-14:]) == (0, "?.webp  (lenet5)"[-14:])


def test_output_that_is_no_terminal_is_plain_lines(home_with_weights, capsys):
    change("lenet5", doubt_below=1.0)
    predicting.print_predictions(predicting.predict(PICTURES[:2], "lenet5"))
    first, second = capsys.readouterr().out.split("\n\n")
    lines = first.splitlines()
    assert lines[0] == f"{PICTURES[0]}  (lenet5)"
    assert [line.split()[1] for line in lines[1:6]] == ["%"] * 5
    assert lines[6].startswith("warning: nothing is likely")
    assert len(lines) == 7
    assert second.startswith(str(PICTURES[1]))
    assert "▀" not in first + second
    assert "\x1b" not in first + second


def test_a_terminal_shows_what_was_seen(home_with_weights, tmp_path):
    found = predicting.predict([CUP], "lenet5")
    with open(tmp_path / "out", "w+", encoding="utf-8") as file:
        options = {"force_terminal": True, "color_system": "truecolor", "width": 80}
        predicting.print_predictions(found, Console(file=file, **options))
        file.seek(0)
        lines = [line for line in file.read().splitlines() if "▀" in line]
    assert [line.count("▀") for line in lines] == [32] * 16
    over, under = found[0].view[2, 0], found[0].view[3, 0]
    colours = ";".join(map(str, [38, 2, *over, 48, 2, *under]))
    assert lines[1].startswith(f"\x1b[{colours}m▀")


def test_a_terminal_without_colours_or_blocks_gets_plain_lines(tmp_path, home):
    for encoding, system in (("utf-8", None), ("ascii", "standard")):
        with open(tmp_path / "out", "w+", encoding=encoding) as file:
            options = {"force_terminal": True, "color_system": system}
            view = np.zeros((32, 32, 3), np.uint8)
            predicted = predicting.Prediction("n", "f", view, [], None)
            predicting.print_predictions([predicted], Console(file=file, **options))
            file.seek(0)
            assert file.read() == "f  (n)\n"


WRONG = {
    "did you mean 'lenet5'": (CUP, "--network", "lennet5"),
    "it holds lenet5, simple_cnn": (CUP, "--network", "zzz"),
    "nowhere.json: No such file": (CUP, "--network", "nowhere.npz"),
    "missing.jpg: no such file": ("missing.jpg",),
    "a folder; name the pictures in it": (CUP, FOLDER),
    "README.md: no picture of a known kind": (FOLDER / "README.md",),
    "writes PNG": (CUP, "--save-view", "view.gif"),
    "Missing argument": (),
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_input_ends_in_one_line_with_2(home_with_weights, command, words):
    code, out, err = command(*WRONG[words])
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert words in err


def test_without_weights_the_command_says_how_to_make_them(home, command):
    code, out, err = command(CUP)
    assert (code, out) == (2, "")
    assert "cifar100 export NAME" in err
    assert err.count("\n") == 1


def test_help_has_an_example_that_works_here(command):
    code, out, _ = command("--help")
    assert code == 0
    (example,) = [line for line in out.splitlines() if "Example: " in line]
    name = example.split()[-1]
    assert (FOLDER.parent.parent / name).exists()
