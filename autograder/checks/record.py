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

    def add(self, comparison: Comparison) -> bool:
        """Note a comparison with the case and call it belongs to; says whether it held."""
        comparison.case, comparison.call = self.case, self.call
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
