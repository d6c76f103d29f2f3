"""Pictures of any kind become what the networks see; bad ones end in one line."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from cifar100.errors import UserError
from cifar100.pictures import read_picture

FOLDER = Path(__file__).parent / "pictures"
PICTURES = sorted(p for p in FOLDER.iterdir() if p.suffix != ".md")
RANDOM = np.random.default_rng(3).integers(0, 256, (32, 32, 3), dtype=np.uint8)
ORIENTATION = 274  # the EXIF tag


@pytest.fixture
def seen(tmp_path):
    """Save a picture (array or Pillow's), and give back what `read_picture` sees."""

    def save_and_read(picture, name="picture.png", **options):
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(picture)
        picture.save(tmp_path / name, **options)
        return read_picture(tmp_path / name)

    return save_and_read


def plain(mode, colour, side=40):
    return Image.new(mode, (side, side), colour)


def close(view, colour, tolerance=1):
    assert (view.shape, view.dtype) == ((32, 32, 3), np.uint8)
    np.testing.assert_allclose(
        view, np.broadcast_to(colour, view.shape), atol=tolerance
    )


# Kinds of files and of pixels


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.bmp", {}),
        ("a.tiff", {}),
        ("a.tif", {"compression": "tiff_lzw"}),
        ("a.ppm", {}),
        ("a.webp", {"lossless": True}),
        ("a.jpg", {"format": "PNG"}),  # the content decides, not the name
    ],
)
def test_a_picture_of_32_pixels_comes_out_as_it_is(seen, name, options):
    np.testing.assert_array_equal(seen(RANDOM, name, **options), RANDOM)


def test_a_jpeg_comes_out_nearly_as_it_is(seen):
    smooth = np.tile(np.arange(32, dtype=np.uint8)[:, None, None] * 7, (1, 32, 3))
    difference = seen(smooth, "a.jpg", quality=95).astype(int) - smooth
    assert abs(difference).max() <= 4


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tiff"])
def test_of_moving_pictures_the_first_is_taken(seen, name):
    first, second = plain("RGB", (200, 0, 0)), plain("RGB", (0, 0, 200))
    options = {"save_all": True, "append_images": [second]}
    close(seen(first, name, **options), (200, 0, 0), tolerance=6)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, 255),
        ("L", 90, 90),
        ("LA", (90, 255), 90),
        ("P", 7, 0),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("I;16", 40_000, round(40_000 / 257)),
    ],
)
def test_pixels_of_every_kind_keep_their_colour(seen, mode, colour, expected):
    picture = plain(mode, colour)
    if mode == "P":
        picture.putpalette([0, 0, 0] * 256)
    close(seen(picture), expected)


def test_palettes_give_their_colours(seen):
    quantized = plain("RGB", (10, 200, 30)).quantize(4)
    close(seen(quantized, "a.gif"), (10, 200, 30))


def test_ink_on_paper_becomes_light(seen):
    close(seen(plain("CMYK", (0, 255, 255, 0)), "a.tiff"), (255, 0, 0))
    close(seen(plain("CMYK", (0, 0, 0, 255)), "a.jpg"), (0, 0, 0), tolerance=4)


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_values_without_a_white_are_stretched_over_the_greys(seen, kind):
    ramp = np.linspace(-5, 2000, 32 * 32).reshape(32, 32).astype(kind)
    view = seen(Image.fromarray(ramp), "a.tiff")
    assert (view.min(), view.max()) == (0, 255)
    assert abs(int(view[16, 0, 0]) - 128) <= 1


def test_floats_that_are_no_numbers_do_no_harm(seen):
    ramp = np.linspace(0, 1, 32 * 32).reshape(32, 32).astype(np.float32)
    ramp[0, :3] = np.nan, np.inf, -np.inf
    view = seen(Image.fromarray(ramp), "a.tiff")
    assert view[0, :3].max() == 0
    assert view.max() == 255
    close(seen(Image.fromarray(np.full((32, 32), 3, np.float32)), "b.tiff"), 0)


# Transparency, rotation, colour profile


def test_what_is_transparent_becomes_white(seen):
    close(seen(plain("RGBA", (10, 20, 30, 0))), 255)
    close(seen(plain("LA", (10, 0))), 255)
    close(seen(plain("RGB", (9, 9, 9)), transparency=(9, 9, 9)), 255)
    close(seen(plain("RGBA", (0, 0, 0, 128))), 127)
    palette = plain("P", 0)
    palette.putpalette([200, 0, 0] * 256)
    close(seen(palette, transparency=0), 255)
    close(seen(palette, transparency=bytes([255] * 256)), (200, 0, 0))


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_a_picture_is_turned_as_its_camera_says(seen, orientation, turns):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    view = seen(RANDOM, exif=exif)
    np.testing.assert_array_equal(view, np.rot90(RANDOM, turns))


