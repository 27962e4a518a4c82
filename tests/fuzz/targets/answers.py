"""Whatever a function answers, a comparison says in words how it differs, and a hint's test does not fail either."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import torch
from case import pack
from hypothesis import strategies as st
from strategies.codec import hostile, plain
from strategies.comparisons import values as compared_values

from autograder.checks.compare import close, describe, differ, equal, same
from autograder.checks.record import Record, recording
from autograder.inside.values import ANSWER, Opaque
from targets.codec import Refused, arrays, decode, encoded, measured, read

SECONDS = 20
EXPECTED: list[Any] = [
    1,
    -2.5,
    2**70,
    True,
    1j,
    None,
    "text",
    b"bytes",
    np.float32(0.5),
    np.arange(6, dtype=np.float64).reshape(2, 3),
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.arange(4, dtype=np.uint8).reshape(2, 2),
    np.zeros((0, 3)),
    np.array(1.5),
    np.array([True, False]),
    np.ones(2, dtype=complex),
    torch.ones(2, 3),
    torch.ones(2, dtype=torch.bfloat16),
    torch.tensor(3),
    torch.ones(2, dtype=torch.complex64),
    [1, [2.0, "x"], (None, {"a": np.ones(2)})],
    (np.ones((2, 2)), 3),
    {"a": 1, 2: [1.5], (1, "b"): None},
    {1.5: 2, None: 3},
    [],
]
WORDS = [
    *(json.dumps(encoded(value)[0]).encode() for value in EXPECTED),
    *(
        b'{"t":"float","v":"nan"}',
        b'{"t":"float","v":"inf"}',
        b'"<f8"',
        b'"<f4"',
        b'"<f16"',
        b'"|b1"',
        b'"<c16"',
        b'"s":[2,3]',
    ),
    *(np.full(3, np.nan).tobytes(), np.full(3, 1e308).tobytes(), np.full(2, -np.inf).tobytes()),
]


def check(data: bytes) -> bool:
    tree, buffers = read(data)
    value = Refused if tree is None else decode(tree, buffers, find=Opaque, bounds=ANSWER)
    if value is Refused or measured(value)[1] > 2000:
        value = of_bits(data)
    described = describe(value)
    assert described
    described.encode()
    spoilt = has_nan(value)
    assert same(value, value) or has_handle(value)
    reveal: Any = "nothing" if len(data) % 3 == 0 else "worst"
    for expected in EXPECTED[len(data) % 2 :: 2]:
        for compare, options in ((close, {"picture": True}), (equal, {})):
            record = Record(reveal=reveal)
            with recording(record):
                held = compare(value, expected, **options)
            [told] = record.comparisons
            assert type(held) is bool
            assert told.ok == held
            assert held == (not told.message)
            assert not (held and spoilt), "NaN never passes"
            (told.message + told.detail).encode()
            assert len(told.message) < 5000, f"a message of {len(told.message)} characters"
            json.dumps(told.picture and [told.picture.expected, told.picture.actual])
        assert same(value, expected) == same(expected, value)
        difference = differ(value, expected)
        assert difference is None or difference.message
    return True


def of_bits(data: bytes) -> Any:
    """What any bytes are: an array of a shape that is expected."""
    known = [value for value in EXPECTED if isinstance(value, np.ndarray)]
    expected = known[sum(data[:1]) % len(known)]
    numbers = (data[1:] * expected.nbytes).ljust(expected.nbytes, b"\x7f")[: expected.nbytes]
    return np.frombuffer(numbers, dtype=expected.dtype).reshape(expected.shape)


def has_nan(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(has_nan, value.values()))
    if isinstance(value, list | tuple):
        return any(map(has_nan, value))
    if isinstance(value, torch.Tensor):
        return bool(torch.isnan(value).any())
    if isinstance(value, np.ndarray | np.generic):
        return bool(np.isnan(value).any())
    return isinstance(value, float | complex) and (math.isnan(complex(value).real) or math.isnan(complex(value).imag))


def has_handle(value: Any) -> bool:
    """Objects that stayed in the kernel, NaN as a key: what is not equal to itself."""
    if isinstance(value, dict):
        return any(map(has_handle, value.values())) or any(map(has_handle, value.keys()))
    if isinstance(value, list | tuple):
        return any(map(has_handle, value))
    return isinstance(value, Opaque)


def bits(name: str, shape: list[int], unit: bytes) -> tuple[Any, list[bytes]]:
    """An array of the shape that is expected, of any bits."""
    size = int(np.prod(shape)) * np.dtype(name).itemsize
    return {"t": "ndarray", "d": name, "s": shape, "b": 0}, [(unit * size)[:size]]


near = st.builds(
    bits,
    st.sampled_from(["<f8", "<f4", "<f2", "<f16", "<c16", "<c8", "<i8", "<u8", "|i1", "|u1", "|b1"]),
    st.sampled_from([[2, 3], [2, 2], [0, 3], [2], []]),
    st.binary(min_size=1, max_size=16),
)
cases = st.one_of(
    near,
    near,
    arrays,
    plain.map(encoded),
    compared_values.map(encoded),
    st.tuples(hostile, st.lists(st.binary(max_size=64), max_size=3)),
    st.lists(st.sampled_from(EXPECTED), max_size=3).map(encoded),
    st.builds(lambda n, name: ({"t": "handle", "n": n, "k": name}, []), st.integers(-1, 2**70), st.text(max_size=120)),
    st.sampled_from(EXPECTED).map(encoded),
).map(lambda made: pack([json.dumps(made[0]).encode(), *made[1]]))
