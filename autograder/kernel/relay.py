"""Between a kernel's sockets and their client: carries bytes, and no more from the kernel than it was granted."""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import socket
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from autograder.sandbox.run_folder import own_folder

CHUNK: Final = 2**18
FRAME_BYTES: Final = 128
"""What ZeroMQ keeps for each part of a message, beside its content: an empty one takes two bytes to send."""
GREETING_BYTES: Final = 64
"""How long ZMTP's greeting is, which comes before the first frame."""
LONG: Final = 2
"""The flag of a frame whose size takes eight bytes, and not one."""
_numbers = itertools.count()


class Relay:
    """Carries the bytes of some of a kernel's ports, in a thread of its own, to one client in this process.

    ZeroMQ takes all parts of a message into its memory before anybody can look at it, and a hostile kernel sends
    parts without end, large or empty. Here what a kernel sends is counted before ZeroMQ has it. Where it is more than
    was granted all connections are closed, `exceeded` is true, and `fileno()` becomes readable. So it does when the
    relay itself fails: `failure` says how, and no student may pay for it.

    Args:
        address: where the kernel's sockets lie: Jupyter's `ip` of the `ipc` transport.
        ports: those to carry.
        granted: how many bytes the kernel may send before the next `grant`.
    """

    def __init__(self, address: str, ports: Sequence[int], granted: int) -> None:
        self.exceeded = False
        self.failure = ""
        self._left = granted
        self.address = str(own_folder() / str(next(_numbers)))
        """For the client, in place of the kernel's own: no other user can reach what is in that folder."""
        self._selector = selectors.DefaultSelector()
        self._news, self._bell = os.pipe()
        self._stop, self._stopped = socket.socketpair()
        self._selector.register(self._stopped, selectors.EVENT_READ)
        self._sockets: list[socket.socket] = []
        self._paths = [Path(f"{self.address}-{port}") for port in ports]
        for port in ports:
            listener = self._own(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            listener.bind(f"{self.address}-{port}")
            listener.listen(1)
            self._selector.register(listener, selectors.EVENT_READ, f"{address}-{port}")
        self._thread = threading.Thread(target=self._carry, name="relay", daemon=True)
        self._thread.start()

    def grant(self, size: int) -> None:
        """From now on the kernel may send `size` bytes."""
        self._left = size

    def fileno(self) -> int:
        """A descriptor that is readable once nothing is carried any more."""
        return self._news

    @property
    def ended(self) -> bool:
        """Whether nothing is carried any more."""
        return self.exceeded or bool(self.failure)

    def close(self) -> None:
        """Close all connections; the client must not be used any more."""
        self._stop.close()
        self._thread.join()
        self._stopped.close()
        os.close(self._news)
        os.close(self._bell)

    def _carry(self) -> None:
        try:
            while not self.exceeded:
                for key, events in self._selector.select():
                    if key.fileobj is self._stopped:
                        return
                    if isinstance(key.data, str):
                        self._connect(key.fileobj, key.data)  # type: ignore[arg-type]  # a listener of ours
                    elif key.data.socket.fileno() >= 0:  # else its other end was closed a moment ago
                        self._serve(key.data, events)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours, and told as such
            self.failure = f"the relay to the kernel failed: {error!r}"
        finally:
            self._selector.close()
            for each in self._sockets:
                each.close()
            for path in self._paths:
                path.unlink(missing_ok=True)
            if self.exceeded or self.failure:
                os.write(self._bell, b"!")

    def _own(self, made: socket.socket) -> socket.socket:
        made.setblocking(False)
        self._sockets.append(made)
        return made

    def _connect(self, listener: socket.socket, path: str) -> None:
        """Connect a client that is this very process, and nobody else, to the kernel."""
        client = self._own(listener.accept()[0])
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        kernel = self._own(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            if struct.unpack("3i", credentials)[0] != os.getpid():
                raise PermissionError("a stranger")
            kernel.connect(path)
        except OSError:  # the kernel is gone: the client finds that out by other means
            client.close()
            kernel.close()
            return
        here, there = _End(client), _End(kernel, counted=True)
        here.peer, there.peer = there, here
        for end in (here, there):
            self._selector.register(end.socket, end.events, end)

    def _serve(self, end: _End, events: int) -> None:
        try:
            if not events:
                raise ConnectionError("it hung up while nothing was read from it")
            if events & selectors.EVENT_WRITE:
                end.send()
            if events & selectors.EVENT_READ and not self._receive(end):
                raise ConnectionError("closed")
        except BlockingIOError:
            pass
        except OSError:
            for each in (end, end.peer):
                self._selector.unregister(each.socket)
                each.socket.close()
            return
        for each in (end, end.peer):
            wanted = (selectors.EVENT_WRITE if each.waiting else 0) | (0 if each.peer.waiting else selectors.EVENT_READ)
            if wanted != each.events:
                each.events = wanted
                self._selector.modify(each.socket, wanted, each)

    def _receive(self, end: _End) -> bool:
        """Carry what there is to the other side; False when it has closed, or said too much."""
        size = min(CHUNK, self._left + 1) if end.counted else CHUNK
        data = end.socket.recv(size)
        if end.counted:
            self._left -= len(data) + FRAME_BYTES * end.frames(data)
            self.exceeded = self._left < 0
        if not data or self.exceeded:
            return False
        end.peer.waiting = memoryview(data)
        end.peer.send()
        return True


class _End:
    """One end of a connection, and what waits to be sent to it: nothing is read for it meanwhile."""

    peer: _End

    def __init__(self, end: socket.socket, *, counted: bool = False) -> None:
        self.socket = end
        self.counted = counted
        self.events = selectors.EVENT_READ
        self.waiting = memoryview(b"")
        self._skip = GREETING_BYTES
        self._head = b""

    def frames(self, data: bytes) -> int:
        """How many frames begin in what has come; see ZMTP 3.1, https://rfc.zeromq.org/spec/37/."""
        position, found = 0, 0
        while True:
            if self._skip:
                skipped = min(self._skip, len(data) - position)
                self._skip -= skipped
                position += skipped
            if position == len(data):
                return found
            head = self._head + data[position : position + 9 - len(self._head)]
            size = 9 if head[0] & LONG else 2
            if len(head) < size:
                self._head = head
                return found
            position += size - len(self._head)
            self._head = b""
            self._skip = int.from_bytes(head[1:size], "big")
            found += 1

    def send(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self.waiting:
                self.waiting = self.waiting[self.socket.send(self.waiting) :]
