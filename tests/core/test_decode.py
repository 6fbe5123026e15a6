"""Images of any common format and mode become 8-bit grey or colour; other files raise with a reason."""

import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from genaug.data.decode import UnreadableError, decode, read_facts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

COLOURS = np.zeros((12, 16, 3), np.uint8)
COLOURS[:, :8] = (200, 40, 40)
COLOURS[:, 8:] = (40, 40, 200)
RAMP = np.tile(np.linspace(0, 255, 16, dtype=np.uint8), (12, 1))


def saved(path, image, form, **options):
    image.save(path, form, **options)
    return path


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM"])
def test_the_content_counts_and_not_the_suffix(tmp_path, form):
    decoded = decode(saved(tmp_path / "image.anything", Image.fromarray(COLOURS), form))
    assert decoded.facts.format == form
    assert decoded.pixels.shape == (12, 16, 3)
    assert np.abs(decoded.pixels.astype(int) - COLOURS).mean() < 12


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK"])
def test_every_mode_becomes_grey_or_colour(tmp_path, mode):
    form = "TIFF" if mode in ("CMYK", "PA") else "PNG"
    source = Image.fromarray(COLOURS)
    image = source.convert("P").convert("PA") if mode == "PA" else source.convert(mode)
    decoded = decode(saved(tmp_path / "image", image, form))
    assert decoded.pixels.dtype == np.uint8
    assert decoded.pixels.shape == (12, 16, 1 if mode in ("1", "L", "LA") else 3)


def test_sixteen_bits_are_scaled_to_eight(tmp_path):
    deep = Image.fromarray(RAMP.astype(np.uint16) * 257)
    decoded = decode(saved(tmp_path / "deep", deep, "PNG"))
    assert decoded.facts.deep
    assert np.array_equal(decoded.pixels[:, :, 0], RAMP)


def test_alpha_is_dropped_as_torchvision_drops_it(tmp_path):
    image = Image.fromarray(np.dstack([COLOURS, np.full((12, 16), 7, np.uint8)]))
    path = saved(tmp_path / "image", image, "PNG")
    assert np.array_equal(decode(path).pixels, np.asarray(Image.open(path).convert("RGB")))


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_rotation_is_applied(tmp_path, turn):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = turn
    path = saved(tmp_path / "image", Image.fromarray(COLOURS), "JPEG", exif=exif, quality=100)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    decoded = decode(path)
    assert np.array_equal(decoded.pixels, expected)
    assert (decoded.facts.height, decoded.facts.width) == expected.shape[:2]
    assert decoded.facts.rotated is (turn > 1)


def test_the_first_frame_of_an_animation_is_used(tmp_path):
    frames = [Image.fromarray(np.full((12, 16), value, np.uint8)) for value in (10, 200)]
    path = saved(tmp_path / "image", frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(path).facts.frames == 2
    assert decode(path).pixels.max() <= 12


def test_header_and_whole_file_agree(tmp_path):
    path = saved(tmp_path / "image", Image.fromarray(COLOURS), "PNG")
    assert read_facts(path) == decode(path).facts


def bomb() -> bytes:
    """A PNG of a few bytes that claims 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def bytes_of(form):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(buffer, form)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"some text", "not an image"),
        (bytes_of("JPEG")[:300], "damaged"),
        (bytes_of("JPEG")[:900], "truncated or damaged"),
        (bytes_of("PNG")[:300], "truncated or damaged"),
        (bomb(), "decompression bomb"),
    ],
)
def test_a_file_that_is_not_an_image_is_refused_with_a_reason(tmp_path, data, words):
    path = tmp_path / "image.png"
    path.write_bytes(data)
    with pytest.raises(UnreadableError, match=words):
        decode(path)


def test_a_missing_file_is_refused_with_a_reason(tmp_path):
    with pytest.raises(UnreadableError, match="no such file"):
        decode(tmp_path / "missing.png")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"]), st.integers(0, 400), st.binary(max_size=40))
def test_random_damage_is_read_or_refused_and_never_crashes(tmp_path, form, place, noise):
    data = bytes_of(form)
    path = tmp_path / "image"
    path.write_bytes(data[:place] + noise + data[place + len(noise) :])
    with suppress(UnreadableError):
        assert decode(path).pixels.dtype == np.uint8
