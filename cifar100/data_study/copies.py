"""The search for images that occur twice: byte for byte, or nearly."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from cifar100 import data
from cifar100.data_study.images import official_training, shrink

SIDE = 8  # copies are looked for in images of 8 × 8 blocks
DAMPING = 0.01  # added to the variance of each direction, in mean variances
FLOOR = 0.6  # pairs less alike than this are not kept
TOLERANCE = 0.05  # share of false pairs that we accept
EDGES = np.linspace(FLOOR, 1, 41)  # bins for likenesses
BLOCK = (1024, 4096)  # likenesses at a time: 16 MB


class Sketch(NamedTuple):
    """Images as rows of 192 numbers; the product of two rows is their likeness.

    `even` is what stays when an image is mirrored left to right, `odd` is what turns
    its sign: (N, 96) float32 each. A row of both together has length 1.
    """

    even: np.ndarray
    odd: np.ndarray


def sketcher(images: np.ndarray) -> Callable[[np.ndarray], Sketch]:
    """The function from images (N, 32, 32, 3) uint8 to a `Sketch`, fitted to `images`.

    Any two photographs resemble each other: the sky is bright, neighbours are alike.
    So the mean is taken off, and each direction is divided by its standard deviation
    (whitening). What is left is what tells an image from others.
    """
    even, odd = _halves(images)
    mean = even.mean(0)  # that of `odd` is 0 once each image counts mirrored too
    spectra = [np.linalg.eigh(half.T @ half / len(half)) for half in (even - mean, odd)]
    damping = DAMPING * np.concatenate([variances for variances, _ in spectra]).mean()
    maps = [vectors / np.sqrt(variances + damping) for variances, vectors in spectra]

    def sketch(images: np.ndarray) -> Sketch:
        even, odd = _halves(images)
        even, odd = (even - mean) @ maps[0], odd @ maps[1]
        length = np.sqrt((even**2).sum(1) + (odd**2).sum(1))[:, None]
        length = np.maximum(length, np.float32(1e-6))
        return Sketch(even / length, odd / length)

    return sketch


def likeness(a: Sketch, b: Sketch) -> np.ndarray:
    """How alike each of `a` and each of `b` are, from -1 to 1: as they stand, or
    with one of them mirrored, whichever is more. (N, M) float32."""
    return a.even @ b.even.T + np.abs(a.odd @ b.odd.T)


def identical(images: np.ndarray, others: np.ndarray | None = None) -> list[list[int]]:
    """Pairs of indices of images that are equal byte for byte.

    Within `images`, the smaller index first; or of `images` and of `others`.
    """
    places = defaultdict(list)
    for index, image in enumerate(images if others is None else others):
        places[_digest(image)].append(index)
    return [
        [index, other]
        for index, image in enumerate(images)
        for other in places.get(_digest(image), ())
        if others is not None or index < other
    ]


def copies_in_training(count: int | None = None) -> dict:
    """Pairs among the first `count` (all) official training images, with their labels.

    `identical` and `alike` are tables as dicts of columns: first, second (indices),
    likeness, first_class, second_class, first_in_val, second_in_val. `found` and
    `upside_down` count the pairs in the bins between `edges`; the second is the
    yardstick: there, one of the two images was turned upside down, so hardly any is a
    copy. `threshold` is the lowest likeness from which on the yardstick has at most
    TOLERANCE of the pairs found; `alike` holds those.
    """
    training = official_training(count)
    sketch = sketcher(training.images)
    known, turned = sketch(training.images), sketch(training.images[:, ::-1])
    found = sorted(_pairs(known, known, ordered=True), key=lambda pair: -pair[2])
    false = list(_pairs(turned, known, ordered=True))
    limit = threshold([p[2] for p in found], [p[2] for p in false])
    same = [(first, second, 1.0) for first, second in identical(training.images)]
    return {
        "images": len(training.images),
        "threshold": limit,
        "edges": EDGES.tolist(),
        "found": _histogram(found),
        "upside_down": _histogram(false),
        "false": sum(pair[2] >= limit for pair in false),
        "identical": _table(same, training),
        "alike": _table([pair for pair in found if pair[2] >= limit], training),
    }


def copies_in_test(limit: float, count: int | None = None) -> dict:
    """Copies of training images among the test images, the first `count` (all) of both.

    Tables as dicts of columns: `identical` with test and train (indices); `alike`,
    those with a likeness of at least `limit`, with test, train and likeness.
    """
    known, test = official_training(count).images, data.load("test").images[:count]
    sketch = sketcher(known)
    pairs = _pairs(sketch(test), sketch(known))
    alike = sorted((p for p in pairs if p[2] >= limit), key=lambda pair: -pair[2])
    return {
        "images": len(test),
        "identical": _columns(identical(test, known), ("test", "train")),
        "alike": _columns(alike, ("test", "train", "likeness")),
    }


def threshold(found: list[float], false: list[float]) -> float:
    """The lowest likeness, in hundredths, from which on every cut has at most TOLERANCE
    as many `false` pairs as `found` ones."""
    limit = 1.0
    for cut in np.arange(100, round(100 * FLOOR) - 1, -1) / 100:
        kept = np.count_nonzero(np.array(found) >= cut)
        if np.count_nonzero(np.array(false) >= cut) > TOLERANCE * kept:
            break
        limit = float(cut)
    return limit


def _halves(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The even and the odd half of shrunken images: (N, 96) float32 each."""
    small = shrink(images, SIDE)
    mirrored, left = small[:, :, ::-1], slice(0, SIDE // 2)
    even, odd = (small + mirrored)[:, :, left], (small - mirrored)[:, :, left]
    return even.reshape(len(small), -1), odd.reshape(len(small), -1)


def _pairs(
    a: Sketch, b: Sketch, *, ordered: bool = False
) -> Iterator[tuple[int, int, float]]:
    """(index in a, index in b, likeness) of all pairs with a likeness from FLOOR on; if
    `ordered`, only those whose first index is the smaller one."""
    for top in range(0, len(a.even), BLOCK[0]):
        rows = Sketch(*(half[top : top + BLOCK[0]] for half in a))
        start = top if ordered else 0
        for left in range(start, len(b.even), BLOCK[1]):
            columns = Sketch(*(half[left : left + BLOCK[1]] for half in b))
            values = likeness(rows, columns)
            for place in np.flatnonzero(values >= FLOOR):
                row, column = divmod(int(place), values.shape[1])
                if not ordered or top + row < left + column:
                    yield top + row, left + column, float(values[row, column])


def _digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()


def _histogram(pairs: list[tuple[int, int, float]]) -> list[int]:
    values = np.minimum([pair[2] for pair in pairs], 1.0)
    return np.histogram(values, EDGES)[0].tolist()


def _columns(rows: list, names: tuple[str, ...]) -> dict[str, list]:
    """Rows of numbers as a dict of columns, likenesses to four places."""
    return {
        name: [round(row[place], 4) for row in rows] for place, name in enumerate(names)
    }


def _table(pairs: list, training) -> dict[str, list]:
    table = _columns(pairs, ("first", "second", "likeness"))
    for side in ("first", "second"):
        index = np.array(table[side], int)
        names = [data.FINE_NAMES[label] for label in training.fine[index]]
        table[f"{side}_class"] = names
        table[f"{side}_in_val"] = training.in_val[index].tolist()
    return table
