"""Time limits in wall-clock time, less the time in which the kernel waited for a processor."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.sandbox.slot import Slot

EXTENSION: Final = 10.0
"""A limit ends after this many times its seconds, whatever the kernel waited for."""
SAMPLE: Final = 0.1
"""The part of a limit after which the kernel's processor time is first read. Most calls are done by then."""
STEP: Final = 0.05
"""The part of a limit that must have been spent waiting to extend it, and the least time between two readings."""
ASLEEP: Final = 0.02
"""A kernel that used less than this part of a processor was asleep, where Linux does not record waiting."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of processor time since some start: `cpu` of all processes, `waited` by thread (None: not recorded)."""

    cpu: float = 0.0
    waited: Mapping[str, float] | None = None

    def waited_since(self, earlier: Usage, seconds: float) -> float:
        """The longest time that one thread was ready to run and had no processor, within the last `seconds`."""
        if self.waited is None:
            cpu = self.cpu - earlier.cpu
            return max(0.0, seconds - cpu) if cpu > ASLEEP * seconds else 0.0
        before = earlier.waited or {}
        return min(seconds, max((told - before.get(thread, 0.0) for thread, told in self.waited.items()), default=0.0))


class TimeLimit:
    """A limit of `seconds` that starts now.

    The limit is reached when the kernel had `seconds` in which no other process kept it from running, or `seconds` of
    processor time. So an endless loop or a sleep on an idle machine ends at its limit, and the same computation
    passes or fails on a busy machine as on an idle one. After `EXTENSION` times the limit it ends in any case; then
    `starved` is true, which is not the student's failure.

    The kernel's processor time is asked for by `usage`, and only where a tenth of the limit has passed. Time that the
    hypervisor gave to other virtual machines ("steal") counts as waiting too.

    Args:
        seconds: the limit.
        usage: returns the processor time of the kernel since any fixed moment.
        first: what `usage` returns at the start, where that is known; else it is read after a tenth of the limit.
        within: another deadline, which ends this one too.
    """

    def __init__(
        self,
        seconds: float,
        usage: Callable[[], Usage],
        first: Usage | None = None,
        within: TimeLimit | None = None,
    ) -> None:
        self.seconds = seconds
        self.within = within
        self._starved = False
        self.unrecorded = 0.0
        """Seconds that do not count and are in no `Usage.waited`; known once the limit has passed by the clock."""
        self._usage = usage
        self._first = first
        self._first_at = started = time.monotonic()
        self._unread = 0.0 if first else SAMPLE * seconds
        self._stolen = (0.0, 0.0)
        self._next = started + (self._unread or seconds)
        self._due, self._end = started + seconds, started + EXTENSION * seconds
        self._over = False

    def left(self) -> float:
        """Seconds to wait before asking again; 0.0 when the limit is reached.

        Raises:
            SandboxError: the zygote did not tell the processor time.
        """
        if self._over:
            return 0.0
        outer = self.within.left() if self.within else math.inf
        if not outer:
            self._over = True
            return 0.0
        return min(outer, self._left())

    @property
    def limit(self) -> str:
        """The limit that ended, in words."""
        if self.within and not self.within.left():
            return f"the {self.within.seconds:.0f} s of the whole submission"
        return f"{self.seconds:.3g} s"

    def _left(self) -> float:
        now = time.monotonic()
        if now < self._next:
            return self._next - now
        if self._first is None:
            self._first, self._first_at, self._stolen = self._usage(), now, _machine()
            self._next = max(self._due, now + STEP * self.seconds)
        else:
            wait = self._look(now)
            self._over = wait <= 0
            self._next = now + max(wait, STEP * self.seconds)
        return 0.0 if self._over else max(self._next - time.monotonic(), 0.001)

    @property
    def starved(self) -> bool:
        """Whether the limit ended although other processes had the kernel's processor time."""
        return self._starved or (self.within is not None and self.within.starved)

    def credit(self, seconds: float) -> None:
        """Do not count `seconds` of the time so far."""
        self._first_at += seconds
        self._next += seconds

    def _look(self, now: float) -> float:
        """How much of the limit is left; `starved` and `unrecorded` may be set."""
        assert self._first is not None
        used, wall = self._usage(), now - self._first_at
        steal, busy = (after - before for after, before in zip(_machine(), self._stolen, strict=True))
        share = 1 - steal / (steal + busy) if self._stolen != (0.0, 0.0) and steal > 0 else 1.0
        waited = used.waited_since(self._first, wall)
        counted = (wall - waited) * share
        self.unrecorded = wall - counted if used.waited is None else wall - waited - counted
        left = self.seconds - self._unread - max(counted, (used.cpu - self._first.cpu) * share)
        if wall - counted < STEP * self.seconds or left <= 0:
            return 0.0
        self._starved = now >= self._end
        return 0.0 if self._starved else left


def starvation(what: str, deadline: TimeLimit) -> str:
    """What the operator reads of a deadline that ended `starved`."""
    return (
        f"this machine is too busy: {what} with a limit of {deadline.seconds:.3g} s did not get its processor time "
        f"within {EXTENSION * deadline.seconds:.3g} s: grade with fewer --workers, or when less else runs"
    )


def usage_of(slot: Slot, kernel: str) -> Usage:
    """The processor time of a kernel since its fork.

    Raises:
        SandboxError: the zygote is gone, or did not answer.
    """
    told = slot.usage(kernel)
    waited = told["waited"]
    return Usage(float(told["cpu"]), None if waited is None else {thread: float(waited[thread]) for thread in waited})


def waited_here() -> float:
    """Seconds that this very thread waited for a processor; 0.0 where Linux does not record it."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _machine() -> tuple[float, float]:
    """Ticks that the hypervisor took from this machine's processors, and ticks in which they worked."""
    try:
        with Path("/proc/stat").open() as file:
            user, nice, system, _idle, _waits, irq, softirq, steal = map(float, file.readline().split()[1:9])
    except (OSError, ValueError):
        return 0.0, 0.0
    return steal, user + nice + system + irq + softirq
