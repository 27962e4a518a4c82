"""Standard output and error of a graded kernel, and the thread that sends what is written to them."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Callable
from typing import Any

import zmq
from ipykernel import iostream

CHUNK = 2000
"""Characters that a child process hands on at a time: a datagram takes them, however many bytes each has."""
MOST_CHUNKS = 500
"""Taken from children at a time: one that writes without end must not keep its parent busy."""


class Stream(iostream.OutStream):  # type: ignore[misc]  # its base is not typed
    """An OutStream that asks its thread to flush only where there is something: a kernel flushes after each message."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._numbers = itertools.count(1)
        self._written = self._flushed = 0
        self._unfinished = ""
        """A child's last line."""
        if isinstance(self.pub_thread, Publisher):
            self.pub_thread.streams[self.name] = self

    def write(self, string: str) -> int | None:
        """As OutStream does; a number of its own for each write, given when it can be flushed and not before."""
        if not self._is_master_process():
            self._unfinished += string
            *lines, self._unfinished = self._unfinished.rpartition("\n")
            self._hand_on("".join(lines))
            return len(string)
        if isinstance(self.pub_thread, Publisher) and self.pub_thread.has_children:
            self.pub_thread.take()
        return self.put(string)

    def put(self, string: str) -> int | None:
        """Write what this process or a child has written."""
        written: int | None = super().write(string)
        self._written = next(self._numbers)
        return written

    def flush(self) -> None:
        """As OutStream does, unless the last write has been sent. What children wrote before comes first."""
        if not self._is_master_process():
            self._hand_on(self._unfinished)
            self._unfinished = ""
            return
        if isinstance(self.pub_thread, Publisher) and self.pub_thread.has_children:
            self.pub_thread.take()
        if self._flushed != self._written:
            super().flush()

    def _hand_on(self, text: str) -> None:
        if text and isinstance(self.pub_thread, Publisher):
            self.pub_thread.hand_on(self.name, text)

    def _flush(self) -> None:
        written = self._written
        super()._flush()
        self._flushed = written


class Publisher(iostream.IOPubThread):  # type: ignore[misc]  # its base is not typed
    """An IOPubThread that welcomes every subscription.

    A send takes what has arrived off the socket's signal, which is edge-triggered: ipykernel then sleeps on a
    subscription that came while it was sending, and whoever waits for the welcome waits in vain.

    A forked child (multiprocessing's) uses no socket of ZeroMQ, which would hang: what it writes goes to its parent by
    `hand_on`, all else that it publishes is dropped. ipykernel's own way takes a network.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.streams: dict[str, Stream] = {}
        self.has_children = False
        """Whether this process has ever forked."""
        os.register_at_fork(after_in_parent=lambda: setattr(self, "has_children", True))
        self._parent, self._children = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._parent.setblocking(False)
        self.io_loop.add_handler(self._parent, lambda *_: self.take(), self.io_loop.READ)

    def hand_on(self, name: str, text: str) -> None:
        """In a child: give its parent what was written to the stream `name`."""
        try:
            for start in range(0, len(text), CHUNK):
                data = text[start : start + CHUNK].encode(errors="replace")
                self._children.send(name.encode() + b"\0" + data)
        except OSError:  # the parent is gone, and with it whoever reads this
            return

    def take(self) -> None:
        """In the parent: write what children have handed on."""
        for _ in range(MOST_CHUNKS):
            try:
                name, _, data = self._parent.recv(2**16).partition(b"\0")
            except OSError:
                return
            if (stream := self.streams.get(name.decode(errors="replace"))) is not None:
                stream.put(data.decode(errors="replace"))

    def schedule(self, f: Callable[[], Any]) -> None:
        """As IOPubThread does, in the kernel's own process."""
        if self._is_master_process():
            super().schedule(f)

    def _really_send(self, msg: Any, *arguments: Any, **keywords: Any) -> None:
        super()._really_send(msg, *arguments, **keywords)
        if not self.closed and self.socket.getsockopt(zmq.EVENTS) & zmq.POLLIN:
            self._xpub_stream.flush(zmq.POLLIN)
