"""The published list of copies of training images in the test set, and our search.

Barz & Denzler 2020 (*J. Imaging* 6(6):41) compared the features of a trained network,
looked at the nearest training image of each test image, and judged by eye. The list is
theirs: it is fetched from where they publish it, and not part of the course.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cifar100 import paths
from cifar100.data_study.copies import DAMPING, Sketch, likeness
from cifar100.errors import DataMissing

SOURCE = (
    "https://raw.githubusercontent.com/cvjena/cifair/"
    "4c2764277f5fda8fec6784a78c1818eab13236c5/meta/duplicates_cifar100.csv"
)
SHA256 = "3891498a862f2d73df00cd5dc2ee9ae2b6dccf5238691d3c29d9abb12e1c63cb"
JUDGEMENTS = ("exact", "near", "similar")  # 0, 1 and 2 in their column `Judgment`
DIRECTIONS = 256  # of the features, those in which training images vary most
ROWS = 512  # test images at a time: 100 MB of products


def listed_copies() -> pd.DataFrame:
    """The published list, a row for each test image that is on it, in their order.

    `test` and `train` are places among the official 10,000 and 50,000; `judgement` is
    "exact" (equal but for a few pixels), "near" (one photograph, processed in two ways)
    or "similar" (two photographs that differ at a second glance).

    Fetched once and kept in the cache. Raises `DataMissing` when it can't be had.
    """
    import pooch  # here, since it brings a progress bar that speaks up in notebooks

    folder = paths.cache() / "cifair"
    pooch.get_logger().setLevel("ERROR")
    try:
        path = pooch.retrieve(SOURCE, f"sha256:{SHA256}", SOURCE.split("/")[-1], folder)
    except Exception as error:  # of the network, the proxy, TLS, the checksum
        raise DataMissing(
            f"The list of copies can't be fetched ({type(error).__name__}); put "
            f"{SOURCE} into {folder} and try again."
        ) from None
    read = pd.read_csv(path)
    return pd.DataFrame(
        {
            "test": read["TestID"],
            "train": read["TrainID"],
            "judgement": [JUDGEMENTS[number] for number in read["Judgment"]],
        }
    )


def whitened(known: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features (M, D) and (N, D) as float32 rows of length 1, made comparable.

    As `sketcher` does with pixels: the mean of `known` is taken off, and each of the
    `DIRECTIONS` in which `known` varies most is divided by its standard deviation.
    """
    mean = known.mean(axis=0)
    variances, vectors = np.linalg.eigh(np.cov(known, rowvar=False))
    variances, vectors = variances[-DIRECTIONS:], vectors[:, -DIRECTIONS:]
    damping = DAMPING * variances.mean()
    directions = (vectors / np.sqrt(variances + damping)).astype(np.float32)
    both = ((rows - mean) @ directions for rows in (known, test))
    one, other = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in both)
    return one, other


def nearest(
    test: Sketch, known: Sketch, test_features: np.ndarray, known_features: np.ndarray
) -> dict[str, np.ndarray]:
    """How alike each test image and the training image nearest to it are, (N,) each.

    "pixels": `likeness` of the sketches; "features": cosine of the `whitened` features;
    "both": the sum of the two, of one and the same training image. Rows of sketches and
    features belong to the same images.
    """
    old, new = whitened(known_features, test_features)
    parts = []
    for first in range(0, len(new), ROWS):
        rows = slice(first, first + ROWS)
        pixels = likeness(Sketch(test.even[rows], test.odd[rows]), known)
        cosine = new[rows] @ old.T
        parts.append([x.max(axis=1) for x in (pixels, cosine, pixels + cosine)])
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    return dict(zip(("pixels", "features", "both"), columns, strict=True))


def judge_searches(
    found: dict[str, np.ndarray], listed: pd.DataFrame, precision: float
) -> dict:
    """Searches by the likeness (N,) that each gives, held against the published list.

    For each, a cut is chosen on the test images with an even index, so that at least
    `precision` of what it finds there is listed; all figures are those of the odd ones.
    `searches` holds by name: `cut`, `precision`, `recall`, a `curve` of both over many
    cuts, and `images`, all that are found at the cut, even or odd. `listed` holds the
    columns of that table, of which `test` is looked at. JSON values.
    """
    count = len(next(iter(found.values())))
    is_listed = np.zeros(count, bool)
    is_listed[listed["test"]] = True
    even = np.arange(count) % 2 == 0
    searches = {}
    for name, values in found.items():
        cut = cut_for(precision, values[even], is_listed[even])
        cuts = np.quantile(values, 1 - np.geomspace(2e-3, 0.5, 60))
        curve = agreement(values[~even], is_listed[~even], [cut, *cuts])
        searches[name] = {
            "cut": cut,
            "precision": float(curve["precision"][0]),
            "recall": float(curve["recall"][0]),
            "curve": {k: curve[k][1:].tolist() for k in ("precision", "recall")},
            "images": np.flatnonzero(values >= cut).tolist(),
        }
    columns = listed.to_dict("list")
    return {"images": count, "listed": columns, "searches": searches}


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
    """The lowest likeness from which on at least that share of what is found is listed;
    infinite if there is none. `likeness` float (N,), `listed` bool (N,)."""
    order = np.argsort(-likeness, kind="stable")
    shares = np.cumsum(listed[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(shares >= precision)
    return float(likeness[order[good[-1]]]) if len(good) else np.inf
