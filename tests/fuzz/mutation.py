"""Change bytes without knowing what they mean, and JSON in them without breaking it, beside the strategies."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from case import pack, unpack

LONGEST = 2**16
"""Bytes that a case grows to by itself."""
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
NUMBERS = [b"0", b"-1", b"1", b"1e999", b"-0.0", b"9223372036854775808", b"4294967296", b"0.1", b"9" * 400, b"true"]
SCALARS: list[Any] = [None, True, -1, 2**63, 1e308, float("nan"), "", "\ud800", "x" * 300, [], {}, 10**400]
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
    if rng.random() < 0.5:
        data = grafted(data, lambda: _json(rng.choice(pool), rng), rng)
        if rng.random() < 0.8:
            return data
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


def grafted(data: bytes, donor: Callable[[], Any], rng: random.Random) -> bytes:
    """A case with something else in some place of the JSON that it is, or that one of its parts is."""
    tree = _loaded(data)
    if tree is None:
        parts = unpack(data)
        nested = [place for place, part in enumerate(parts) if len(part) > 1]
        if not nested or pack(parts) != data:  # it is neither JSON nor made of parts
            return data
        place = rng.choice(nested)
        parts[place] = grafted(parts[place], donor, rng)
        return pack(parts)
    for _ in range(1 + int(rng.expovariate(1))):
        tree[0] = _changed(tree[0], donor, rng)
    return json.dumps(tree[0]).encode()


def _changed(tree: Any, donor: Callable[[], Any], rng: random.Random) -> Any:
    """A tree in which one node was replaced, removed, repeated, or moved below another one."""
    if not tree or not isinstance(tree, dict | list) or rng.random() < 0.15:
        return rng.choice([donor, lambda: [tree], lambda: rng.choice(SCALARS), lambda: tree])()
    if isinstance(tree, list):
        place = rng.randrange(len(tree))
        kind = rng.random()
        if kind < 0.1:
            return tree[:place] + tree[place + 1 :]
        if kind < 0.2:
            return tree[:place] + [tree[place]] * rng.choice([2, 3, 40]) + tree[place + 1 :]
        return [*tree[:place], _changed(tree[place], donor, rng), *tree[place + 1 :]]
    key = rng.choice(list(tree))
    if rng.random() < 0.1:
        return {name: value for name, value in tree.items() if name != key}
    return {**tree, key: _changed(tree[key], donor, rng)}


def _loaded(data: bytes) -> list[Any] | None:
    if data[:1] not in {b"{", b"["}:
        return None
    try:
        return [json.loads(data)]
    except (ValueError, RecursionError):
        return None


def _json(data: bytes, rng: random.Random) -> Any:
    """Some node of the JSON in a case."""
    tree = _loaded(data)
    if tree is None:
        trees = [tree for tree in map(_loaded, unpack(data)) if tree is not None]
        tree = rng.choice(trees or [SCALARS])
    node = tree[0]
    while isinstance(node, dict | list) and node and rng.random() < 0.7:
        node = rng.choice(list(node.values()) if isinstance(node, dict) else node)
    return node
