"""What happened while one check ran: its cases and comparisons, and the last call, for messages and hints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal

from autograder.errors import Cause, CheckerError
from autograder.model.assignment import Runner
from autograder.model.report import Picture

Reveal = Literal["worst", "inputs", "nothing"]
"""What of a failing comparison a student may see: the worst element, the scalar inputs too, or nothing."""


KEPT_BYTES = 64 * 2**20
"""Bytes of answers that are kept for one submission."""


class NotKept:
    """Stands for an answer that was too large to keep: no mistake's answer is the same."""


class Budget:
    """How much more of a submission's answers may be kept."""

    def __init__(self, size: int = KEPT_BYTES) -> None:
        self.left = size

    def keep(self, answer: Any) -> Any:
        """Return the answer where there is room for it, else `NotKept`."""
        size = size_of(answer, self.left)
        if size > self.left:
            return NotKept()
        self.left -= size
        return answer


def size_of(value: Any, most: int) -> int:
    """Return the bytes that a value takes, about; more than `most`, of one that takes more, without looking on."""
    size, waiting = 0, [value]
    while waiting and size <= most:
        part = waiting.pop()
        size += 64
        if isinstance(part, list | tuple):
            size += 8 * len(part)
            waiting += part
        elif isinstance(part, dict):
            size += 100 * len(part)
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, str):
            size += 4 * len(part)
        elif isinstance(part, bytes):
            size += len(part)
        else:
            size += int(getattr(part, "nbytes", 0))  # of arrays and tensors
    return size


@dataclass(slots=True)
class Comparison:
    """One comparison: `actual` is what the student's code gave; hints rest on it."""

    ok: bool
    actual: Any = None
    cause: Cause = "value"
    message: str = ""
    detail: str = ""
    case: int | None = None
    call: str = ""
    picture: Picture | None = None


@dataclass(slots=True)
class Record:
    """Filled while a check runs; `functions` are the names that the check called or read."""

    reveal: Reveal = "worst"
    comparisons: list[Comparison] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    case: int | None = None
    cases: int = 0
    call: str = ""
    runner: Runner = "cpu"
    budget: Budget = field(default_factory=Budget)

    def add(self, comparison: Comparison) -> bool:
        """Note a comparison with the case and call it belongs to; says whether it held."""
        comparison.case, comparison.call = self.case, self.call
        comparison.actual = self.budget.keep(comparison.actual)
        self.comparisons.append(comparison)
        return comparison.ok

    @property
    def failures(self) -> list[Comparison]:
        """The comparisons that did not hold, in order."""
        return [comparison for comparison in self.comparisons if not comparison.ok]


_current: ContextVar[Record | None] = ContextVar("record", default=None)


def current() -> Record:
    """The record of the check that is running.

    Raises:
        CheckerError: a comparison was made outside a check.
    """
    record = _current.get()
    if record is None:
        raise CheckerError("close, equal and expect are for use inside a check")
    return record


@contextmanager
def recording(record: Record) -> Iterator[Record]:
    """Make `record` the current one for as long as the block runs."""
    token = _current.set(record)
    try:
        yield record
    finally:
        _current.reset(token)
