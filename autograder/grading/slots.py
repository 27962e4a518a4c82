"""Lease slots to submissions, one at a time; replace a slot after so many, or when it is in any doubt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from autograder.errors import SandboxError
from autograder.sandbox.interface import Sandbox, SlotSpec
from autograder.sandbox.slot import Slot


class SlotPool:
    """At most one idle slot for each spec: a worker grades one submission at a time."""

    def __init__(self, sandbox: Sandbox, lifetime: int = 200) -> None:
        """`lifetime` is how many submissions a slot serves before it is replaced; 1 is the strictest."""
        self.sandbox = sandbox
        self.lifetime = lifetime
        self._idle: dict[SlotSpec, Slot] = {}

    def warm(self, spec: SlotSpec) -> None:
        """Start a slot for `spec` now, without waiting for it."""
        if spec not in self._idle:
            self._idle[spec] = Slot(self.sandbox, spec)

    @contextmanager
    def lease(self, spec: SlotSpec) -> Iterator[Slot]:
        """A slot that is ready, for one submission.

        It is kept for the next only if nothing went wrong in the block, and its memory was enough.

        Raises:
            SandboxError: no slot could be started.
        """
        slot = self._idle.pop(spec, None) or Slot(self.sandbox, spec)
        served = slot.served + 1
        try:
            slot.wait()
            yield slot
        except BaseException:
            slot.close()
            raise
        slot.served = served
        if slot.worn or served >= self.lifetime:
            slot.close()
        else:
            self._idle[spec] = slot

    def close(self) -> None:
        """Remove the idle slots. What an engine that is gone keeps of them the next grader finds by its label."""
        while self._idle:
            with suppress(SandboxError):
                self._idle.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
