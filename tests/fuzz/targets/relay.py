"""The frames of a ZMTP stream, counted as it comes in pieces: as many as begin in it, whatever the pieces."""

from __future__ import annotations

import random
import socket

from hypothesis import strategies as st

from autograder.kernel.relay import GREETING_BYTES, LONG, _End

UNUSED = socket.socket()
WORDS = [
    b"\0\0",
    b"\1\1x",
    b"\2" + bytes(8),
    b"\2" + (2**40).to_bytes(8, "big"),
    b"\2" + b"\xff" * 8,
    b"\4\x05READY",
    b"\3",
]


def check(data: bytes) -> bool:
    """The first byte says how the rest is cut up."""
    rng, stream = random.Random(data[:1]), data[1:]
    end = _End(UNUSED, counted=True)
    longest = rng.choice([1, 2, 9, 64, 300, 10**6])
    position = told = 0
    begun = beginnings(stream)
    while position < len(stream):
        size = rng.randrange(longest + 1)
        told += end.frames(stream[position : position + size])
        position = min(len(stream), position + size)
        assert told == sum(at <= position for at in begun), f"{told} frames in the first {position} bytes"
    return True


def beginnings(stream: bytes) -> list[int]:
    """Where the head of each frame is complete, read from the whole stream at once."""
    found, position = [], GREETING_BYTES
    while position < len(stream):
        head = 9 if stream[position] & LONG else 2
        if position + head > len(stream):
            break
        found.append(position + head)
        position += head + int.from_bytes(stream[position + 1 : position + head], "big")
    return found


def frame(flags: int, body: bytes, times: int, claimed: int | None) -> bytes:
    body *= times
    size = len(body) if claimed is None else claimed
    if len(body) > 255:
        flags |= LONG
    return bytes([flags]) + (size.to_bytes(8, "big") if flags & LONG else bytes([size % 256])) + body


frames = st.builds(
    frame,
    st.one_of(st.integers(0, 7), st.integers(0, 255)),
    st.binary(max_size=20),
    st.sampled_from([1, 1, 1, 12, 13, 30]),
    st.one_of(st.none(), st.none(), st.none(), st.sampled_from([0, 1, 2**32, 2**63, 2**64 - 1])),
)
cases = st.builds(
    lambda pieces, greeting, frames: pieces + greeting + b"".join(frames),
    st.binary(min_size=1, max_size=1),
    st.one_of(st.just(b"g" * GREETING_BYTES), st.binary(max_size=70)),
    st.lists(frames, max_size=12),
)
