"""A call gets the reply to itself or none: whatever else a kernel sends is not mistaken for it."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace

import pytest
from jupyter_client.session import DELIM, Session

from autograder.errors import KernelLost, MachineBusy, SandboxError
from autograder.kernel import calls, messages
from autograder.kernel.calls import Caller
from autograder.model.assignment import Limits

LIMITS = Limits(memory_bytes=2**30)
REQUEST = {"operation": "call", "name": "conv2d"}
SOON, NEVER = 10.0, 0.05
"""Seconds to wait for what comes, and for what does not."""


@pytest.fixture
def call(scripted):
    """Make a request that the kernel answers by a script, which gets the request."""
    caller = Caller(scripted.client, scripted.relay, scripted.slot, "k0", LIMITS)

    def make(script=lambda _request: None, seconds=SOON, buffers=()):
        scripted.script = script
        return caller.request(REQUEST, buffers, seconds)

    return make


def test_a_call_gets_its_reply_with_its_buffers(scripted, call):
    data, buffers = call(lambda request: scripted.reply(request, 42, [b"one", b"two"]))
    assert data["value"] == 42
    assert [bytes(buffer) for buffer in buffers] == [b"one", b"two"]


@pytest.mark.parametrize(("parts", "heard"), [(900, [0] * 900), (2000, 42)])
def test_json_of_more_parts_than_any_answer_has_is_passed_over(scripted, call, monkeypatch, parts, heard):
    monkeypatch.setattr(messages, "MAX_SIGNS", 1000)

    def answer(request):
        scripted.reply(request, [0] * parts)
        scripted.reply(request, 42)

    assert call(answer)[0]["value"] == heard


def test_the_request_reaches_the_kernel_with_its_buffers(scripted, call):
    heard = []
    call(lambda request: (heard.append(request), scripted.reply(request)), buffers=[b"image"])
    assert {key: heard[0]["content"]["data"][key] for key in REQUEST} == REQUEST
    assert [bytes(buffer) for buffer in heard[0]["buffers"]] == [b"image"]


def test_a_late_reply_is_not_the_next_calls(scripted, call):
    requests = []
    with pytest.raises(KernelLost):
        call(requests.append, seconds=NEVER)

    def both(request):
        scripted.reply(requests[0], "late")
        scripted.reply(request, "mine")

    assert call(both)[0]["value"] == "mine"


def test_a_reply_that_is_repeated_is_taken_once(scripted, call):
    frames = []

    def twice(request):
        frames.extend(scripted.reply_frames(request, "first"))
        scripted.publish(frames)
        scripted.publish(frames)

    def again(request):
        scripted.publish(frames)
        scripted.reply(request, "second")

    assert call(twice)[0]["value"] == "first"
    assert call(again)[0]["value"] == "second"


def forged(session):
    """Frames of a reply signed with another key."""

    def make(request):
        content = {
            "comm_id": request["content"]["comm_id"],
            "data": {"id": request["content"]["data"]["id"], "value": 1},
        }
        return session.serialize(session.msg("comm_msg", content))

    return make


def unsigned(request):
    frames = forged(Session(key=b"x"))(request)
    return [frames[0], b"", *frames[2:]]


FOREIGN = {
    "another comm": lambda k, r: k.reply_frames(r, "wrong", comm_id="f" * 32),
    "another call": lambda k, r: k.reply_frames(r, "wrong", id="f" * 32),
    "a comm's end": lambda k, r: k.frames("comm_close", {"comm_id": r["content"]["comm_id"], "data": {}}),
    "printed text": lambda k, r: k.frames("stream", {"name": "stdout", "text": "hello"}),
    "a state": lambda k, r: k.frames("status", {"execution_state": "idle"}),
    "another key": lambda k, r: forged(Session(key=b"another key"))(r),
    "no signature": lambda k, r: unsigned(r),
    "no frames": lambda k, r: [],
    "a delimiter alone": lambda k, r: [DELIM],
    "too few frames": lambda k, r: [DELIM, b"signature", b"{}"],
    "no delimiter": lambda k, r: [b"a", b"b", b"c"],
    "no JSON": lambda k, r: k.signed(b"{", b"{", b"{", b"{"),
    "no Unicode": lambda k, r: k.signed(b"\xff", b"\xff", b"\xff", b"\xff"),
    "empty objects": lambda k, r: k.signed(b"{}", b"{}", b"{}", b"{}"),
    "lists": lambda k, r: k.signed(b"[]", b"[]", b"[]", b"[]"),
    "numbers": lambda k, r: k.signed(b"1", b"2", b"3", b"4"),
    "a header of odd types": lambda k, r: k.signed(b'{"msg_id": [], "msg_type": {}}', b"{}", b"{}", b"{}"),
    "an odd version": lambda k, r: k.signed(b'{"msg_id": 1, "msg_type": "x", "version": 5}', b"{}", b"{}", b"{}"),
    "an old version": lambda k, r: k.signed(
        b'{"msg_id": "1", "msg_type": "complete_reply", "version": "4.0"}', b"{}", b"{}", b"[]"
    ),
    "no date": lambda k, r: k.signed(
        b'{"msg_id": "1", "msg_type": "x", "date": "2027-99-99T99:99:99Z"}', b"{}", b"{}", b"{}"
    ),
    "deep nesting": lambda k, r: k.signed(b"[" * 100_000 + b"]" * 100_000, b"{}", b"{}", b"{}"),
    "odd content": lambda k, r: k.frames("comm_msg", b'["comm_id"]'),
    "odd data": lambda k, r: k.frames("comm_msg", {"comm_id": r["content"]["comm_id"], "data": [1]}),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_reply_is_passed_over(scripted, call, kind):
    def script(request):
        scripted.publish(FOREIGN[kind](scripted, request))
        scripted.reply(request, "mine")

    assert call(script)[0]["value"] == "mine"


def test_silence_is_a_timeout_that_names_the_function(call):
    with pytest.raises(KernelLost, match="conv2d") as caught:
        call(seconds=NEVER)
    assert caught.value.cause == "timeout"


def test_a_call_that_waited_for_a_processor_gets_more_time(scripted, call):
    waited = itertools.count()
    scripted.usage = lambda: {"cpu": 0.0, "waited": {"1": next(waited) * 0.8 * NEVER}}

    def late(request):
        threading.Timer(3 * NEVER, scripted.reply, (request, "late")).start()

    assert call(late, seconds=NEVER)[0]["value"] == "late"


def test_a_call_that_only_waited_is_the_machines_failure(scripted, call):
    waited = itertools.count(step=1000)
    scripted.usage = lambda: {"cpu": 0.0, "waited": {"1": next(waited)}}
    with pytest.raises(MachineBusy, match=r"too busy.*conv2d.*--workers"):
        call(seconds=NEVER)


@pytest.mark.parametrize(
    ("event", "cause", "told"),
    [
        ({"code": -11, "peak": 0}, "died", "signal 11"),
        ({"code": 3, "peak": 0}, "died", "exit code 3"),
        ({"code": -9, "peak": LIMITS.memory_bytes}, "memory", "1024 MiB"),
        ({"code": -9, "peak": 0, "killed": True}, "memory", "1024 MiB"),
    ],
)
def test_a_kernel_that_ends_says_how(scripted, call, event, cause, told):
    with pytest.raises(KernelLost, match=told) as caught:
        call(lambda _request: scripted.end(**event))
    assert caught.value.cause == cause
    assert "conv2d" in caught.value.message


def test_a_reply_counts_even_if_the_kernel_ended_after_it(scripted, call):
    def script(request):
        scripted.reply(request, "last words")
        scripted.end(code=0)

    assert call(script)[0]["value"] == "last words"


def test_a_lost_zygote_is_the_sandboxs_failure(scripted, call):
    def gone(_name):
        raise SandboxError("the zygote is gone")

    scripted.slot.exited = gone
    with pytest.raises(SandboxError):
        call(lambda _request: scripted.end(code=0))


FEW = replace(LIMITS, output_bytes=10_000)


def test_a_flood_ends_the_call(scripted):
    caller = Caller(scripted.client, scripted.relay, scripted.slot, "k0", FEW)

    def flood(request):
        for _ in range(20):
            scripted.publish([b"x" * 1000])
        scripted.reply(request, "too late")

    scripted.script = flood
    with pytest.raises(KernelLost, match="printed") as caught:
        caller.request(REQUEST, [], SOON)
    assert caught.value.cause == "exception"


def test_each_call_is_granted_its_answer_and_no_more(scripted, call):
    call(scripted.reply)
    call(scripted.reply)
    assert len(scripted.granted) == 2
    assert LIMITS.answer_bytes < scripted.granted[0] == scripted.granted[1] < 2 * LIMITS.answer_bytes


def test_a_kernel_that_says_more_than_was_granted_is_lost(scripted, call):
    with pytest.raises(KernelLost, match="`conv2d` sent more than 64 MiB") as caught:
        call(lambda _request: scripted.exceed())
    assert caught.value.cause == "exception"


def test_a_relay_that_fails_is_the_sandboxs_failure(scripted, call):
    with pytest.raises(SandboxError, match="no descriptors"):
        call(lambda _request: scripted.fail("no descriptors"))


def test_a_large_reply_is_no_flood(scripted):
    caller = Caller(scripted.client, scripted.relay, scripted.slot, "k0", FEW)
    scripted.script = lambda request: scripted.reply(request, "x" * 50_000, [b"y" * 50_000])
    assert len(caller.request(REQUEST, [], SOON)[0]["value"]) == 50_000
    assert len(caller.request(REQUEST, [], SOON)[1][0]) == 50_000


def test_what_is_printed_is_not_even_sent(scripted):
    caller = Caller(scripted.client, scripted.relay, scripted.slot, "k0", FEW)

    def chatter(request):
        for _ in range(20):
            scripted.send("stream", {"name": "stdout", "text": "x" * 1000}, topic=b"stream.stdout")
        scripted.reply(request, "heard")

    scripted.script = chatter
    assert caller.request(REQUEST, [], SOON)[0]["value"] == "heard"


def test_a_kernel_that_does_not_answer_the_subscription_is_lost(scripted, monkeypatch):
    monkeypatch.setattr(calls, "WELCOME_SECONDS", NEVER)
    scripted.send = lambda *_args, **_options: None
    with pytest.raises(KernelLost) as caught:
        Caller(scripted.client, scripted.relay, scripted.slot, "k0", LIMITS)
    assert caught.value.cause == "timeout"


def test_a_kernel_that_ended_before_the_first_call_says_how(scripted):
    scripted.send = lambda *_args, **_options: None
    scripted.end(code=7)
    with pytest.raises(KernelLost, match="exit code 7"):
        Caller(scripted.client, scripted.relay, scripted.slot, "k0", LIMITS)