def test_exif_that_can_not_be_read_is_left_alone(seen):
    view = seen(RANDOM, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12nonsense")
    np.testing.assert_array_equal(view, RANDOM)


def swapped_profile():
    """sRGB, but with red and green in each other's place."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    head, tags = profile[:132], bytearray(profile[132:])
    for start in range(0, 12 * struct.unpack(">I", profile[128:132])[0], 12):
        name = bytes(tags[start : start + 4])
        other = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(name, name)
        tags[start : start + 4] = other
    return head + bytes(tags)


def test_a_colour_profile_counts(seen):
    profile = swapped_profile()
    red = (200, 0, 0)
    close(seen(plain("RGB", red), icc_profile=profile), (0, 200, 0), tolerance=3)
    close(seen(plain("RGBA", (*red, 255)), icc_profile=profile), (0, 200, 0), 3)


@pytest.mark.parametrize("mode", ["RGB", "L", "LA", "CMYK"])
@pytest.mark.parametrize("profile", [b"nonsense", swapped_profile()])
def test_a_profile_that_does_not_fit_is_no_obstacle(seen, mode, profile):
    picture = plain("RGB", (90, 90, 90)).convert(mode)
    close(seen(picture, "a.tiff", icc_profile=profile), 90, tolerance=3)


# Size


def test_the_square_in_the_middle_is_cut_out(seen):
    wide = np.full((40, 120, 3), 200, np.uint8)
    wide[:, :40], wide[:, 80:] = 0, 0
    close(seen(wide), 200)
    close(seen(np.ascontiguousarray(wide.transpose(1, 0, 2))), 200)


def test_a_pixel_is_the_mean_over_its_area(seen):
    large = RANDOM.repeat(3, 0).repeat(3, 1)
    noise = np.random.default_rng(4).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    np.testing.assert_array_equal(seen(large), RANDOM)
    means = noise.reshape(32, 3, 32, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(seen(noise), means, atol=1)


@pytest.mark.parametrize("side", [1, 2, 31])
def test_a_small_picture_is_enlarged(seen, side):
    close(seen(plain("RGB", (1, 130, 250), side)), (1, 130, 250))


def test_the_view_may_be_written_to(seen):
    assert seen(RANDOM).flags.writeable


# Bad pictures


def png_chunk(kind, content):
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def header_of(width, height):
    """A PNG that says of itself to be that large, and holds next to nothing."""
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", size) + pixels


def jpeg(size=(200, 150)):
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG")
    return buffer.getvalue()


def text_bomb():
    """A PNG whose comment is 2 MB of zeros when unpacked."""
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "0" * 2 * 10**6, zip=True)
    buffer = io.BytesIO()
    plain("RGB", 0).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


UNKNOWN = "no picture of a known kind, or damaged from its start"
BAD = {
    "truncated.jpg": (lambda: jpeg()[:4000], "a damaged picture"),
    "text.jpg": (lambda: b"This is no picture.\n", UNKNOWN),
    "empty.png": (lambda: b"", "an empty file"),
    "header.png": (lambda: header_of(100_000, 100_000), "more than 89 million pixels"),
    "large.png": (lambda: header_of(10_000, 10_000), "more than 89 million pixels"),
    "cut.png": (lambda: header_of(40, 40), "a damaged picture"),
    "comment.png": (text_bomb, "a damaged picture"),
    "program.eps": (
        lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
        UNKNOWN,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_ends_in_one_line_that_names_it(tmp_path, name):
    content, words = BAD[name]
    (tmp_path / name).write_bytes(content())
    with pytest.raises(UserError) as caught:
        read_picture(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: {words}")
    assert len(str(caught.value).splitlines()) == 1


def test_what_is_no_file_ends_in_one_line(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="a folder; name the pictures in it"):
        read_picture(tmp_path)
    with pytest.raises(UserError, match=r"missing\.jpg: no such file"):
        read_picture(tmp_path / "missing.jpg")
    with pytest.raises(UserError, match="pipe: not a regular file"):
        read_picture(tmp_path / "pipe")


def test_a_name_can_not_break_the_line_or_steer_the_terminal(tmp_path):
    with pytest.raises(UserError) as caught:
        read_picture(tmp_path / "a\n\x1b[31mb.jpg")
    assert str(caught.value).endswith("a??[31mb.jpg: no such file")


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_damage_of_any_kind_gives_a_picture_or_a_line(tmp_path, path):
    whole = path.read_bytes()
    generator = np.random.default_rng(len(whole))
    damaged, lines = tmp_path / path.name, []
    for trial in range(40):
        content = bytearray(whole)
        if trial % 2:
            del content[generator.integers(1, len(whole)) :]
        else:
            for place in generator.integers(0, min(600, len(whole)), 4):
                content[place] = generator.integers(256)
        damaged.write_bytes(content)
        try:
            assert read_picture(damaged).shape == (32, 32, 3)
        except UserError as error:
            lines.append(str(error))
    assert len(lines) > 5
    assert all(line.startswith(f"{damaged}: ") for line in lines)
    assert all(len(line.splitlines()) == 1 for line in lines)


# The pictures that come with the tests


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_our_pictures_are_small_described_and_read(path):
    assert path.stat().st_size <= 60_000
    assert f"| `{path.name}` |" in (FOLDER / "README.md").read_text(encoding="utf-8")
    assert read_picture(path).std() > 10


def test_there_are_five_pictures():
    assert len(PICTURES) == 5
    assert sum(path.stat().st_size for path in PICTURES) <= 250_000


def test_the_transparent_ground_of_the_clock_is_white():
    assert (read_picture(FOLDER / "clock.png")[0, 0] == 255).all()
