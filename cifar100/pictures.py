"""A picture of any kind, as the networks see it: 32 by 32 pixels in sRGB."""

import io
import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from cifar100.errors import UserError

SIDE = 32  # pixels, as in CIFAR-100

# Pillow reads EPS by handing it to Ghostscript: that is a program, not a picture.
UNWANTED = {"EPS"}
BOMBS = (Image.DecompressionBombWarning, Image.DecompressionBombError)


def read_picture(path: Path | str) -> np.ndarray:
    """The first picture of a file, uint8 (32, 32, 3) in sRGB.

    Takes what Pillow reads: JPEG, PNG, WebP, TIFF, GIF, BMP and others. It is turned as
    EXIF says, its largest centred square is cut out and converted to sRGB by the
    colour profile in the file, if that is a usable one. Each of the 32 x 32 pixels is
    then the mean over its area; a square below 32 pixels is enlarged (bicubic).

    What is transparent becomes white, the colour of the page on which such a picture
    is mostly seen; as it is stored, it is often black. 16-bit greys keep their scale,
    those of 32 bits and floats are stretched from their darkest to their brightest
    pixel, since nothing in such a file says what white is.

    Raises `UserError`, in one line, for what is missing, empty, damaged, no picture, or
    larger than Pillow's limit against decompression bombs (89 million pixels).
    """
    path = Path(path)
    name = shown(path)
    _check_file(path, name)
    Image.init()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about metadata that is not needed here
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(
                path, formats=sorted(Image.OPEN.keys() - UNWANTED)
            ) as image:
                image.load()
                return _seen(image)
        except BOMBS:
            limit = Image.MAX_IMAGE_PIXELS // 10**6
            text = f"more than {limit} million pixels; make it smaller"
        except Image.UnidentifiedImageError:
            text = "no picture of a known kind, or damaged from its start"
        # Decoders meet damaged files with errors of nearly every type.
        except Exception as error:
            text = f"a damaged picture ({_reason(error)}); get it again or save it anew"
    raise UserError(f"{name}: {text}")


def shown(path: Path | str) -> str:
    """The path as it may be printed: a line, without what would steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in str(path))


def _check_file(path: Path, name: str) -> None:
    if os.path.isdir(path):
        raise UserError(f"{name}: a folder; name the pictures in it")
    if not os.path.exists(path):
        raise UserError(f"{name}: no such file")
    if not os.path.isfile(path):  # a pipe or a device, which would never end
        raise UserError(f"{name}: not a regular file")
    try:
        with open(path, "rb") as file:
            first = file.read(1)
    except OSError as error:
        raise UserError(f"{name}: can't be opened ({error.strerror})") from None
    if not first:
        raise UserError(f"{name}: an empty file")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _seen(image: Image.Image) -> np.ndarray:
    image = _square(ImageOps.exif_transpose(image))
    filter_ = Image.Resampling.BOX if image.width >= SIDE else Image.Resampling.BICUBIC
    return np.array(_flat(image).resize((SIDE, SIDE), filter_))


def _square(image: Image.Image) -> Image.Image:
    """The largest centred square, before all else: less to convert."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _flat(image: Image.Image) -> Image.Image:
    """The picture in RGB, over white where it is transparent."""
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image).convert("RGB")
    if not image.has_transparency_data:
        return _srgb(image)
    clear = image.convert("RGBA")
    grey = image.mode in ("LA", "La", "L")  # as their colour profile expects them
    picture = _srgb(clear.convert("L" if grey else "RGB"), image.info)
    white = Image.new("RGB", image.size, "white")
    return Image.composite(picture, white, clear.getchannel("A"))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits, of 32 bits or in floats, as grey of 8 bits."""
    values = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=0, neginf=0)
    low, high = 0.0, 65535.0
    if ";16" not in image.mode:
        low, high = values.min(), values.max()
    scaled = (values - low) * (255 / max(high - low, np.finfo(float).tiny))
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _srgb(image: Image.Image, info: dict | None = None) -> Image.Image:
    """The picture in RGB by its colour profile, or without where that can't be used."""
    profile = (info or image.info).get("icc_profile")
    if image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGB")
    if profile:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(image, own, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # damaged, or for another kind of picture: it is only a hint
    return image.convert("RGB")
