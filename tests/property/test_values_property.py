"""Every plain value crosses unchanged, and nothing that a hostile side sends does more than be refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from strategies.codec import arrays, cross, hostile, identical, is_plain, plain

from autograder.inside.values import (
    ANSWER,
    MAX_INT_BITS,
    REQUEST,
    TENSOR_DTYPES,
    Bounds,
    Decoder,
    Encoder,
    Opaque,
    ValueRefused,
)


@given(plain)
@example([math.nan, -0.0, math.inf, complex(math.nan, -0.0)])
@example({"a": (np.array(1.5), np.empty((0, 3)), np.float32(2), 2**100)})
@example({math.nan: 1, 2.5: [], b"": {}})
def test_a_plain_value_crosses_unchanged(value):
    assert identical(cross(value), value)


@given(arrays, st.randoms())
def test_an_array_crosses_whatever_its_layout(array, random):
    view = array.T[..., ::-1] if array.ndim else array
    swapped = view.astype(view.dtype.newbyteorder(">"))
    assert identical(cross(view), np.ascontiguousarray(view).reshape(view.shape))
    np.testing.assert_array_equal(cross(swapped), view)


@given(arrays)
def test_an_array_that_came_can_be_written_to(array):
    assert cross(array).flags.writeable


@pytest.mark.parametrize("name", sorted(TENSOR_DTYPES))
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)])
def test_a_tensor_crosses_unchanged(name, shape):
    tensor = (torch.arange(math.prod(shape)).reshape(shape) % 7).to(getattr(torch, name))
    answer = cross(tensor)
    assert answer.dtype is tensor.dtype
    assert answer.shape == tensor.shape
    assert torch.equal(answer, tensor)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6.0).reshape(2, 3).T,
        torch.arange(6.0)[::2],
        torch.ones(2, requires_grad=True),
        torch.nn.Parameter(torch.ones(2)),
        torch.tensor([1 + 2j]).conj(),
        torch.tensor([1 + 2j]).conj().imag,
        torch.ones(3).expand(2, 3),
    ],
)
def test_a_tensor_crosses_whatever_its_layout(tensor):
    assert torch.equal(cross(tensor), tensor.detach())


def test_an_object_crosses_as_a_handle():
    kept = []
    value = cross([Opaque(3, "Net"), object()], keep=lambda item: kept.append(item) or 7)
    assert value == [Opaque(3, "Net"), Opaque(7, "object")]
    assert len(kept) == 1


class Liar(list):
    """A subclass may lie about what it is."""


class Array(np.ndarray):
    pass


@pytest.mark.parametrize(
    "value", [Liar([1]), np.ones(2).view(Array), type("T", (float,), {})(1), {1, 2}, object(), np.array(["a"])]
)
def test_what_is_not_exactly_plain_never_crosses_by_value(value):
    with pytest.raises(ValueRefused):
        Encoder().encode(value)
    assert isinstance(cross(value, keep=lambda _: 0), Opaque)


def nested(depth, leaf):
    return leaf if depth == 0 else [nested(depth - 1, leaf)]


@pytest.mark.parametrize("leaf", [1, 1j, np.ones(2), "x"])
def test_depth_is_bounded_alike_on_both_sides(leaf):
    assert identical(cross(nested(REQUEST.depth, leaf)), nested(REQUEST.depth, leaf))
    with pytest.raises(ValueRefused):
        Encoder().encode(nested(REQUEST.depth + 1, leaf))


@pytest.mark.parametrize(
    "value",
    [2**MAX_INT_BITS, [0] * REQUEST.parts, "x" * 101, b"x" * 101, np.ones(13), torch.ones(26), ["x" * 60, b"x" * 60]],
)
def test_what_is_larger_than_allowed_is_refused(value):
    with pytest.raises(ValueRefused):
        Encoder(bounds=Bounds(100)).encode(value)


# the hostile side


@given(hostile, st.lists(st.binary(max_size=64), max_size=3))
@example({"t": "int", "v": "zz"}, [])
@example({"t": "complex", "v": [1, 2, 3]}, [])
@example({"t": "complex", "v": ["a", "b"]}, [])
@example({"t": "ndarray", "d": "2f4", "s": [1], "b": 0}, [b"12345678"])
@example({"t": "ndarray", "d": "<f8", "s": [0, 2**39, 2**39], "b": 0}, [b""])
@example({"t": "tensor", "d": "float32", "s": [0, 2**39, 2**39], "b": 0}, [b""])
@example({"t": "ndarray", "d": "|O8", "s": [1], "b": 0}, [b"12345678"])
@example({"t": "dict", "v": [[{"t": "list", "v": []}, 1]]}, [])
@example({"t": ["list"], "v": []}, [])
@example("\ud800", [])
@example({"t": "handle", "n": 0, "k": "\ud800"}, [])
@example(2**5000, [])
@example({"t": "ndarray", "d": "<c32", "s": [1], "b": 0}, [bytes(32)])
def test_whatever_is_sent_is_a_plain_value_or_refused(tree, buffers):
    try:
        value = Decoder(buffers, Opaque, ANSWER).decode(tree)
    except ValueRefused:
        return
    assert identical(cross([value]), [value])  # a check may hand it on


@given(plain, st.data())
def test_a_message_that_was_tampered_with_is_a_plain_value_or_refused(value, data):
    encoder = Encoder()
    wire = json.dumps(encoder.encode(value))
    buffers = [bytes(memoryview(part)) for part in encoder.buffers]
    position = data.draw(st.integers(0, len(wire) - 1))
    changed = wire[:position] + data.draw(st.sampled_from('0129"[]{}:,tvbdsaf-')) + wire[position + 1 :]
    try:
        tree = json.loads(changed)
    except ValueError:
        return
    try:
        value = Decoder(buffers).decode(tree)
    except ValueRefused:
        return
    assert is_plain(value)


@pytest.mark.parametrize("number", [2**MAX_INT_BITS, -(2**MAX_INT_BITS), 2 ** (MAX_INT_BITS + 7)])
def test_an_integer_that_could_not_be_sent_back_is_refused(number):
    with pytest.raises(ValueRefused, match="an integer"):
        Decoder([]).decode({"t": "int", "v": hex(number)})


@given(st.integers(REQUEST.parts + 1, REQUEST.parts + 3))
def test_too_many_parts_are_refused(count):
    with pytest.raises(ValueRefused):
        Decoder([]).decode({"t": "list", "v": [None] * count})
