"""Figures in both themes: an SVG of the course in the colours of the page."""

import re
from collections.abc import Callable
from functools import cache

WHITE = "#ffffff"
LIGHT_PAPER = "#fdfcf9"  # of the page, as in base.css
DARK_PAPER = "#15171a"
PAPER, INK = 0.204, 0.913  # OKLab lightness of paper and ink in the dark theme
COLOUR = re.compile(r"(?<=[\s:\"])#[0-9a-f]{6}(?=[;\"\s])")  # in styles and attributes
GREY = 0.03  # chroma below which a colour counts as a grey


def in_themes(svg: str) -> dict[str, str]:
    """`svg` as `light`, on the paper of the light theme, and as `dark`: greys change
    places, colours get light enough. With a picture inside, whose colours words and
    marks go with, there is only `both`: the SVG as it is, for a white plate."""
    if "<image" in svg:
        return {"both": svg}
    return {"light": _recoloured(svg, _lit), "dark": _recoloured(svg, _darkened)}


def _recoloured(svg: str, change: Callable[[str], str]) -> str:
    return COLOUR.sub(lambda match: change(match[0]), svg)


def _lit(colour: str) -> str:
    return LIGHT_PAPER if colour == WHITE else colour


@cache
def _darkened(colour: str) -> str:
    if colour == WHITE:
        return DARK_PAPER
    lightness, a, b = _to_oklab(colour)
    if (a * a + b * b) ** 0.5 < GREY:
        # Black becomes ink; what is nearly white stays near the paper.
        turned = PAPER + (INK - PAPER) * (1 - min(1, lightness)) ** 0.75
        return _from_oklab(turned, 0.001, -0.004)
    if lightness < 0.74:
        lightness = 0.74 - 0.45 * (0.74 - lightness)
    return _from_oklab(lightness, a, b)


def _to_oklab(colour: str) -> tuple[float, float, float]:
    """Lightness in [0, 1] and two opponent axes (Ottosson 2020, OKLab)."""
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    mid = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * mid - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * mid + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * mid - 0.8086757660 * short,
    )


def _from_oklab(lightness: float, a: float, b: float) -> str:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    mid = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    channels = (
        4.0767416621 * long - 3.3077115913 * mid + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * mid - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * mid + 1.7076147010 * short,
    )
    bytes_ = (round(255 * min(1, max(0, _gamma(c)))) for c in channels)
    return "#" + "".join(f"{value:02x}" for value in bytes_)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _gamma(channel: float) -> float:
    if channel <= 0.0031308:
        return 12.92 * channel
    return 1.055 * channel ** (1 / 2.4) - 0.055
