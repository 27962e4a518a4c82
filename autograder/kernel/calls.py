"""Call the probe in a kernel through a Jupyter comm, synchronously: one request, one reply, a deadline."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import zmq

from autograder.errors import KernelLost, MachineBusy, SandboxError
from autograder.inside.probe import COMM_TARGET
from autograder.kernel.relay import Relay
from autograder.kernel.time_limit import TimeLimit, starvation, usage_of
from autograder.model.assignment import Limits
from autograder.sandbox.slot import Slot

WELCOME_SECONDS = 10.0
TREE_BYTES = 2**24
"""What an answer of many parts takes as text, beside its arrays."""


class Caller:
    """Requests to the probe of one kernel. Replies are told apart by an id that cannot be guessed."""

    def __init__(self, client: Any, relay: Relay, slot: Slot, name: str, limits: Limits) -> None:
        self._session = client.session
        self._shell = zmq.Socket.shadow(client.shell_channel.socket.underlying)
        self._iopub = zmq.Socket.shadow(client.iopub_channel.socket.underlying)
        self._relay = relay
        self._slot = slot
        self._name = name
        self._limits = limits
        self._unasked = 0
        self.unrecorded = 0.0
        """Seconds of the latest request that do not count: see `TimeLimit.unrecorded`."""
        self.read = 0
        """Bytes of JSON that replies had, without their arrays."""
        self._comm = secrets.token_hex(16)
        self._poller = zmq.Poller()
        self._poller.register(self._iopub, zmq.POLLIN)
        self._poller.register(slot.fileno(), zmq.POLLIN)
        self._poller.register(relay.fileno(), zmq.POLLIN)
        self._listen_to(f"comm-{self._comm}".encode())
        self._send("comm_open", {"comm_id": self._comm, "target_name": COMM_TARGET, "data": {}}, [])

    def request(
        self, message: dict[str, Any], buffers: Sequence[Any], seconds: float, within: TimeLimit | None = None
    ) -> tuple[dict[str, Any], list[Any]]:
        """The reply's content and buffers; `within` is a deadline that ends the request too.

        Raises:
            KernelLost: no reply in time, too much output, or the kernel died: it must not be used again.
            MachineBusy: other processes had the processor time that it needed.
            SandboxError: the zygote is gone, or the relay failed.
        """
        call = secrets.token_hex(16)
        what = f"`{message['name']}`" if message.get("name") else "the call"
        self._relay.grant(self._limits.answer_bytes + self._limits.output_bytes + TREE_BYTES)
        self._send("comm_msg", {"comm_id": self._comm, "data": {**message, "id": call}}, buffers)
        deadline = self._deadline(seconds, within)
        while (heard := self._next(deadline, what)) is not None:
            if self._answers(heard, call):
                self.read += heard["json"]
                self.unrecorded = deadline.unrecorded
                return heard["content"]["data"], [getattr(part, "buffer", part) for part in heard["buffers"]]
            self._pass_over(heard)
        if deadline.starved:
            raise MachineBusy(starvation(f"a call of {what}" if message.get("name") else "a call", deadline))
        raise KernelLost("timeout", f"{what} gave no answer within {deadline.limit}")

    def _deadline(self, seconds: float, within: TimeLimit | None = None) -> TimeLimit:
        return TimeLimit(seconds, lambda: usage_of(self._slot, self._name), within=within)

    def _next(self, deadline: TimeLimit, what: str) -> dict[str, Any] | None:
        """The next message of the output channel; None when there was none before the deadline.

        Raises:
            KernelLost: the kernel died, or sent more than it may.
            SandboxError: the zygote is gone, or the relay failed.
        """
        while True:
            left = deadline.left()
            ready = dict(self._poller.poll(left * 1000))
            if self._iopub in ready:
                return self._receive()
            self._expect_life(what)
            if not left and not ready:
                return None

    def _listen_to(self, topic: bytes) -> None:
        """Subscribe to one topic alone: what the student's code prints is then dropped by the kernel, not sent here.

        The kernel welcomes a subscription; only then is the one to everything given up, so no reply can be missed.

        Raises:
            KernelLost: no welcome in time, or the kernel died.
            MachineBusy: the kernel did not get the processor time for it.
            SandboxError: the zygote is gone.
        """
        self._iopub.subscribe(topic)
        deadline = self._deadline(WELCOME_SECONDS)
        while (heard := self._next(deadline, "the notebook")) is not None:
            if heard["msg_type"] == "iopub_welcome":
                self._iopub.unsubscribe(b"")
                return
            self._pass_over(heard)
        if deadline.starved:
            raise MachineBusy(starvation("a connection to the kernel", deadline))
        raise KernelLost("timeout", f"the kernel did not answer within {WELCOME_SECONDS:.0f} s")

    def _expect_life(self, what: str) -> None:
        """Raise what the news is, if it is that nothing will come any more.

        Raises:
            KernelLost: the kernel died, or sent more than it may.
            SandboxError: the zygote is gone, or the relay failed.
        """
        if self._relay.failure:
            raise SandboxError(self._relay.failure)
        if self._relay.exceeded:
            raise KernelLost("exception", f"{what} sent more than {self._limits.answer_bytes >> 20} MiB")
        if self._slot.exited(self._name) is not None:
            raise death(self._slot, self._name, self._limits, what)

    def _send(self, kind: str, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        self._session.send(self._shell, kind, content, buffers=list(buffers))

    def _receive(self) -> dict[str, Any]:
        """The next message of the output channel, whoever sent it."""
        _identities, frames = self._session.feed_identities(self._iopub.recv_multipart(copy=False), copy=False)
        message: dict[str, Any] = self._session.deserialize(frames, copy=False)
        return message

    def _answers(self, message: dict[str, Any], call: str) -> bool:
        """Whether a message is the probe's reply to this call."""
        content = message["content"]
        if message["msg_type"] != "comm_msg" or content.get("comm_id") != self._comm:
            return False
        return isinstance(content.get("data"), dict) and content["data"].get("id") == call

    def _pass_over(self, message: dict[str, Any]) -> None:
        """Count what nobody asked for.

        Raises:
            KernelLost: it was more than may be printed.
        """
        self._unasked += message["size"]
        if self._unasked > self._limits.output_bytes:
            raise KernelLost("exception", f"more than {self._limits.output_bytes // 1024} kB were printed")


def death(slot: Slot, name: str, limits: Limits, what: str) -> KernelLost:
    """What a kernel's exit tells: one that was killed for memory, or died near its limit, ran out of memory.

    Raises:
        SandboxError: the zygote is gone, or it was this machine that ran out of memory.
    """
    event = slot.exited(name) or {}
    code = int(event.get("code", 0))
    if event.get("killed") or int(event.get("peak", 0)) > 0.8 * limits.memory_bytes:
        return KernelLost("memory", f"{what} used more than {limits.memory_bytes >> 20} MiB of memory")
    ended = f"signal {-code}" if code < 0 else f"exit code {code}"
    return KernelLost("died", f"{what} ended the kernel ({ended})")
