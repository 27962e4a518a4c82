"""A kernel that follows a script: it answers the checks' requests with exactly the messages that a test wants."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Self

import zmq
from jupyter_client.session import DELIM, Session

from autograder.inside.probe import COMM_TARGET
from autograder.kernel.messages import WarySession

KEY = b"the key of this connection"


class ScriptedKernel:
    """The kernel's end of the shell and output channels, and (`client`, `slot`) what the host sees of it."""

    def __init__(self) -> None:
        self._context = zmq.Context()
        self.session = Session(key=KEY)
        self.topic = b""
        self.script: Callable[[dict[str, Any]], None] = lambda _request: None
        self.ended: dict[str, Any] | None = None
        self._shell, shell = self._pair("shell", zmq.DEALER, zmq.DEALER)
        self._output, output = self._pair("iopub", zmq.XPUB, zmq.SUB)
        self._stop, self._stopped = self._pair("stop", zmq.PAIR, zmq.PAIR)
        output.subscribe(b"")
        self.client = SimpleNamespace(
            session=WarySession(key=KEY),
            shell_channel=SimpleNamespace(socket=SimpleNamespace(underlying=shell.underlying)),
            iopub_channel=SimpleNamespace(socket=SimpleNamespace(underlying=output.underlying)),
        )
        self._theirs = (shell, output)
        self._reader, self._writer = os.pipe()
        self.granted: list[int] = []
        self._bell, self._ringer = os.pipe()
        self.relay = SimpleNamespace(grant=self.granted.append, exceeded=False, failure="", fileno=lambda: self._bell)
        self.usage: Callable[[], dict[str, Any]] = lambda: {"cpu": 0.0, "waited": {}}
        self.slot = SimpleNamespace(
            fileno=lambda: self._reader, exited=lambda _name: self.ended, usage=lambda _name: self.usage()
        )
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._theirs[1].recv_multipart()  # the welcome to the subscription to everything, as a session hears it
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.send(b"")
        self._thread.join()
        self._context.destroy(linger=0)
        for descriptor in (self._reader, self._writer, self._bell, self._ringer):
            os.close(descriptor)

    def _pair(self, name: str, here: int, there: int) -> tuple[Any, Any]:
        ours, theirs = self._context.socket(here), self._context.socket(there)
        ours.bind(f"inproc://{name}")
        theirs.connect(f"inproc://{name}")
        return ours, theirs

    def _serve(self) -> None:
        poller = zmq.Poller()
        for socket in (self._shell, self._output, self._stop):
            poller.register(socket, zmq.POLLIN)
        while True:
            ready = dict(poller.poll())
            if self._stop in ready:
                return
            if self._output in ready:
                event = self._output.recv()
                if event[:1] == b"\x01":
                    self.send("iopub_welcome", {"subscription": event[1:].decode()}, topic=event[1:])
            if self._shell in ready:
                message = self.session.deserialize(self.session.feed_identities(self._shell.recv_multipart())[1])
                if message["msg_type"] == "comm_open":
                    assert message["content"]["target_name"] == COMM_TARGET
                    self.topic = f"comm-{message['content']['comm_id']}".encode()
                else:
                    self.script(message)

    def frames(self, kind: str, content: Any, buffers: Any = ()) -> list[bytes]:
        """A message as it goes over the wire, signed, without its topic."""
        return [*self.session.serialize(self.session.msg(kind, content)), *buffers]

    def send(self, kind: str, content: Any, buffers: Any = (), topic: bytes | None = None) -> None:
        """Publish a message."""
        self.publish(self.frames(kind, content, buffers), topic)

    def publish(self, frames: list[bytes], topic: bytes | None = None) -> None:
        """Publish frames as they are, by default where replies are expected."""
        self._output.send_multipart([self.topic if topic is None else topic, *frames])

    def signed(self, *parts: bytes) -> list[bytes]:
        """Header, parent, metadata and content as given, with a signature that holds."""
        return [DELIM, self.session.sign(list(parts)), *parts]

    def reply(self, request: dict[str, Any], value: Any = None, buffers: Any = (), **changes: Any) -> None:
        """The probe's answer to a request; `comm_id` and `id` may be others."""
        self.publish(self.reply_frames(request, value, buffers, **changes))

    def reply_frames(self, request: dict[str, Any], value: Any, buffers: Any = (), **changes: Any) -> list[bytes]:
        """The same as frames."""
        content = request["content"]
        answer = {"status": "ok", "value": value, "id": changes.get("id", content["data"]["id"])}
        return self.frames("comm_msg", {"comm_id": changes.get("comm_id", content["comm_id"]), "data": answer}, buffers)

    def exceed(self) -> None:
        """Say more than was granted, as the relay tells it."""
        self.relay.exceeded = True
        os.write(self._ringer, b"!")

    def fail(self, why: str) -> None:
        """Be cut off by the relay's own failure."""
        self.relay.failure = why
        os.write(self._ringer, b"!")

    def end(self, **event: Any) -> None:
        """Exit, as the zygote tells it."""
        self.ended = event
        os.write(self._writer, b"x")
