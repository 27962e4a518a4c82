"""A case is bytes, whatever it is fed to: so one corpus, one mutation and one replay serve every target."""

from __future__ import annotations

from collections.abc import Sequence

SIZE = 4
"""Bytes of the length before each part."""


def pack(parts: Sequence[bytes]) -> bytes:
    """Several parts as one case."""
    return b"".join(len(part).to_bytes(SIZE, "big") + part for part in parts)


def unpack(data: bytes) -> list[bytes]:
    """The parts of a case; of one that was cut or whose lengths are wrong, those that are there."""
    parts, position = [], 0
    while position < len(data):
        start = position + SIZE
        end = start + int.from_bytes(data[position:start], "big")
        parts.append(data[start:end])
        position = end
    return parts
