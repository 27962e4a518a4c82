"""Processor time of a kernel's processes, read from /proc: what they had, and how long they waited for it."""

from __future__ import annotations

import contextlib
import os
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
NANOSECONDS = 1e9


def read(kernel: int, *, alone: bool) -> dict[str, Any]:
    """Seconds since the start of each process: `cpu` of all together, and `waited` of each thread, by its number.

    These are the processes of the session of the process `kernel`; where the zygote has a pid namespace for itself and
    its kernel (`alone`), all but the zygote and the init process. `waited` is None where it is not recorded (gVisor).
    It is 0 for threads that lowered their own priority.
    """
    total = 0.0
    waited: dict[str, float] | None = {}
    own = os.getpriority(os.PRIO_PROCESS, 0)
    for entry in os.listdir("/proc"):  # noqa: PTH208 - pathlib is not imported here
        if not entry.isdigit() or (alone and int(entry) in {1, os.getpid()}):
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):  # it has ended in the meantime
            fields = _stat(f"/proc/{entry}")
            if not alone and int(fields[3]) != kernel:
                continue
            total += sum(map(int, fields[11:15])) / TICKS  # its own, and that of children it has waited for
            for thread in os.listdir(f"/proc/{entry}/task"):  # noqa: PTH208 - as above
                seconds = _waited(f"/proc/{entry}/task/{thread}", own)
                if seconds is None:
                    waited = None
                elif waited is not None:
                    waited[thread] = seconds
    return {"cpu": total, "waited": waited}


def _stat(folder: str) -> list[str]:
    """The fields of /proc/PID/stat from the state on, which is the third."""
    with open(f"{folder}/stat", errors="replace") as file:  # noqa: PTH123 - as above
        return file.read().rpartition(")")[2].split()


def _waited(folder: str, own: int) -> float | None:
    """Seconds that a thread was ready to run and had no processor; None where that is not recorded."""
    try:
        with open(f"{folder}/schedstat") as file:  # noqa: PTH123 - as above
            ran, waited, _times = map(int, file.read().split())
    except FileNotFoundError:
        return None if os.path.exists(folder) else 0.0  # noqa: PTH110 - as above
    if not ran:
        return None if sum(map(int, _stat(folder)[11:13])) else 0.0  # it has run, so nothing is recorded
    fields = _stat(folder)
    lowered = int(fields[16]) > own or int(fields[38]) != os.SCHED_OTHER
    return 0.0 if lowered else waited / NANOSECONDS
