"""Whatever a hostile kernel signs and sends, a call gets its own reply and nothing breaks."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jupyter_client.session import DELIM

from autograder.kernel.calls import Caller
from autograder.model.assignment import Limits

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


@pytest.fixture
def caller(scripted):
    return Caller(scripted.client, scripted.relay, scripted.slot, "k0", Limits())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(messages, st.lists(st.binary(max_size=10), max_size=2), st.booleans())
def test_a_signed_message_of_any_content_is_passed_over(scripted, caller, message, buffers, is_signed):
    def script(request):
        scripted.publish([*(scripted.signed(*message) if is_signed else [DELIM, *message]), *buffers])
        scripted.reply(request, "mine")

    scripted.script = script
    assert caller.request({"name": "f"}, [], 10.0)[0]["value"] == "mine"
