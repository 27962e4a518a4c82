"""A kernel's bytes reach its client, as many as were granted, and nobody else's."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from autograder.kernel.relay import Relay, _End
from autograder.sandbox.run_folder import own_folder

PART = b"x" * 2**20
OPENING = bytes(64) + b"\x02" + (2**40).to_bytes(8, "big")
"""What ZeroMQ sends first, and the head of a frame that has no end."""


class Kernel:
    """Its end: plain sockets, which say what a test wants."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "k")
        self.listeners = {}
        for port in (1, 2):
            self.listeners[port] = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.listeners[port].bind(f"{self.address}-{port}")
            self.listeners[port].listen(1)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    made = Kernel(tmp_path)
    yield made
    for each in made.listeners.values():
        each.close()


@pytest.fixture
def relay(kernel: Kernel) -> Iterator[Relay]:
    made = Relay(kernel.address, (1, 2), 10_000)
    yield made
    made.close()


def connect(relay: Relay, port: int) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(10)
    client.connect(f"{relay.address}-{port}")
    return client


def both(relay: Relay, kernel: Kernel, port: int) -> tuple[socket.socket, socket.socket]:
    client = connect(relay, port)
    kernel.listeners[port].settimeout(10)
    server = kernel.listeners[port].accept()[0]
    server.settimeout(10)
    server.sendall(OPENING)
    assert read(client, len(OPENING)) == OPENING
    return client, server


def read(end: socket.socket, size: int) -> bytes:
    """As much, or all until the end."""
    data = b""
    while len(data) < size and (more := end.recv(65536)):
        data += more
    return data


def exceeded(relay: Relay, seconds: float) -> bool:
    return bool(select.select([relay.fileno()], [], [], seconds)[0])


def test_bytes_go_both_ways_on_each_port(relay: Relay, kernel: Kernel) -> None:
    for port in (1, 2):
        client, server = both(relay, kernel, port)
        with client, server:
            client.sendall(b"question %d" % port)
            assert read(server, 10) == b"question %d" % port
            server.sendall(b"answer %d" % port)
            assert read(client, 8) == b"answer %d" % port


def test_what_was_granted_arrives_whole_and_a_byte_more_ends_it(relay: Relay, kernel: Kernel) -> None:
    client, server = both(relay, kernel, 2)
    with client, server:
        relay.grant(1000)
        server.sendall(b"x" * 1000)
        assert read(client, 1000) == b"x" * 1000
        assert not exceeded(relay, 0)
        server.sendall(b"x")
        assert exceeded(relay, 10)
        assert relay.exceeded
        assert read(client, 1) == b""


def test_all_ports_share_the_grant_and_a_new_one_starts_anew(relay: Relay, kernel: Kernel) -> None:
    first, second = both(relay, kernel, 1), both(relay, kernel, 2)
    for _ in range(3):
        relay.grant(1000)
        for client, server in (first, second):
            server.sendall(b"x" * 500)
            assert read(client, 500) == b"x" * 500
    relay.grant(1000)
    assert not exceeded(relay, 0)
    for _, server in (first, second):
        server.sendall(b"x" * 501)
    assert exceeded(relay, 10)
    for end in (*first, *second):
        end.close()


def test_what_the_client_says_is_not_counted_and_waits_for_a_slow_kernel(relay: Relay, kernel: Kernel) -> None:
    client, server = both(relay, kernel, 1)
    said = b"".join(number.to_bytes(4, "big") for number in range(2**19))
    with client, server:
        sender = threading.Thread(target=client.sendall, args=[said])
        sender.start()
        assert read(server, len(said)) == said
        sender.join()
    assert not exceeded(relay, 0)


