"""Parts of Jupyter messages: sound ones, and any other JSON where they should be."""

from __future__ import annotations

import json

from hypothesis import strategies as st

texts = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["comm_msg", "4.0", "5.4", "2027-13-45T99:99:99Z", "0001-01-01T00:00:00+23:59"]),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
headers = st.one_of(
    st.fixed_dictionaries(
        {"msg_id": json_values, "msg_type": st.one_of(texts, json_values)},
        optional={"version": json_values, "date": json_values, "username": json_values},
    ),
    json_values,
)
parts = st.one_of(json_values.map(lambda value: json.dumps(value).encode()), st.binary(max_size=10))
messages = st.tuples(headers.map(lambda value: json.dumps(value).encode()), parts, parts, parts)
