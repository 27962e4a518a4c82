"""Call the probe in a kernel through a Jupyter comm, synchronously: one request, one reply, a deadline."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any

import zmq

from autograder.errors import KernelLost
from autograder.inside.probe import COMM_TARGET
from autograder.model.assignment import Limits
from autograder.sandbox.slot import Slot


class Caller:
    """Requests to the probe of one kernel. Replies are told apart by an id that cannot be guessed."""

    def __init__(self, client: Any, slot: Slot, name: str, limits: Limits) -> None:
        self._session = client.session
        self._shell = zmq.Socket.shadow(client.shell_channel.socket.underlying)
        self._iopub = zmq.Socket.shadow(client.iopub_channel.socket.underlying)
        self._slot = slot
        self._name = name
        self._limits = limits
        self._heard = 0
        self._comm = secrets.token_hex(16)
        self._send("comm_open", {"comm_id": self._comm, "target_name": COMM_TARGET, "data": {}}, [])

    def request(
        self, message: dict[str, Any], buffers: Sequence[Any], seconds: float
    ) -> tuple[dict[str, Any], list[Any]]:
        """The reply's content and buffers.

        Raises:
            KernelLost: no reply in time, too much output, or the kernel died: it must not be used again.
            SandboxError: the zygote is gone.
        """
        call = secrets.token_hex(16)
        what = f"`{message['name']}`" if message.get("name") else "the call"
        self._send("comm_msg", {"comm_id": self._comm, "data": {**message, "id": call}}, buffers)
        deadline = time.monotonic() + seconds
        poller = zmq.Poller()
        poller.register(self._iopub, zmq.POLLIN)
        poller.register(self._slot.fileno(), zmq.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            ready = dict(poller.poll(left * 1000))
            if self._iopub in ready:
                reply = self._receive()
                if reply is not None and reply[0].get("id") == call:
                    return reply
            elif ready and (ended := self._slot.exited(self._name)) is not None:
                raise self._death(ended, what)
        raise KernelLost("timeout", f"{what} gave no answer within {seconds:.3g} s")

    def _send(self, kind: str, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        self._session.send(self._shell, kind, content, buffers=list(buffers))

    def _receive(self) -> tuple[dict[str, Any], list[Any]] | None:
        """The next message of the output channel if it comes from our comm; None for any other.

        A message that does not parse or is not signed is the student's to send and ours to ignore.
        """
        parts = self._iopub.recv_multipart(copy=False)
        self._heard += sum(len(part) for part in parts[:6])
        if self._heard > self._limits.output_bytes + 64 * 2**20:
            raise KernelLost("exception", f"more than {self._limits.output_bytes // 1024} kB were printed")
        try:
            _identities, frames = self._session.feed_identities(parts, copy=False)
            message = self._session.deserialize(frames, copy=False)
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        content = message.get("content")
        if message["header"].get("msg_type") != "comm_msg" or not isinstance(content, dict):
            return None
        data = content.get("data")
        if content.get("comm_id") != self._comm or not isinstance(data, dict):
            return None
        buffers = [part.buffer if hasattr(part, "buffer") else part for part in message["buffers"]]
        return data, buffers

    def _death(self, ended: dict[str, Any], what: str) -> KernelLost:
        from autograder.kernel.session import death

        del ended
        return death(self._slot, self._name, self._limits, what)
