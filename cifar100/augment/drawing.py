"""What happens to each picture of an epoch, drawn on the host by NumPy."""

import zlib

import numpy as np

SIZE = 32

# The student's text names ImageDataGenerator and gives no values. Assumed: the usual
# ones of its examples. They are drawn as it draws them: evenly, each side by itself.
ROTATION = 15.0  # degrees, both ways
SHIFT = 0.1  # of each side, both ways
ZOOM = 0.1  # around 1
BRIGHTNESS = 0.2  # around 1
CUTOUT = 8  # pixels, the side of the square
MIXING_ALPHA = 1.0  # of the Beta distribution, for mixup and CutMix

# What leaves a picture as it is, for each transform that experiments call STORABLE.
NEUTRAL = {
    "flip": np.bool_(False),
    "affine": np.eye(2, 3, dtype=np.float32),
    "brightness": np.float32(1),
}

ROUNDS = 2  # of RandAugment
OPERATIONS = (
    *("identity", "rotate", "shear_x", "shear_y", "translate_x", "translate_y"),
    *("brightness", "contrast", "color", "sharpness"),
    *("autocontrast", "solarize", "posterize", "equalize"),
)


def generator(seed: int, epoch: int, purpose: str) -> np.random.Generator:
    """The random stream of one purpose in one epoch of one run.

    Each purpose has its own: adding a crop to a recipe leaves its flips and its order
    of images as they were, and two such runs stay paired.
    """
    entropy = [seed, epoch, zlib.crc32(purpose.encode())]
    return np.random.default_rng(np.random.SeedSequence(entropy))


def order(count: int, seed: int, epoch: int) -> np.ndarray:
    """A permutation of `range(count)`, int64: the order of the images in an epoch."""
    return generator(seed, epoch, "order").permutation(count)


