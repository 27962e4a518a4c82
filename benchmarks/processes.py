"""CPU time and memory of processes, from what Linux tells: also of those in sandboxes, for which nobody waits."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

TICK: Final = 1.0 / os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS: Final = 0.1
ORPHAN_SECONDS: Final = 20.0
PR_SET_CHILD_SUBREAPER: Final = 36
ZYGOTE: Final = [b"-sP", b"-m", b"inside.zygote"]
"""The arguments that an interpreter is started with to become one."""
GONE: Final = (FileNotFoundError, ProcessLookupError)


class BenchmarkError(Exception):
    """Something that was to be measured failed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall clock, and of CPU (user and system), that a command and all it started took."""

    wall: float
    cpu: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.wall - other.wall, self.cpu - other.cpu)

    def __truediv__(self, count: float) -> Cost:
        return Cost(self.wall / count, self.cpu / count)


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Cost:
    """Run a command to its end in `folder`. Its output goes to `log`; its slots are those in $AUTOGRADER_RUN.

    Raises:
        BenchmarkError: it failed; the message has the end of its output.
    """
    _adopt_orphans()
    before = _waited_for()
    with _Zygotes(environment["AUTOGRADER_RUN"]) as zygotes, log.open("wb") as output:
        started = time.perf_counter()
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
        )
        wall = time.perf_counter() - started
        _wait_for_orphans()
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)}\nended with {done.returncode}: {log.read_text()[-2000:]}")
    return Cost(wall, _waited_for() - before + zygotes.cpu)


def _adopt_orphans() -> None:
    """Let what a command leaves behind (the process that its workers were forked from) be this process's to wait for.

    Raises:
        OSError: Linux does not let it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _wait_for_orphans() -> None:
    """Wait until they have ended: their account is then in ours."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.01)
        except ChildProcessError:
            return
    raise BenchmarkError(f"a process that the command left was still there after {ORPHAN_SECONDS:.0f} s")


def zygotes(slots: str) -> Iterator[int]:
    """The zygotes whose slots lie in the folder `slots`; not the kernels, which are their forks."""
    for entry in os.listdir("/proc"):  # noqa: PTH208 - ten times a second: no objects for what is no process
        if not entry.isdecimal():
            continue
        with contextlib.suppress(*GONE):
            if _is_zygote(entry) and not _is_zygote(_stat(entry)[1]) and _is_in(entry, slots):
                yield int(entry)


def cpu_seconds(pid: int, *, children: bool) -> float:
    """CPU time of a process, with or without that of the children it has waited for.

    Raises:
        ProcessLookupError, FileNotFoundError: there is none.
    """
    return sum(map(int, _stat(str(pid))[11 : 15 if children else 13])) * TICK


def memory(pid: int) -> dict[str, int]:
    """Bytes: `Rss` all, `Pss` with each shared page divided by those that share it, `Private` those of its own."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    found = {name: 1024 * int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
    return {"Rss": found["Rss"], "Pss": found["Pss"], "Private": found["Private_Clean"] + found["Private_Dirty"]}


class _Zygotes:
    """Watches zygotes for as long as the block runs.

    A zygote waits for its kernels, so its own account has all that submissions took; but it is killed when its slot
    is closed, in a process namespace of its own, so nobody inherits that account: it is read while it lives.
    """

    def __init__(self, slots: str) -> None:
        self._slots = slots
        self._seen: dict[int, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def cpu(self) -> float:
        """Seconds, of all zygotes seen, as last seen."""
        return sum(self._seen.values())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        sought = 0.0
        while not self._ended.wait(SAMPLE_SECONDS):
            if time.monotonic() - sought > 1.0:
                self._seen |= {pid: 0.0 for pid in zygotes(self._slots) if pid not in self._seen}
                sought = time.monotonic()
            for pid in self._seen:
                with contextlib.suppress(*GONE):
                    self._seen[pid] = cpu_seconds(pid, children=True)


def _waited_for() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _is_zygote(pid: str) -> bool:
    """Whether it, or what it is a fork of, was started as a zygote."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1:4] == ZYGOTE


def _stat(pid: str) -> list[str]:
    """The fields of /proc/PID/stat from the third, the state, on: the second, the name, may hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _is_in(pid: str, slots: str) -> bool:
    """Whether the folder is mounted in the process's sandbox, or, without a sandbox, named on its command line.

    A mount names it from the root of its file system: the end of the path must do.
    """
    slots = "/".join(Path(slots).parts[-2:])
    try:
        return slots in Path(f"/proc/{pid}/mountinfo").read_text() or slots in Path(f"/proc/{pid}/cmdline").read_text()
    except PermissionError:
        return True  # a container's, and we are not root: on a machine of our own it is ours
