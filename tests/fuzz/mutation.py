"""Change bytes without knowing what they mean, beside the strategies that know it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

LONGEST = 2**16
"""Bytes that a case grows to by itself."""
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
NUMBERS = [b"0", b"-1", b"1", b"1e999", b"-0.0", b"9223372036854775808", b"4294967296", b"0.1", b"9" * 400, b"true"]
COMMON = [b'"', b"\\", b"[", b"]", b"{", b"}", b",", b":", b"\0", b"\xff", b"\n", b"\xed\xa0\x80", b"\\ud800", b"null"]

Mutation = Callable[[bytes, random.Random], bytes]


def _place(data: bytes, rng: random.Random) -> tuple[int, int]:
    """A short range."""
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + int(rng.expovariate(1 / 6)) + 1)


def _flip(data: bytes, rng: random.Random) -> bytes:
    start, end = _place(data, rng)
    return (
        data[:start] + bytes(byte ^ (1 << rng.randrange(8)) for byte in data[start : min(end, start + 1)]) + data[end:]
    )


def _overwrite(data: bytes, rng: random.Random) -> bytes:
    start, end = _place(data, rng)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def _remove(data: bytes, rng: random.Random) -> bytes:
    start, end = _place(data, rng)
    return data[:start] + data[end:]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _move(data: bytes, rng: random.Random) -> bytes:
    start, end = _place(data, rng)
    rest = data[:start] + data[end:]
    place = rng.randrange(len(rest) + 1)
    return rest[:place] + data[start:end] + rest[place:]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    start, end = _place(data, rng)
    return data[:end] + data[start:end] * 2 ** rng.randrange(10) + data[end:]


def _number(data: bytes, rng: random.Random) -> bytes:
    found = list(NUMBER.finditer(data))
    if not found:
        return data
    chosen = rng.choice(found)
    return data[: chosen.start()] + rng.choice(NUMBERS) + data[chosen.end() :]


MUTATIONS: list[Mutation] = [_flip, _overwrite, _remove, _cut, _move, _repeat, _number, _number]


def mutated(data: bytes, pool: Sequence[bytes], words: Sequence[bytes], rng: random.Random) -> bytes:
    """`data` with one to some changes; `words` are what its format is made of, `pool` holds other cases."""
    for _ in range(1 + int(rng.expovariate(0.7))):
        kind = rng.randrange(len(MUTATIONS) + 3)
        if kind < len(MUTATIONS):
            data = MUTATIONS[kind](data, rng)
        elif kind == len(MUTATIONS):
            other = rng.choice(pool)
            data = data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]
        else:
            start, end = _place(data, rng)
            data = data[:start] + rng.choice([*words, *COMMON]) + data[rng.choice([start, end]) :]
    return data[:LONGEST]
