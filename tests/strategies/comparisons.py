"""Values as checks compare them."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

finite = st.floats(-1e6, 1e6, allow_subnormal=False)
shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
dtypes = st.sampled_from(["float64", "float32", "int64", "uint8", "bool", "complex128"])
arrays = dtypes.flatmap(
    lambda name: hnp.arrays(
        name,
        shapes,
        elements={
            "float64": finite,
            "float32": st.floats(-1000, 1000, width=32),
            "complex128": st.complex_numbers(max_magnitude=1e6),
        }.get(name),
    )
)
values = st.recursive(
    st.one_of(finite, st.integers(), st.booleans(), st.text(max_size=5), st.none(), arrays),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=6,
)
