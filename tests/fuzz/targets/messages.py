"""Frames from a hostile kernel: a message in the one form that the grader's code relies on, or one of no type."""

from __future__ import annotations

import json
import random

import zmq
from case import pack, unpack
from hypothesis import strategies as st
from jupyter_client.session import DELIM
from scripted import KEY
from strategies.messages import messages

from autograder.kernel.messages import PARTS, WarySession

WORDS = [
    *(
        b'"msg_type":"stream"',
        b'"msg_type":"comm_msg"',
        b'"msg_id":"',
        b'"version":"4.0"',
        b'"version":"5.3"',
        b'"date":',
    ),
    *(
        b'"9999-12-31T23:59:59.999999+00:00"',
        b'"parent_header"',
        b'"status"',
        b'{"data":',
        b'"username":',
        b"\0\0\0\2{}",
    ),
    *(b'"execution_count":', b'"display_data"', b'"pyout"', b'"pyerr"', b'"object_info_reply"', b'"complete_reply"'),
]
SIGNED, UNSIGNED, BARE = b"\1", b"\2", b"\3"


def check(data: bytes) -> bool:
    """A kind, then the parts of a message; those of a signed one get a signature that holds."""
    session = WarySession(key=KEY)
    kind, *parts = unpack(data) or [BARE]
    frames = parts
    if kind != BARE:
        frames = [b"topic", DELIM, session.sign(parts[:4]) if kind == SIGNED else b"x" * 64, *parts]
    for copied in (True, False):
        session = WarySession(key=KEY)
        _, rest = session.feed_identities([part if copied else zmq.Frame(part) for part in frames], copy=copied)
        message = session.deserialize(rest, copy=copied)
        assert set(message) >= {"msg_id", "msg_type", "buffers", "size", *PARTS}
        assert all(type(message[part]) is dict for part in PARTS)
        assert type(message["header"].get("msg_type", "")) is str
        assert type(message["msg_type"]) is str
        assert message["size"] == sum(map(len, rest))
        assert all(isinstance(part, memoryview | zmq.Frame) for part in message["buffers"])
        if kind == UNSIGNED:
            assert message["msg_type"] == ""
    return True


def replace(parts: tuple[bytes, ...], places: list[int], part: bytes) -> list[bytes]:
    return [part if place in places else given for place, given in enumerate(parts)]


def packed(kind: bytes, parts: list[bytes], buffers: list[bytes], order: int) -> bytes:
    random.Random(order).shuffle(parts) if order % 5 == 0 else None
    return pack([kind, *parts, *buffers])


dates = st.sampled_from(
    ["2026-03-01T10:00:00Z", "9999-12-31T23:59:59Z", "0000-00-00T00:00:00Z", "1-1-1T1:1:1", "T", "\0"]
)
sound = st.builds(
    lambda kind, version, date, parent, content: [
        json.dumps({"msg_id": "1", "msg_type": kind, "version": version, "date": date}).encode(),
        json.dumps(parent).encode(),
        b"{}",
        json.dumps(content).encode(),
    ],
    st.sampled_from(
        ["stream", "status", "comm_msg", "pyout", "pyerr", "object_info_reply", "execute_reply", "display_data"]
    ),
    st.sampled_from(["5.3", "4.1", "4", "3.0", "5", "six", "-1", "5.3.1", "1e5", ""]),
    dates,
    st.one_of(st.just({}), st.fixed_dictionaries({"date": dates, "msg_type": st.text(max_size=3), "version": dates})),
    st.one_of(
        st.dictionaries(
            st.sampled_from(
                ["data", "name", "text", "status", "payload", "matched_text", "code", "execution_count", "ename"]
            ),
            st.one_of(st.text(max_size=3), st.integers(), st.lists(st.integers(), max_size=2), st.none(), st.just({})),
            max_size=4,
        ),
        st.just([]),
    ),
)
deep = st.builds(
    lambda unit, times: unit * times, st.sampled_from([b"[", b'{"a":', b"[1,"]), st.sampled_from([10, 900, 50_000])
)
cases = st.builds(
    packed,
    st.sampled_from([SIGNED] * 6 + [UNSIGNED, BARE]),
    st.one_of(
        messages.map(list),
        sound,
        st.builds(replace, messages, st.lists(st.integers(0, 3), max_size=2), st.one_of(deep, st.binary(max_size=20))),
    ),
    st.lists(st.binary(max_size=10), max_size=3),
    st.integers(0, 60),
)
