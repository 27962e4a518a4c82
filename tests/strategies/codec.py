"""Values that may cross, and trees that no Encoder wrote; how a decoded value is looked at."""

from __future__ import annotations

import json
import math

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.inside.values import MAX_INT_BITS, Decoder, Encoder, Opaque

text = st.text(st.characters(exclude_categories=["Cs"]))
dtypes = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(),
    hnp.unsigned_integer_dtypes(),
    hnp.floating_dtypes(),
    hnp.complex_number_dtypes(sizes=(64, 128)),
)
arrays = dtypes.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
integers = st.integers(-(2**MAX_INT_BITS) + 1, 2**MAX_INT_BITS - 1)
hashable = st.one_of(
    st.none(), st.booleans(), integers, st.floats(), st.complex_numbers(), text, st.binary(), st.tuples(text, integers)
)
plain = st.recursive(
    st.one_of(hashable, arrays, dtypes.flatmap(hnp.from_dtype)),
    lambda inner: st.one_of(st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(hashable, inner, max_size=4)),
    max_leaves=12,
)


def cross(value, **options):
    """Encode, send as JSON and bytes, decode."""
    encoder = Encoder(**options)
    tree = json.loads(json.dumps(encoder.encode(value), allow_nan=False))
    return Decoder([bytes(memoryview(part)) for part in encoder.buffers], Opaque).decode(tree)


def identical(one, other):  # noqa: PLR0911 - one return a kind of value
    """Whether two values are the same in type, dtype, shape and every bit that matters; NaN is NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        same_form = one.dtype == other.dtype.newbyteorder("=") or one.dtype.newbyteorder("=") == other.dtype
        return same_form and one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
    if isinstance(one, torch.Tensor):
        return (
            one.dtype == other.dtype
            and one.shape == other.shape
            and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            identical(a, b) and identical(one[a], other[b]) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    if isinstance(one, complex):
        return identical(one.real, other.real) and identical(one.imag, other.imag)
    return one == other


def is_plain(value):
    """Whether a value is, down to its last part, what the codec knows, and of no subclass."""
    if type(value) in (list, tuple):
        return all(map(is_plain, value))
    if type(value) is dict:
        return all(map(is_plain, [*value.keys(), *value.values()]))
    if type(value) is np.ndarray or isinstance(value, np.generic):
        return value.dtype.kind in "biufc"
    return value is None or type(value) in (bool, int, float, complex, str, bytes, torch.Tensor)


# the hostile side

leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("\ud800"))
tags = st.sampled_from(
    ["int", "float", "complex", "bytes", "list", "tuple", "dict", "scalar", "ndarray", "tensor", "handle", "code"]
)
sizes = st.lists(st.one_of(st.integers(-1, 5), st.sampled_from([0, 2**39, 2**40, 2**62]), leaves), max_size=4)
names = st.one_of(
    st.sampled_from(
        ["<f8", "|b1", "<i4", "<c16", ">f4", "2f4", "0f4", "|O", "|O8", "<U4", "<m8", "float32", "bool", "Tensor"]
    ),
    st.text(max_size=5),
    leaves,
)


def pairs(inner):
    return st.lists(st.one_of(inner, st.lists(inner, max_size=3)), max_size=3)


hostile = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from("tvbdsnkx"), inner, max_size=4),
        st.fixed_dictionaries(
            {"t": tags},
            optional={
                "v": st.one_of(inner, pairs(inner), st.text("0123456789abcdefx-_ ")),
                "b": st.one_of(st.integers(-1, 3), inner),
                "d": names,
                "s": st.one_of(sizes, inner),
                "n": inner,
                "k": inner,
            },
        ),
    ),
    max_leaves=20,
)  # fmt: skip