def test_a_stranger_is_not_connected(relay: Relay, kernel: Kernel) -> None:
    knock = f"""
import socket
with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
    stranger.settimeout(10)
    stranger.connect("{relay.address}-1")
    print(stranger.recv(1))
"""
    done = subprocess.run([sys.executable, "-c", knock], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "b''"
    kernel.listeners[1].settimeout(0.05)
    with pytest.raises(TimeoutError):
        kernel.listeners[1].accept()


def test_a_kernel_that_is_gone_ends_the_connection(relay: Relay, kernel: Kernel) -> None:
    client, server = both(relay, kernel, 1)
    server.close()
    assert read(client, 1) == b""
    kernel.listeners[2].close()
    Path(f"{kernel.address}-2").unlink()
    with connect(relay, 2) as lonely:
        assert read(lonely, 1) == b""
    client.close()


def test_a_kernel_that_hangs_up_while_its_client_is_busy_is_let_go(relay: Relay, kernel: Kernel) -> None:
    """Else the relay would be woken by it again and again."""
    client, server = both(relay, kernel, 1)
    relay.grant(2**30)
    server.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        while True:
            server.send(PART)  # until all buffers are full
    server.close()
    hung_up = select.poll()
    hung_up.register(client, 0)
    assert hung_up.poll(5000)
    client.close()


def test_a_failure_of_its_own_is_told_as_such(relay: Relay, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(relay, "_connect", refuse)
    with connect(relay, 1):
        assert exceeded(relay, 10)
    assert relay.ended
    assert not relay.exceeded
    assert "Too many open files" in relay.failure


def test_other_users_cannot_reach_its_sockets(relay: Relay) -> None:
    """They are files in a folder of this user alone: whoever sees an abstract socket's name may connect to it."""
    assert Path(f"{relay.address}-1").is_socket()
    assert Path(relay.address).parent.stat().st_mode & 0o077 == 0


def test_nothing_is_left_when_it_is_closed(kernel: Kernel) -> None:
    before = sorted(Path("/proc/self/fd").iterdir()), threading.active_count()
    files = sorted(own_folder().iterdir())
    for _ in range(3):
        relay = Relay(kernel.address, (1, 2), 1000)
        client, server = both(relay, kernel, 1)
        server.sendall(b"x" * 1000)
        assert exceeded(relay, 10)
        relay.close()
        client.close()
        server.close()
    assert (sorted(Path("/proc/self/fd").iterdir()), threading.active_count()) == before
    assert sorted(own_folder().iterdir()) == files


def test_a_message_of_endless_parts_is_not_collected(tmp_path: Path) -> None:
    """ZeroMQ itself would keep part after part: its own cap is of one part."""
    address, granted = str(tmp_path / "k"), 2**23
    with zmq.Context() as context, context.socket(zmq.XPUB) as hostile, context.socket(zmq.SUB) as client:
        hostile.setsockopt(zmq.SNDTIMEO, 10_000)
        hostile.setsockopt(zmq.SNDHWM, 0)
        hostile.setsockopt(zmq.LINGER, 0)
        client.setsockopt(zmq.LINGER, 0)
        client.setsockopt(zmq.RECONNECT_IVL, -1)
        hostile.bind(f"ipc://{address}-2")
        relay = Relay(address, [2], granted)
        client.connect(f"ipc://{relay.address}-2")
        client.subscribe(b"")
        assert hostile.recv() == b"\x01"
        before = resident()
        for _ in range(64):
            hostile.send(PART, zmq.SNDMORE)
        hostile.send(PART)
        assert exceeded(relay, 10)
        assert resident() - before < 64 * len(PART) + 3 * granted, "the sender's copy is in this process too"
        assert client.poll(100) == 0
        relay.close()


def test_each_part_is_counted_even_an_empty_one(tmp_path: Path) -> None:
    address = str(tmp_path / "k")
    with zmq.Context() as context, context.socket(zmq.XPUB) as hostile, context.socket(zmq.SUB) as client:
        for each in (hostile, client):
            each.setsockopt(zmq.LINGER, 0)
        client.setsockopt(zmq.RECONNECT_IVL, -1)
        hostile.bind(f"ipc://{address}-2")
        relay = Relay(address, [2], 10**6)
        client.connect(f"ipc://{relay.address}-2")
        client.subscribe(b"")
        assert hostile.recv() == b"\x01"
        for size in (0, 1, 254, 255, 256, 257, 70_000):  # sizes of one byte, and of eight
            parts = [bytes([size % 256]) * size] * 3
            hostile.send_multipart(parts)
            assert client.poll(5000)
            assert client.recv_multipart() == parts
        for _ in range(50):
            hostile.send_multipart([b""] * 100)
        assert client.poll(5000)
        assert not relay.exceeded
        relay.grant(10**6)
        hostile.send_multipart([b""] * 10_000)
        assert exceeded(relay, 10)
        relay.close()


def test_frames_are_found_however_the_bytes_come() -> None:
    frames = [(0, b""), (1, b"a"), (0, b"b" * 255), (2, b"c" * 256), (4, b"d" * 30), (3, b"e" * 1000)]
    sent = b"".join(bytes([flags]) + len(body).to_bytes(8 if flags & 2 else 1, "big") + body for flags, body in frames)
    for step in (1, 2, 3, 7, 100, 10_000):
        with socket.socket() as unused:
            end = _End(unused, counted=True)
            said = b"g" * 64 + sent
            assert sum(end.frames(said[start : start + step]) for start in range(0, len(said), step)) == len(frames)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
