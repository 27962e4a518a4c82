"""Which Dask cluster: a local one by default, any other by its scheduler's address."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import forkserver
from typing import Any

from autograder.errors import UsageError

CONNECT_SECONDS = 10
GPU = "GPU"
"""Dask's resource, as a worker is started with it: `dask worker ADDRESS --resources GPU=1`."""
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@contextmanager
def client(
    scheduler: str | None, workers: int | None, preload: Sequence[str] = (), *, gpus: bool = False
) -> Iterator[Any]:
    """A Dask client; a local cluster lives as long as the block, one thread and one slot a worker.

    The local workers are forks of one process that has imported `preload`: they share that time and that memory. With
    `gpus` each may run one task at a time that asks for a GPU.

    Raises:
        UsageError: there is no scheduler at that address.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in THREADS.items()})
    import dask
    from distributed import Client, LocalCluster
    from distributed.utils import get_mp_context

    logging.getLogger("distributed").setLevel(logging.ERROR)
    dask.config.set(
        {
            "distributed.worker.daemon": False,  # a worker starts sandboxes
            "distributed.scheduler.allowed-failures": 2,
            "distributed.comm.timeouts.connect": f"{CONNECT_SECONDS}s",
            "distributed.admin.large-graph-warning-threshold": "1GB",
            "distributed.scheduler.http.routes": [],  # Dask cannot do without its servers: let them answer nothing
            "distributed.worker.http.routes": [],
            "distributed.worker.multiprocessing-method": "forkserver",
            "distributed.diagnostics.nvml": False,  # it would start CUDA, which no fork of it could use then
        }
    )
    if scheduler is not None:
        try:
            found = Client(scheduler, timeout=CONNECT_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            raise UsageError(
                f"no Dask scheduler answers at {scheduler!r} ({type(error).__name__}): start one "
                "(`dask scheduler`), check the address, or leave --scheduler out to grade on this machine"
            ) from error
        with found:
            if not found.scheduler_info()["workers"]:
                raise UsageError(
                    f"the scheduler at {scheduler!r} has no workers: "
                    f"start some (`dask worker {scheduler} --nthreads 1`)"
                )
            yield found
        return
    _start_forkserver(get_mp_context(), preload)
    with ExitStack() as stack:
        with _interrupts_held_back():
            cluster = LocalCluster(
                n_workers=workers or default_workers(), threads_per_worker=1, processes=True, memory_limit=0,
                silence_logs=logging.CRITICAL, protocol="tcp", host="127.0.0.1",
                # with None the scheduler's HTTP server takes 8787, and warns where another program has it
                dashboard_address="127.0.0.1:0", scheduler_kwargs={"dashboard": False},
                resources={GPU: 1} if gpus else None,
            )  # fmt: skip
            found = stack.enter_context(Client(stack.enter_context(cluster)))
        yield found


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
