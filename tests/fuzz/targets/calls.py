"""A call to a kernel that says anything before it answers: the call gets an answer to itself, or is lost."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from case import pack, unpack
from hypothesis import strategies as st
from jupyter_client.session import DELIM
from scripted import ScriptedKernel
from strategies.codec import hostile
from strategies.messages import json_values, messages

from autograder.checks.local import LocalTransport
from autograder.checks.student import Student
from autograder.errors import KernelLost, StudentFailure
from autograder.kernel.calls import Caller
from autograder.model.assignment import Limits

COMM, CALL = b"$COMM", b"$CALL"
"""Stand in a case for what only the probe is told, and a student's code can find out."""
LIMITS = Limits(output_bytes=4096)
WORDS = [
    *(COMM, CALL, b'"comm_msg"', b'"data":{"id":"$CALL"', b'"comm_id":"$COMM"', b'"status":"ok"', b'"status":"error"'),
    *(
        b'"value":',
        b'"cause":"memory"',
        b'"type":"',
        b'"message":"',
        b'"traceback":"',
        b'"msg_type":"comm_msg"',
        b"\0\0\0\1",
    ),
]
SECONDS_TO_ANSWER = 10.0


def check(data: bytes) -> bool:
    """Each part is a message, made of parts in its turn; the honest answer comes last."""
    kernel, caller = scripted()
    said = [unpack(each) for each in unpack(data)]

    def script(request: dict[str, Any]) -> None:
        content = request["content"]
        for parts in said:
            known = [
                part.replace(COMM, content["comm_id"].encode()).replace(CALL, content["data"]["id"].encode())
                for part in parts
            ]
            signed, known = known[:1] != [b"unsigned"], known[known[:1] == [b"unsigned"] :]
            kernel.publish([*kernel.signed(*known[:4]), *known[4:]] if signed else [DELIM, *known])
        kernel.reply(request, "mine")

    kernel.script = script
    caller._unasked = 0
    try:
        reply, buffers = caller.request({"name": "f"}, [], SECONDS_TO_ANSWER)
    except KernelLost as lost:
        assert lost.cause == "exception", lost.message  # too much was said; a time-out would mean that it was missed
        kernel.flush(caller)
        return True
    assert type(reply) is dict
    assert type(reply["id"]) is str
    student = Student("ada", LocalTransport({}))  # it only reads
    try:
        student._read(reply, buffers, "f")
    except StudentFailure as failure:
        told = failure.message + failure.detail
        told.encode()
        assert len(failure.message) < 2000
    kernel.flush(caller)
    return True


class _Kernel(ScriptedKernel):
    def flush(self, caller: Caller) -> None:
        """Hear the rest: the next case must not find it."""
        done = []

        def script(request: dict[str, Any]) -> None:
            done.append(request)
            self.reply(request, "done")

        self.script = script
        caller._unasked = -(10**9)
        assert caller.request({"name": "f"}, [], SECONDS_TO_ANSWER)[0]["value"] == "done"


@cache
def scripted() -> tuple[_Kernel, Caller]:
    kernel = _Kernel().__enter__()
    return kernel, Caller(kernel.client, kernel.relay, kernel.slot, "k0", LIMITS)


def end() -> None:
    if scripted.cache_info().currsize:
        scripted()[0].__exit__()


HEADER = b'{"msg_id":"1","msg_type":"comm_msg","version":"5.3"}'
fields = st.one_of(st.text(max_size=6), json_values)
answers = st.fixed_dictionaries(
    {"id": st.sampled_from([CALL.decode()] * 6 + ["x", "", None, 1, []])},
    optional={
        "status": st.sampled_from(["ok"] * 5 + ["error", "x", None, 1]),
        "value": st.one_of(hostile, json_values),
        "cause": st.one_of(st.sampled_from(["memory", "missing", "type", "exception"]), json_values),
        "type": st.one_of(st.just("NotImplementedError"), fields),
        "message": st.one_of(fields, st.just("\ud800" * 9)),
        "traceback": st.one_of(fields, st.just("    x = '\ud800'\n")),
    },
)
contents = st.builds(
    lambda comm, data: json.dumps({"comm_id": comm, "data": data}).encode(),
    st.sampled_from([COMM.decode()] * 6 + ["x", None, 1, []]),
    st.one_of(answers, answers, json_values),
)
replies = st.builds(
    lambda content, buffers: [HEADER, b"{}", b"{}", content, *buffers],
    contents,
    st.lists(st.binary(max_size=9), max_size=2),
)
others = st.builds(
    lambda parts, signed, buffers: [*([] if signed else [b"unsigned"]), *parts, *buffers],
    messages,
    st.booleans(),
    st.lists(st.builds(lambda part, times: part * times, st.binary(max_size=9), st.sampled_from([1, 900])), max_size=2),
)
cases = st.lists(st.one_of(replies, others).map(pack), max_size=5).map(pack)
