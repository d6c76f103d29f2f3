"""The published list of copies of training images in the test set, and our search.

Barz & Denzler 2020 (*J. Imaging* 6(6):41) compared the features of a trained network,
looked at the nearest training image of each test image, and judged by eye. The list is
theirs: it is fetched from where they publish it, and not part of the course.
"""

import csv
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pooch

from cifar100 import paths
from cifar100.data_study.copies import Sketch, likeness
from cifar100.errors import DataMissing

SOURCE = (
    "https://raw.githubusercontent.com/cvjena/cifair/"
    "4c2764277f5fda8fec6784a78c1818eab13236c5/meta/duplicates_cifar100.csv"
)
SHA256 = "3891498a862f2d73df00cd5dc2ee9ae2b6dccf5238691d3c29d9abb12e1c63cb"
JUDGEMENTS = ("exact", "near", "similar")  # 0, 1 and 2 in their column `Judgment`
ROWS = 512  # test images at a time: 100 MB of products


def listed_copies() -> dict[str, list[int]]:
    """Test images of the published list, by judgement: "exact" (equal but for a few
    pixels), "near" (one photograph, processed in two ways) and "similar" (two
    photographs that differ at a second glance).

    Fetched once and kept in the cache. Raises `DataMissing` when it can't be had.
    """
    folder = paths.cache() / "cifair"
    pooch.get_logger().setLevel("ERROR")
    try:
        path = pooch.retrieve(SOURCE, f"sha256:{SHA256}", SOURCE.split("/")[-1], folder)
    except Exception as error:  # of the network, the proxy, TLS, the checksum
        raise DataMissing(
            f"The list of copies can't be fetched ({type(error).__name__}); put "
            f"{SOURCE} into {folder} and try again."
        ) from None
    found: dict[str, list[int]] = {name: [] for name in JUDGEMENTS}
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[JUDGEMENTS[int(row["Judgment"])]].append(int(row["TestID"]))
    return {name: sorted(images) for name, images in found.items()}


def nearest_by_pixels(test: Sketch, known: Sketch) -> np.ndarray:
    """Likeness of each test image to the training image that is most like it, (N,)."""
    parts = range(0, len(test.even), ROWS)
    rows = (Sketch(*(half[i : i + ROWS] for half in test)) for i in parts)
    return np.concatenate([likeness(part, known).max(axis=1) for part in rows])


def nearest_by_features(test: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Cosine of each test image's features with those of the nearest training image.

    Features (N, D) and (M, D), float32; what is common to all training images is taken
    off, and each feature is divided by its standard deviation, before angles are
    compared: (N,).
    """
    mean, deviation = known.mean(0), known.std(0) + 1e-6
    test, known = ((x - mean) / deviation for x in (test, known))
    test, known = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (test, known))
    parts = (test[i : i + ROWS] for i in range(0, len(test), ROWS))
    return np.concatenate([(part @ known.T).max(axis=1) for part in parts])


def judge_searches(
    likeness: dict[str, np.ndarray], listed: dict[str, list[int]], precision: float
) -> dict:
    """Searches by their likeness (N,), by name, held against the published list.

    For each, a cut is chosen on the test images with an even index, so that at least
    `precision` of what it finds there is listed; all figures are those of the odd ones.
    `searches` holds by name: `cut`, `precision`, `recall`, a `curve` of both over many
    cuts, and `images`, all that are found at the cut, even or odd. The last, "either",
    takes what any of the others finds, each at its own cut. JSON values throughout.
    """
    first = next(iter(likeness.values()))
    is_listed = np.zeros(len(first), bool)
    is_listed[[image for images in listed.values() for image in images]] = True
    odd = np.arange(len(first)) % 2 == 1
    searches, either = {}, np.zeros(len(first), bool)
    for name, values in likeness.items():
        cut = cut_for(precision, values[~odd], is_listed[~odd])
        cuts = np.quantile(values, 1 - np.geomspace(2e-3, 0.5, 60))
        curve = agreement(values[odd], is_listed[odd], cuts)
        searches[name] = _judged(values >= cut, is_listed, odd) | {
            "cut": cut,
            "curve": {key: curve[key].tolist() for key in ("precision", "recall")},
        }
        either |= values >= cut
    searches["either"] = _judged(either, is_listed, odd)
    return {"images": len(first), "listed": listed, "searches": searches}


def _judged(found: np.ndarray, listed: np.ndarray, odd: np.ndarray) -> dict:
    (row,) = agreement(found[odd].astype(float), listed[odd], [1.0]).to_dict("records")
    kept = {key: row[key] for key in ("precision", "recall")}
    return kept | {"images": np.flatnonzero(found).tolist()}


def agreement(
    likeness: np.ndarray, listed: np.ndarray, cuts: Sequence[float]
) -> pd.DataFrame:
    """How a search agrees with the list when all from a likeness on count as found.

    `likeness` (N,) of each test image to its nearest training image, `listed` bool
    (N,). A row a cut: `cut`, `found` (images), `precision` (of those found, the share
    that is listed; 1 without any) and `recall` (of those listed, the share found).
    """
    rows = []
    for cut in cuts:
        found = likeness >= cut
        both = int((found & listed).sum())
        rows.append(
            {
                "cut": float(cut),
                "found": int(found.sum()),
                "precision": both / int(found.sum()) if found.any() else 1.0,
                "recall": both / listed.sum(),
            }
        )
    return pd.DataFrame(rows)


def cut_for(precision: float, likeness: np.ndarray, listed: np.ndarray) -> float:
    """The lowest likeness from which on at least that share of what is found is listed,
    at this cut and at every higher one that finds 20 images or more."""
    order = np.argsort(-likeness, kind="stable")
    shares = np.cumsum(listed[order]) / np.arange(1, len(order) + 1)
    enough = shares >= precision
    enough[:20] = True
    first_bad = int(np.argmin(enough)) if not enough.all() else len(order)
    return float(likeness[order[max(first_bad - 1, 0)]])
