"""The size of a picture is read from its header, whatever its format says about itself."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from autograder.gradebook.pictures import MOST_FRAMES, MOST_STEPS, Measured, measure


def drawn(kind, size=(37, 21), **options):
    buffer = io.BytesIO()
    Image.new("RGB", size, "navy").save(buffer, kind, **options)
    return buffer.getvalue()


def moving(kind, frames, **options):
    pictures = [Image.new("RGB", (37, 21), (number * 40 % 256, number // 6, 7)) for number in range(frames)]
    buffer = io.BytesIO()
    pictures[0].save(buffer, kind, save_all=True, append_images=pictures[1:], **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (drawn("PNG"), "png"),
        (drawn("JPEG"), "jpeg"),
        (drawn("JPEG", progressive=True), "jpeg"),
        (drawn("JPEG", exif=b"Exif\0\0" + bytes(60_000)), "jpeg"),
        (drawn("GIF"), "gif"),
        (drawn("WEBP"), "webp"),
        (drawn("WEBP", lossless=True), "webp"),
        (drawn("WEBP", exif=b"Exif\0\0" + bytes(100)), "webp"),
    ],
    ids=["png", "jpeg", "progressive", "jpeg with exif", "gif", "webp", "lossless webp", "webp with exif"],
)
def test_it_is_what_a_decoder_finds(content, kind):
    assert measure(content) == Measured(f"image/{kind}", 37, 21)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_frames_of_an_animation_count(kind):
    assert measure(moving(kind, 5)).frames == 5


def test_an_endless_animation_is_no_picture():
    assert measure(moving("GIF", MOST_FRAMES + 1)) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg/>",
        b"BM" + bytes(60),
        drawn("PNG")[:20],
        drawn("JPEG")[:20],
        drawn("GIF")[:12],
        drawn("GIF")[:-1],
        drawn("WEBP")[:22],
        drawn("PNG").replace(b"IHDR", b"IDAT", 1),
        b"\xff\xd8" + b"\xff\xd0" * (MOST_STEPS + 1) + drawn("JPEG")[2:],
        drawn("GIF")[:13] + b"\x21\xfe" + b"\x01x" * (MOST_STEPS + 1) + drawn("GIF")[13:],
    ],
)
def test_what_is_broken_or_goes_on_for_ever_is_no_picture(content):
    assert measure(content) is None