def draw(
    transforms: tuple[str, ...],
    count: int,
    seed: int,
    epoch: int,
    *,
    crop_padding: int,
    batch_size: int | None = None,
    images: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Parameters of `transforms` for `count` images, which is a number of full batches
    (one batch if no `batch_size` is given). `images` int (count,) are their numbers in
    the data set, 0, 1, … by default. Each array has a row for each image:

    `flip`: (count,) bool, drawn, or with "alternating_flip" the other way round than in
    the epoch before (Jordan 2024, arXiv:2404.00498, section 3.6). `crop`: (count, 2)
    int32, rows and columns by which the window is moved, from -crop_padding to
    +crop_padding. `affine`: (count, 2, 3) float32, what `affine_matrices` gives.
    `brightness`: (count,) float32, the factor. `cutout`: (count, 2) int32, row and
    column of the centre. `rand_augment`: (count, rounds, 2) int32, card and sign.
    `mixup`: (count,) float32, what the image itself counts. `cutmix`: (count, 4) int32,
    the box: top, left, bottom, right, the last two just outside. The latter two add
    `partner`: (count,) int32, which image of its batch an image is mixed with, and
    `share`: (count,) float32, what its own label counts.
    """
    streams = {name: generator(seed, epoch, name) for name in transforms}
    parameters = {}
    if "flip" in streams:
        parameters["flip"] = streams["flip"].random(count) < 0.5
    if "alternating_flip" in streams:
        numbers = np.arange(count) if images is None else images
        first = generator(seed, 0, "alternating_flip").random(numbers.max() + 1) < 0.5
        parameters["flip"] = first[numbers] ^ bool(epoch % 2)
    if "crop" in streams:
        limits = -crop_padding, crop_padding
        offsets = streams["crop"].integers(*limits, (count, 2), endpoint=True)
        parameters["crop"] = offsets.astype(np.int32)
    if "affine" in streams:
        parameters["affine"] = _affine(streams["affine"], count)
    if "brightness" in streams:
        drawn = streams["brightness"].uniform(-1, 1, count)
        parameters["brightness"] = (1 + BRIGHTNESS * drawn).astype(np.float32)
    if "cutout" in streams:
        centres = streams["cutout"].integers(0, SIZE, (count, 2))
        parameters["cutout"] = centres.astype(np.int32)
    batch = batch_size or count
    if "rand_augment" in streams:
        parameters["rand_augment"] = _deal(streams["rand_augment"], count, batch)
    choices = generator(seed, epoch, "mixup or cutmix")
    return parameters | _mix(streams, choices, count, batch)


def spared(
    parameters: dict[str, np.ndarray], chosen: np.ndarray
) -> dict[str, np.ndarray]:
    """`parameters` of flips, affine maps and brightness, but with those that leave a
    picture as it is where `chosen` bool (N,) is true."""
    return {
        name: np.where(
            chosen.reshape(-1, *[1] * (values.ndim - 1)), NEUTRAL[name], values
        )
        for name, values in parameters.items()
    }


def _affine(stream: np.random.Generator, count: int) -> np.ndarray:
    drawn = stream.uniform(-1, 1, (count, 5))
    return affine_matrices(
        degrees=ROTATION * drawn[:, 0],
        shifts=SHIFT * SIZE * drawn[:, 1:3],
        zooms=1 + ZOOM * drawn[:, 3:5],
    )


def affine_matrices(
    degrees: np.ndarray, shifts: np.ndarray, zooms: np.ndarray
) -> np.ndarray:
    """Zoom, then shift, then rotation about the centre: float32 (N, 2, 3).

    A matrix maps a pixel (x, y, 1) of the new picture to where it comes from, (x, y) in
    the old one; x counts columns, y rows, and (0, 0) is the middle of the first pixel.
    That is what OpenCV's `warpAffine` takes with `WARP_INVERSE_MAP`. `degrees` (N,);
    `shifts` in pixels and `zooms`, both (N, 2), x before y. A zoom above 1 makes things
    smaller, as in Keras' ImageDataGenerator.
    """
    angle = np.deg2rad(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    rotation = np.stack([cosine, -sine, sine, cosine], axis=1).reshape(-1, 2, 2)
    linear = rotation * zooms[:, None, :]
    centre = np.full(2, (SIZE - 1) / 2)
    moved = np.einsum("nij,nj->ni", rotation, shifts)
    constant = centre + moved - linear @ centre
    return np.concatenate([linear, constant[:, :, None]], axis=2).astype(np.float32)


def resizing_matrix(side: int) -> np.ndarray:
    """Rows and columns of 32-pixel pictures to those of `side`: float32 (side, 32).

    Bilinear with antialiasing: a pixel is the mean of those around its place, with
    weights that fall linearly over as many pixels as it now stands for.
    """
    scale = SIZE / side
    places = (np.arange(side) + 0.5) * scale - 0.5
    distance = np.abs(places[:, None] - np.arange(SIZE)) / max(scale, 1.0)
    weights = np.maximum(0.0, 1.0 - distance)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def cards_each(batch: int) -> int:
    """On how many cards of a deck for `batch` images each operation stands: card c
    carries operation `c // cards_each(batch)`."""
    return -(-batch // len(OPERATIONS))


def _deal(stream: np.random.Generator, count: int, batch: int) -> np.ndarray:
    """A card and a sign for each image and round, int32 (count, ROUNDS, 2)."""
    deck = np.arange(cards_each(batch) * len(OPERATIONS))
    decks = np.tile(deck, (count // batch, ROUNDS, 1))
    cards = stream.permuted(decks, axis=2)[:, :, :batch]
    cards = cards.swapaxes(1, 2).reshape(count, ROUNDS)
    signs = 1 - 2 * stream.integers(0, 2, (count, ROUNDS))
    return np.stack([cards, signs], axis=2).astype(np.int32)


def _mix(
    streams: dict[str, np.random.Generator],
    choices: np.random.Generator,
    count: int,
    batch: int,
) -> dict[str, np.ndarray]:
    """As in the code of both papers, one weight and one box serve a whole batch, and
    its partners are a permutation of it. With mixup and CutMix in one recipe, each
    batch takes one of them by the toss of a coin."""
    names = [name for name in ("mixup", "cutmix") if name in streams]
    if not names:
        return {}
    steps = count // batch
    taken = choices.integers(len(names), size=steps)
    rows, partners = np.tile(np.arange(batch), (steps, 1)), np.empty((steps, batch))
    share, parameters = np.ones(steps, np.float32), {}
    for number, name in enumerate(names):
        stream, chosen = streams[name], (taken == number)[:, None]
        partners = np.where(chosen, stream.permuted(rows, axis=1), partners)
        weights = stream.beta(MIXING_ALPHA, MIXING_ALPHA, (steps, 1))
        if name == "mixup":
            drawn = np.where(chosen, weights, 1).astype(np.float32)[:, 0]
            share = share * drawn
        else:
            drawn = np.where(chosen, _boxes(stream, weights), 0).astype(np.int32)
            sides = drawn[:, 2:] - drawn[:, :2]
            share = share * np.float32(1 - sides.prod(axis=1) / SIZE**2)
        parameters[name] = np.repeat(drawn, batch, axis=0)
    partner = partners.reshape(count).astype(np.int32)
    return parameters | {"partner": partner, "share": np.repeat(share, batch)}


def _boxes(stream: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """Squares of `1 - weights` (N, 1) of the picture around centres anywhere in it, cut
    off at its border: int (N, 4). Yun et al. 2019, equation 2."""
    side = (SIZE * np.sqrt(1 - weights)).astype(int)
    first = stream.integers(0, SIZE, (len(weights), 2)) - side // 2
    return np.clip(np.concatenate([first, first + side], axis=1), 0, SIZE)
