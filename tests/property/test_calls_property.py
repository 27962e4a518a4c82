"""Whatever a hostile kernel signs and sends, a call gets its own reply and nothing breaks."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jupyter_client.session import DELIM
from strategies.messages import messages

from autograder.kernel.calls import Caller
from autograder.model.assignment import Limits


@pytest.fixture
def caller(scripted):
    return Caller(scripted.client, scripted.relay, scripted.slot, "k0", Limits())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages, st.lists(st.binary(max_size=10), max_size=2), st.booleans())
def test_a_signed_message_of_any_content_is_passed_over(scripted, caller, message, buffers, is_signed):
    def script(request):
        scripted.publish([*(scripted.signed(*message) if is_signed else [DELIM, *message]), *buffers])
        scripted.reply(request, "mine")

    scripted.script = script
    assert caller.request({"name": "f"}, [], 10.0)[0]["value"] == "mine"
