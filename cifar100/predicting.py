"""What a stored network says of pictures that people bring."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.text import Text

from cifar100 import calibration, weights
from cifar100.class_names import COARSE_NAMES, COARSE_OF_FINE, FINE_NAMES
from cifar100.errors import UserError
from cifar100.files import whole_file
from cifar100.pictures import read_picture, shown

SHOWN = 5  # classes that are named
ENLARGED = 8  # times, in a saved view


@dataclass(frozen=True)
class Guess:
    """A class, its superclass, and its calibrated probability."""

    name: str
    superclass: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """What a network says of one picture.

    `view` is what it saw, uint8 (32, 32, 3), `top5` its guesses, the likeliest first.
    `warning` says when that is more likely wrong than right, else it is None.
    """

    network: str
    file: str
    view: np.ndarray
    top5: list[Guess]
    warning: str | None

    def as_json(self) -> dict[str, Any]:
        """Without the view, as JSON values."""
        top5 = [
            {"class": g.name, "superclass": g.superclass, "probability": g.probability}
            for g in self.top5
        ]
        return {
            "network": self.network,
            # A name need not be UTF-8, JSON is.
            "file": os.fsencode(self.file).decode("utf-8", "replace"),
            "top5": top5,
            "warning": self.warning,
        }


def predict(
    pictures: Iterable[Path | str],
    network: str | None = None,
    *,
    save_view: Path | None = None,
) -> list[Prediction]:
    """What `network` says of picture files, in their order.

    `network` is a name in `weights/`, a short name of one ("transfer"), or the path of
    an exported .npz; by default `weights.best()`. Probabilities are softmax with the
    temperature that was fitted on val. All pictures are read before any is predicted:
    where one can't be read nothing is, and a single `UserError` names every bad one.
    Raises `UserError` for an unknown network and damaged weights, too, and
    `WeightsMissing` where a network needs ImageNet weights that can't be had.
    `save_view` is a PNG to write: what the network saw, side by side, each pixel
    enlarged 8 times.
    """
    files = [Path(picture) for picture in pictures]
    if save_view:
        _check_view_path(Path(save_view), files)
    network = weights.SHORT_NAMES.get(network, network) or weights.best()
    weights.facts(network)  # refuses wrong names before pictures and engine are loaded
    views = _views(files)
    if not files:
        return []
    model, facts = weights.load(network)
    logits = weights.logits(model, views)
    probabilities = calibration.probabilities(logits, facts["temperature"])
    if save_view:
        _save_views(views, Path(save_view))
    return [
        Prediction(
            network=network,
            file=str(file),
            view=view,
            top5=_likeliest(row),
            warning=_warning(row.max(), facts["doubt_below"]),
        )
        for file, view, row in zip(files, views, probabilities, strict=True)
    ]


def print_predictions(
    predictions: list[Prediction], console: Console | None = None
) -> None:
    """Print a few lines a picture; in a terminal with colours, the view as well."""
    console = console or Console(highlight=False, soft_wrap=True)
    for number, prediction in enumerate(predictions):
        if number:
            console.print()
        console.print(Text(f"{shown(prediction.file)}  ({prediction.network})"))
        if _has_colours(console):
            console.print(rendering(prediction.view))
        for guess in prediction.top5:
            likely = f"{100 * guess.probability:5.1f} %"
            console.print(Text(f"{likely}  {guess.name:14}  {guess.superclass}"))
        if prediction.warning:
            console.print(Text(f"warning: {prediction.warning}"))


def rendering(view: np.ndarray) -> Text:
    """A view, uint8 (H, W, 3), as H/2 lines of coloured half blocks: each character
    shows two pixels, the upper one by its own colour, the lower one by its ground."""
    text = Text()
    for upper, lower in zip(view[0::2], view[1::2], strict=True):
        for over, under in zip(upper, lower, strict=True):
            text.append("▀", style=f"{_hex(over)} on {_hex(under)}")
        text.append("\n")
    text.right_crop(1)
    return text


def _check_view_path(path: Path, pictures: list[Path]) -> None:
    """Raise `UserError` where no view should be written."""
    if path.suffix.lower() != ".png":
        raise UserError(f"--save-view {shown(path)}: writes PNG; name it so: view.png")
    if path.is_dir():
        raise UserError(f"--save-view {shown(path)}: a folder; name a file in it")
    if os.path.realpath(path) in map(os.path.realpath, pictures):
        raise UserError(f"--save-view {shown(path)}: would replace the picture itself")


def _save_views(views: np.ndarray, path: Path) -> None:
    row = np.concatenate(list(views), axis=1)
    large = row.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    with whole_file(path) as file:
        Image.fromarray(large).save(file, format="PNG")


def _views(files: list[Path]) -> np.ndarray:
    """All pictures, uint8 (N, 32, 32, 3), or `UserError` with every bad one."""
    views, problems = [], []
    for file in files:
        try:
            views.append(read_picture(file))
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("; ".join(problems))
    return np.array(views, np.uint8)


def _likeliest(probabilities: np.ndarray) -> list[Guess]:
    order = np.argsort(-probabilities, kind="stable")[:SHOWN]
    return [
        Guess(
            name=FINE_NAMES[k],
            superclass=COARSE_NAMES[COARSE_OF_FINE[k]],
            probability=float(probabilities[k]),
        )
        for k in order
    ]


def _warning(top: float, doubt_below: float) -> str | None:
    """Words where `top` is so low that on val most such answers were wrong."""
    if top >= doubt_below:
        return None
    return (
        f"nothing is likely: where its first class has less than "
        f"{100 * doubt_below:.0f} %, this network is more often wrong than right"
    )


def _has_colours(console: Console) -> bool:
    blocks = (console.encoding or "").lower().startswith("utf")
    return console.is_terminal and console.color_system is not None and blocks


def _hex(pixel: np.ndarray) -> str:
    red, green, blue = (int(value) for value in pixel)
    return f"#{red:02x}{green:02x}{blue:02x}"
