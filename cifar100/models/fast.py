"""A network for short training: most of what is known to make few epochs count."""

import keras
import numpy as np
from keras import initializers, layers

from cifar100 import data
from cifar100.models.arguments import check_word
from cifar100.models.initialize import Dirac
from cifar100.models.layers import BatchNormalization, Dropout
from cifar100.models.small_maps import Convolution

WHITENING_IMAGES = 5_000
WHITENING_EPSILON = 5e-4  # keeps directions without any variance from blowing up
PAIRS = ((1, 1), (3, 1), (3, 3))  # kernel sizes of the pair in each stage


def fast(
    num_classes: int = 100,
    *,
    filters: tuple[int, ...] = (48, 160, 384),
    inner: tuple[int, ...] = (40, 96, 256),
    whitening: bool = True,
    identity: bool = True,
    residual: bool = True,
    activation: str = "silu",
    batch_norm_momentum: float = 0.9,
    pooling: str = "max_and_mean",
    logit_scale: float = 1.25 / 9,
    dropout: float = 0.0,
) -> keras.Model:
    """A residual network for short training: (B, H, W, 3) float32 -> (B, num_classes).

    H and W are any size from 9. The first layer, 2x2 with 24 filters, makes pixels of
    a patch uncorrelated with unit variance (`PatchWhitening`). Then there are three
    stages: a convolution to `filters`, 2x2 max-pooling, batch norm, activation; and
    around a pair of convolutions through `inner` channels a shortcut (1x1 and 1x1 in
    the first stage, 3x3 and 1x1 in the second, 3x3 twice in the third). The map is
    pooled by `pooling`, its "mean", its "max" or the sum of both, "max_and_mean".
    Logits are multiplied by `logit_scale`, which keeps early predictions soft.

    With `identity` all convolutions start as the identity (`Dirac`).
    `batch_norm_momentum` is Keras': the share that the moving statistics keep in each
    step, so smaller remembers shorter.

    The shape, with 64/256/768 filters, and its recipe are those of the NAVIER-STOKED
    entry of a CIFAR-100 speedrun, which takes them from team futurebiohackers (github:
    AIDDA-Institute/CIFAR-100-speedrun); whitening and identity come from Jordan 2024
    (arXiv:2404.00498), sections 3.2 and 3.3. Raises `ValueError` for a word that it
    does not know and for other than three stages.
    """
    check_word("pooling", pooling, ("max_and_mean", "mean", "max"))
    if len(filters) != len(PAIRS) or len(inner) != len(PAIRS):
        raise ValueError(f"{len(filters)} filters, {len(inner)} inner: three of each")
    start = Dirac() if identity else _pytorch_default()

    def conv(x, count, kernel_size):
        return Convolution(
            count, kernel_size, padding="same", use_bias=False, kernel_initializer=start
        )(x)

    def normalized(x):
        norm = BatchNormalization(momentum=batch_norm_momentum, epsilon=1e-5)
        return layers.Activation(activation)(norm(x))

    images = keras.Input((None, None, 3), name="images")
    stem = PatchWhitening if whitening else layers.Conv2D
    x = stem(24, 2, kernel_initializer=_pytorch_default())(images)  # (B, H - 1, W - 1)
    x = layers.Activation(activation)(x)
    for stage, (count, middle) in enumerate(zip(filters, inner, strict=True)):
        x = conv(x, count, 2 if stage == 2 else 3)
        x = normalized(layers.MaxPooling2D(2)(x))  # halves height and width
        pair = normalized(conv(x, middle, PAIRS[stage][0]))
        pair = normalized(conv(pair, count, PAIRS[stage][1]))
        x = layers.Add()([x, pair]) if residual else pair
    x = Dropout(dropout)(_pooled(x, pooling))
    logits = _scaled_logits(x, num_classes, logit_scale)
    return keras.Model(images, logits, name="fast")


def _pooled(x, pooling: str):
    """(B, H, W, C) -> (B, C)."""
    parts = []
    if pooling != "max":
        parts.append(layers.GlobalAveragePooling2D()(x))
    if pooling != "mean":
        parts.append(layers.GlobalMaxPooling2D()(x))
    summed = layers.Add()(parts) if len(parts) > 1 else parts[0]
    return layers.Identity(name="features")(summed)


def _scaled_logits(x, num_classes: int, scale: float):
    """Linear, times a constant, in the precision of the weights: (B, C) -> (B,
    num_classes)."""
    full = keras.config.dtype_policy().variable_dtype
    head = layers.Dense(
        num_classes,
        use_bias=False,
        kernel_initializer=_pytorch_default(),
        name="logits",
        dtype=full,
    )
    return layers.Rescaling(scale, dtype=full)(head(x))


def _pytorch_default():
    """Uniform within 1/sqrt(fan_in), as PyTorch starts both kinds of layers."""
    return initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


class PatchWhitening(layers.Conv2D):
    """A convolution whose fixed kernel whitens patches; its bias is trained.

    Filters are the principal directions of the patches of standardised training
    images, each divided by its spread, and then the same with the other sign. Page
    2019, "How to train your ResNet 8", with two signs as in Jordan 2024
    (arXiv:2404.00498), section 3.2.
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.kernel.trainable = False

    def start_from(self, images: np.ndarray) -> None:
        """Set the kernel from the first images, uint8 (N, 32, 32, 3), the bias to 0."""
        pixels = images[:WHITENING_IMAGES].astype(np.float64) / 255.0
        pixels = (pixels - data.MEAN) / data.STD
        rows, columns = self.kernel_size
        window = (rows, columns, pixels.shape[-1])
        patches = np.lib.stride_tricks.sliding_window_view(pixels, window, (1, 2, 3))
        patches = patches.reshape(-1, np.prod(window))
        spread, directions = np.linalg.eigh(np.cov(patches, rowvar=False, bias=True))
        scaled = directions / np.sqrt(spread + WHITENING_EPSILON)
        half = scaled[:, ::-1][:, : self.filters // 2]  # the widest first
        both = np.concatenate([half, -half], axis=1)
        self.kernel.assign(both.reshape(self.kernel.shape).astype(np.float32))
        self.bias.assign(np.zeros(self.filters, np.float32))
