"""An answer from a sandbox: a plain value within the caps, which can be sent on, or refused."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import torch
from case import pack, unpack
from hypothesis import strategies as st
from strategies.codec import cross, hostile, identical, is_plain, plain, tags

from autograder.inside.values import (
    ANSWER,
    MAX_ALIKE,
    TENSOR_DTYPES,
    Decoder,
    Encoder,
    Opaque,
    ValueRefused,
)

WORDS = [
    *(f'{{"t":"{tag}","v":['.encode() for tag in ("list", "tuple", "dict", "complex")),
    *(f'"{name}"'.encode() for name in ("<f8", "<c16", "<f16", "|b1", "<i8", "<u2", *sorted(TENSOR_DTYPES))),
    *(b'"t":', b'"v":', b'"d":', b'"s":[', b'"b":0', b'"b":1', b'"n":', b'"k":', b'{"t":"float","v":"nan"}'),
    *(b'{"t":"int","v":"0x', b'{"t":"scalar","d":"<f2","v":"007e"}', b'{"t":"handle","n":1,"k":"Net"}'),
]
PRIME = 2**61 - 1
"""Multiples of it are equal to Python's hashes of numbers."""
ODD = 1_000_003
"""The hash of a complex number is that of its real part and so many times that of its imaginary part."""


def check(data: bytes) -> bool:
    tree, buffers = read(data)
    if tree is None:
        return False
    decode(tree, buffers, find=None)
    value = decode(tree, buffers, find=Opaque, bounds=ANSWER)
    if value is Refused:
        return True
    assert is_plain_answer(value)
    depth, parts, size = measured(value)
    assert depth <= ANSWER.depth
    assert parts <= ANSWER.parts
    assert size <= sum(map(len, buffers)), "a buffer was used twice"
    assert len(buffers) <= ANSWER.arrays
    assert identical(cross([value]), [value]), "a check cannot hand it on"
    return True


Refused = object()


def read(data: bytes) -> tuple[Any, list[bytes]]:
    """The tree and the buffers of a case; no tree where it is no JSON, which never gets as far as a Decoder."""
    parts = unpack(data) or [b""]
    try:
        return [json.loads(parts[0].decode("utf-8", "replace"))], parts[1:]
    except (ValueError, RecursionError):
        return None, []


def decode(tree: Any, buffers: list[bytes], **options: Any) -> Any:
    try:
        return Decoder(buffers, **options).decode(tree[0])
    except ValueRefused as refusal:
        assert "\n" not in str(refusal)
        return Refused


def is_plain_answer(value: Any) -> bool:
    """As `is_plain`, where objects that stayed in the kernel are handles."""
    if type(value) in (list, tuple):
        return all(map(is_plain_answer, value))
    if type(value) is dict:
        return all(map(is_plain_answer, [*value.keys(), *value.values()]))
    return type(value) is Opaque or is_plain(value)


def measured(value: Any) -> tuple[int, int, int]:
    """How deep a value is, of how many parts, and how many bytes its arrays have."""
    if isinstance(value, dict):
        inner = [measured(part) for pair in value.items() for part in pair]
        assert max(Counter(map(hash, value)).values(), default=0) <= MAX_ALIKE
    elif isinstance(value, list | tuple):
        inner = [measured(part) for part in value]
    elif isinstance(value, np.ndarray | torch.Tensor):
        return 0, 1, value.nbytes
    else:
        return 0, 1, len(value) if isinstance(value, bytes) else 0
    deepest = max((depth for depth, _, _ in inner), default=-1) + 1
    return deepest, 1 + sum(parts for _, parts, _ in inner), sum(size for _, _, size in inner)


def encoded(value: Any) -> tuple[Any, list[bytes]]:
    encoder = Encoder(keep=lambda _: 1)
    tree = encoder.encode(value)
    return tree, [bytes(memoryview(buffer)) for buffer in encoder.buffers]


def nested(tag: str, depth: int, leaf: Any) -> Any:
    for _ in range(depth):
        leaf = {"t": tag, "v": [[leaf, leaf]] if tag == "dict" and depth < 12 else [leaf]}
    return leaf


def alike(kind: str, count: int) -> dict[str, Any]:
    """A dict of keys that share their hash, as far as Python lets them."""
    key = {
        "int": lambda k: {"t": "int", "v": hex(k * PRIME)},
        "complex": lambda k: {"t": "complex", "v": [-float(ODD * k), float(k)]},
        "tuple": lambda k: {"t": "tuple", "v": [{"t": "int", "v": hex(k * PRIME)}]},
        "float": lambda k: 2.0 ** (61 * (k % 16)),
        "text": str,
    }[kind]
    return {"t": "dict", "v": [[key(k), None] for k in range(1, count + 1)]}


numbers = st.sampled_from(["<f8", "<f4", "<f2", "<f16", "<c8", "<c16", "<i1", "<u8", "|b1", "<b1"])
buffers = st.lists(st.binary(max_size=64), max_size=3)
arrays = st.builds(
    lambda tag, name, shape, data, fits: (
        {"t": tag, "d": name, "s": shape, "b": 0, "v": data.hex()},
        [(data * 200)[: int(np.prod(shape, dtype=object)) * 8] if fits else data],
    ),
    st.sampled_from(["ndarray", "tensor", "scalar"]),
    st.one_of(numbers, st.sampled_from(sorted(TENSOR_DTYPES))),
    st.lists(st.integers(0, 4), max_size=4),
    st.binary(max_size=64),
    st.booleans(),
)
trees = st.one_of(
    st.tuples(hostile, buffers),
    plain.map(encoded),
    arrays,
    st.builds(lambda made, n: ({"t": "list", "v": [made[0]] * n}, made[1]), arrays, st.integers(1, 3)),
    st.tuples(st.builds(nested, tags, st.integers(0, 40), hostile), buffers),
    st.tuples(
        st.builds(alike, st.sampled_from(["int", "complex", "tuple", "float", "text"]), st.integers(0, 300)), buffers
    ),
)
rare = st.one_of(
    st.tuples(st.builds(alike, st.sampled_from(["int", "complex", "tuple", "text"]), st.integers(0, 45_000)), buffers),
    st.tuples(
        st.builds(
            lambda leaf, n: {"t": "list", "v": [leaf] * n},
            st.one_of(st.none(), hostile),
            st.one_of(st.integers(0, 120_000), st.integers(ANSWER.parts - 2, ANSWER.parts + 2)),
        ),
        buffers,
    ),
    st.tuples(hostile, st.builds(lambda part, n: [part] * n, st.binary(max_size=4), st.integers(0, 5000))),
)
cases = st.one_of(trees, trees, trees, st.integers(0, 99).flatmap(lambda n: trees if n > 1 else rare)).map(
    lambda made: pack([json.dumps(made[0]).encode(), *made[1]])
)
