"""A Dask cluster that somebody else started: over TLS, by Dask's own configuration, unless it is this machine's."""

from __future__ import annotations

import ipaddress
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from autograder.errors import UsageError

CONNECT_SECONDS = 10
PAGE = "docs/cluster.md"
FILES = (
    "distributed.comm.tls.ca-file",
    "distributed.comm.tls.client.cert",
)
"""What Dask's configuration has to name before a client can use TLS; the key may be in the certificate's file."""
ENCRYPTED = frozenset({"tls", "wss"})
LOCAL = "localhost"


@contextmanager
def connected(address: str, *, insecure: bool) -> Iterator[Any]:
    """A client of the scheduler at `address`, which has workers.

    Args:
        address: as Dask writes it: `tls://host:8786`; without a protocol it is `tcp`.
        insecure: allow one without TLS on another machine.

    Raises:
        UsageError: no scheduler answers there, it has no workers, or anyone who reaches it could run code on it.
    """
    expect_secure(address, insecure=insecure)
    import dask
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.ERROR)
    dask.config.set(
        {
            "distributed.comm.timeouts.connect": f"{CONNECT_SECONDS}s",
            "distributed.admin.large-graph-warning-threshold": "1GB",
        }
    )
    if _protocol(address) in ENCRYPTED:
        _expect_files(dask.config)
    try:
        found = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError, TypeError, RuntimeError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {address!r} ({type(error).__name__}: {_first_line(error)}): start one "
            f"(`dask scheduler`), check the address and the certificates ({PAGE}), or leave --scheduler out to grade "
            "on this machine"
        ) from error
    with found:
        if not found.scheduler_info()["workers"]:
            raise UsageError(
                f"the scheduler at {address!r} has no workers: start some (`dask worker {address} --nthreads 1`)"
            )
        yield found


def expect_secure(address: str, *, insecure: bool) -> None:
    """Raise UsageError if the scheduler is on another machine and is not reached over TLS, unless `insecure`.

    Whoever reaches a scheduler without TLS runs code on it and on its workers, as the user who started them.
    """
    protocol = _protocol(address)
    if protocol in ENCRYPTED or insecure:
        return
    if protocol == "tcp" and is_here(address):
        warnings.warn(
            f"the scheduler at {address} is reached without TLS: every user of this machine can run code on its "
            f"workers ({PAGE})", RuntimeWarning, stacklevel=2,
        )  # fmt: skip
        return
    raise UsageError(
        f"the scheduler at {address!r} is on another machine and is not reached over TLS: anyone who can reach it runs "
        f"code on its workers. Start it with certificates and give its tls:// address ({PAGE} shows how), or, in "
        "a network where you trust everyone, add --insecure-scheduler"
    )


def is_here(address: str) -> bool:
    """Whether the address is one of this machine's own, which never leaves it: 127.0.0.0/8, ::1, localhost."""
    host = _host(address)
    if host.lower() == LOCAL:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _protocol(address: str) -> str:
    protocol, separator, _ = address.partition("://")
    return protocol.strip().lower() if separator else "tcp"


def _host(address: str) -> str:
    """The host of `tcp://host:port` or `tcp://[host]:port`; the protocol and the port may be missing."""
    rest = address.rpartition("://")[2].strip()
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    return rest if rest.count(":") > 1 else rest.partition(":")[0]


def _expect_files(config: Any) -> None:
    missing = [name for name in FILES if not config.get(name, None)]
    if missing:
        raise UsageError(
            f"a scheduler over TLS needs certificates, and Dask's configuration does not name them "
            f"({', '.join(missing)}): set them in ~/.config/dask/distributed.yaml or in the environment ({PAGE})"
        )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200]
