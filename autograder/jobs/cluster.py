"""Which Dask cluster: a local one by default, any other by its scheduler's address."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from multiprocessing import forkserver
from typing import Any

from autograder.jobs import remote
from autograder.sandbox import run_folder
from autograder.sandbox.run_folder import own_folder

GPU = "GPU"
"""Dask's resource, as a worker is started with it: `dask worker ADDRESS --resources GPU=1`."""
PROTOCOL = "tls://"
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@contextmanager
def client(
    scheduler: str | None,
    workers: int | None,
    preload: Sequence[str] = (),
    *,
    gpus: bool = False,
    insecure: bool = False,
) -> Iterator[Any]:
    """A Dask client; a local cluster lives as long as the block, one thread and one slot a worker.

    The local workers are forks of one process that has imported `preload`: they share that time and that memory. With
    `gpus` each may run one task at a time that asks for a GPU. `insecure` allows a scheduler of another machine that
    does without TLS.

    Raises:
        UsageError: there is no scheduler at that address, or anyone could run code on it.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in THREADS.items()})
    if scheduler is not None:
        with remote.connected(scheduler, insecure=insecure) as found:
            yield found
        return
    with _private_temporary_files():
        from distributed.utils import get_mp_context

        _configure()
        _start_forkserver(get_mp_context(), preload)
        with ExitStack() as stack:
            with _interrupts_held_back():
                found = stack.enter_context(_started(workers or default_workers(), gpus=gpus))
            yield found


def _configure() -> None:
    """Set Dask's configuration, which workers inherit."""
    import dask

    logging.getLogger("distributed").setLevel(logging.ERROR)
    dask.config.set(
        {
            "temporary-directory": str(own_folder()),
            "distributed.worker.daemon": False,  # a worker starts sandboxes
            "distributed.scheduler.allowed-failures": 2,
            "distributed.admin.large-graph-warning-threshold": "1GB",
            "distributed.comm.timeouts.connect": f"{remote.CONNECT_SECONDS}s",
            "distributed.worker.multiprocessing-method": "forkserver",
            "distributed.diagnostics.nvml": False,  # it would start CUDA, which no fork of it could use then
        }
    )


@contextmanager
def _started(workers: int, *, gpus: bool) -> Iterator[Any]:
    """A client of a cluster of this machine, which only those can talk to who hold its certificate.

    It is Dask's `LocalCluster` without HTTP servers: scheduler and workers listen at one port each, over TLS.
    """
    from distributed import Client, Nanny, SpecCluster

    from autograder.jobs.servers import Scheduler, Worker

    security = _certificate()
    common = {"host": "127.0.0.1", "protocol": PROTOCOL, "security": security, "dashboard": False}
    worker = {
        "cls": Nanny,
        "options": {
            **common, "worker_class": Worker, "nthreads": 1, "memory_limit": 0, "silence_logs": logging.CRITICAL,
            "resources": {GPU: 1} if gpus else None,
        },
    }  # fmt: skip
    scheduler = {"cls": Scheduler, "options": {**common, "port": 0}}
    cluster = SpecCluster(
        workers=dict.fromkeys(range(workers), worker), scheduler=scheduler, worker=worker, security=security,
        silence_logs=logging.CRITICAL,
    )  # fmt: skip
    with cluster, Client(cluster) as found:
        yield found


@cache
def _certificate() -> Any:
    """A certificate and its key of this command's own. Workers get them through a pipe: they are in no file for long.

    OpenSSL reads them from a file alone: Dask writes one for a moment, into the private folder for temporary files.
    """
    from distributed.security import Security

    return Security.temporary()


@contextmanager
def _private_temporary_files() -> Iterator[None]:
    """Let this process and those that it starts keep temporary files in the private folder.

    Raises:
        UsageError: there can be none.
    """
    own = str(own_folder())
    wanted = {"TMPDIR": own, run_folder.SETTING: str(run_folder.run_folder())}
    before = {name: os.environ.get(name) for name in wanted}
    directory, tempfile.tempdir = tempfile.tempdir, own
    os.environ.update(wanted)
    try:
        yield
    finally:
        tempfile.tempdir = directory
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def has_gpus(dask: Any) -> bool:
    """Whether a worker says that it has a GPU."""
    return any(worker["resources"].get(GPU) for worker in dask.scheduler_info(n_workers=-1)["workers"].values())


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C counts when the block has ended: a cluster that is interrupted while it starts says so in tracebacks."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        signal.raise_signal(signal.SIGINT)


_preloaded: list[Sequence[str]] = []
"""What the running forkserver has imported."""


def _start_forkserver(context: Any, preload: Sequence[str]) -> None:
    """Start it, or again where the one of an assignment before has imported other modules.

    It ignores SIGINT, which its forks inherit: Ctrl-C is for the command, which then ends its workers itself.
    """
    if _preloaded and _preloaded[-1] != preload:
        forkserver._forkserver._stop()  # type: ignore[attr-defined]  # there is no public way
    _preloaded[:] = [preload]
    context.set_forkserver_preload([*preload])
    if threading.current_thread() is not threading.main_thread():
        forkserver.ensure_running()
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, before)


def default_workers() -> int:
    """One a core that this process may use."""
    return len(os.sched_getaffinity(0))
