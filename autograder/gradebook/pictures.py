"""Sizes of untrusted raster pictures, read from their headers: nothing is decoded, a browser will do that."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

MOST_FRAMES: Final = 500
"""Of an animation; each is unfolded by the browser that shows it."""
MOST_STEPS: Final = 100_000
"""Segments, chunks or blocks of a file that are looked at."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A picture's media type and its size in pixels; `frames` is more than 1 for animations."""

    kind: str
    width: int
    height: int
    frames: int = 1


def measure(content: bytes) -> Measured | None:
    """What `content` is: PNG, JPEG, GIF or WebP; None for everything else, and where its header is broken."""
    for begin, read in (
        (b"\x89PNG\r\n\x1a\n", _png),
        (b"\xff\xd8\xff", _jpeg),
        (b"GIF87a", _gif),
        (b"GIF89a", _gif),
        (b"RIFF", _webp),
    ):
        if content.startswith(begin):
            try:
                found = read(content)
            except (struct.error, IndexError):
                return None
            return found if found and found.width > 0 and found.height > 0 and found.frames <= MOST_FRAMES else None
    return None


def _png(content: bytes) -> Measured | None:
    if content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    position, frames = 8, 1
    for _ in range(MOST_STEPS):
        if position + 8 > len(content):
            break
        length, name = struct.unpack(">I4s", content[position : position + 8])
        if name == b"acTL":
            (frames,) = struct.unpack(">I", content[position + 8 : position + 12])
        if name in (b"IDAT", b"IEND"):
            break
        position += 12 + length
    return Measured("image/png", width, height, max(1, frames))


def _jpeg(content: bytes) -> Measured | None:
    """The size in the frame header (ITU-T T.81, B.2.2), which is the first that a decoder reads."""
    position = 2
    for _ in range(MOST_STEPS):
        if content[position] != 0xFF:
            return None
        marker = content[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a segment
            position += 2
            continue
        if marker in (0xD9, 0xDA):  # the end, or data before any frame header
            return None
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[position + 5 : position + 9])
            return Measured("image/jpeg", width, height)
        (length,) = struct.unpack(">H", content[position + 2 : position + 4])
        position += 2 + max(2, length)
    return None


def _gif(content: bytes) -> Measured | None:
    """The largest of its screen and its frames, and how many frames there are."""
    width, height, packed = struct.unpack("<HHB", content[6:11])
    position, frames = 13 + _table(packed), 0
    for _ in range(MOST_STEPS):
        kind = content[position]
        if kind == 0x2C:
            left, top, across, down, packed = struct.unpack("<HHHHB", content[position + 1 : position + 10])
            width, height, frames = max(width, left + across), max(height, top + down), frames + 1
            position += 11 + _table(packed)
        elif kind == 0x21:
            position += 2
        elif kind == 0x3B:
            return Measured("image/gif", width, height, max(1, frames))
        else:
            return None
        for _ in range(MOST_STEPS):
            size = content[position]
            position += size + 1
            if not size:
                break
        else:
            return None
        if frames > MOST_FRAMES:
            return None
    return None


def _table(packed: int) -> int:
    """Bytes of a GIF's colour table."""
    return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0


def _webp(content: bytes) -> Measured | None:
    kind, frames = content[8:16], 1
    if kind == b"WEBPVP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", content[26:30]))
    elif kind == b"WEBPVP8L" and content[20] == 0x2F:
        (bits,) = struct.unpack("<I", content[21:25])
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"WEBPVP8X":
        width, height = (int.from_bytes(content[start : start + 3], "little") + 1 for start in (24, 27))
        frames = max(1, content.count(b"ANMF"))
    else:
        return None
    return Measured("image/webp", width, height, frames)
