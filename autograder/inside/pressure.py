"""Who ran out of memory when a process was killed for it: the sandbox, or the machine that it runs on."""

from __future__ import annotations

import contextlib
import signal
from typing import NamedTuple

V2 = "/sys/fs/cgroup/memory.events"
V1 = "/sys/fs/cgroup/memory"
VMSTAT = "/proc/vmstat"
BATCH = 2**20
"""Linux charges pages in batches: what comes this near to a limit has met it."""


class Kills(NamedTuple):
    """Processes killed for memory: on the whole machine, and in this sandbox's own cgroup (None: it has none).

    `at_limit` says whether that cgroup has ever met its own limit.
    """

    machine: int
    own: int | None = None
    at_limit: bool = False


def count(*, cgroup: bool) -> Kills:
    """What Linux has counted so far; `cgroup` says whether the sandbox has one of its own, mounted where they are."""
    machine = _table(VMSTAT).get("oom_kill", 0)
    if not cgroup:
        return Kills(machine)
    events = _table(V2)
    if "oom_kill" in events:
        return Kills(machine, events["oom_kill"], events.get("oom", 0) > 0)
    control = _table(f"{V1}/memory.oom_control")
    if "oom_kill" in control:
        met = _number(f"{V1}/memory.max_usage_in_bytes") > _number(f"{V1}/memory.limit_in_bytes") - BATCH
        return Kills(machine, control["oom_kill"], met)
    return Kills(machine)


def starved(before: Kills, after: Kills, code: int) -> bool:
    """Whether a kernel that ended with `code`, or a child of it, was killed because the machine had no memory left.

    A cgroup's own limit is the submission's to keep. Where there is no cgroup all that is known is that a process was
    killed somewhere on the machine, and that this one was killed.
    """
    if before.own is None or after.own is None:
        return code == -signal.SIGKILL and after.machine > before.machine
    return after.own > before.own and not after.at_limit


def _table(path: str) -> dict[str, int]:
    """Lines of a name and a number; none where there is no such file."""
    with contextlib.suppress(OSError), open(path) as file:  # noqa: PTH123 - pathlib is not imported in the zygote
        return {name: int(value) for name, value in (line.split() for line in file if line.count(" ") == 1)}
    return {}


def _number(path: str) -> int:
    with open(path) as file:  # noqa: PTH123 - as above
        return int(file.read())
