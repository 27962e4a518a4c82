"""Mistakes and their hints: a wrong answer is recognised when a known mistake gives the same one."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.checks.compare import same
from autograder.checks.record import Budget, Comparison, NotKept, Record
from autograder.errors import StudentFailure


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong `function` in place of the student's `of`, and the hint for whoever gives its answers."""

    name: str
    of: str
    hint: str
    function: Any

    def source(self) -> str:
        """Notebook source that makes the mistake: its definition, without the decorator."""
        text = textwrap.dedent(inspect.getsource(self.function))
        definition = re.search(r"^(def|class) ", text, re.MULTILINE)
        assert definition is not None  # it is the source of a function or a class
        return text[definition.start() :]


def mistake(*, of: str, hint: str) -> Callable[[Any], Any]:
    """Mark a function or class of `mistakes.py`: what students write in place of `of`; `hint` answers it."""

    def mark(function: Any) -> Any:
        function.__mistake__ = Mistake(function.__name__, of, hint, function)
        return function

    return mark


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of a check left: its record and the failure that ended it, if one did."""

    record: Record
    failure: StudentFailure | None = None

    @property
    def failed(self) -> bool:
        """Whether the student did not pass."""
        return self.failure is not None or bool(self.record.failures)


UNEXPLAINED = {"timeout", "memory", "died", "missing"}
"""Causes that no wrong formula has: a check that ended so is not diagnosed."""


class Unlike(Exception):  # noqa: N818 - not an error: it ends a run that has shown what it was for
    """A mistake's run gave another answer than the student's."""


class Echo(Record):
    """The record of a mistake's run: it ends the run at the first answer that is not the student's."""

    def __init__(self, heard: Record) -> None:
        super().__init__(reveal=heard.reveal)
        self._heard = heard.comparisons

    def add(self, comparison: Comparison) -> bool:
        """Note a comparison.

        Raises:
            Unlike: the student's run had another one in its place.
        """
        place = len(self.comparisons)
        self.budget = Budget()  # a mistake's answers are kept no longer than those that they are compared with
        if place >= len(self._heard) or not _agree(self._heard[place], comparison):
            raise Unlike
        return super().add(comparison)


def _agree(one: Comparison, other: Comparison) -> bool:
    kept = not isinstance(one.actual, NotKept) and not isinstance(other.actual, NotKept)
    return kept and one.ok == other.ok and same(one.actual, other.actual)


def alike(one: Outcome, other: Outcome) -> bool:
    """Whether two runs of the same check gave the same answers, right and wrong, and ended the same way."""
    mine, theirs = one.record.comparisons, other.record.comparisons
    if len(mine) != len(theirs) or not (one.failed and other.failed):
        return False
    if (one.failure is None) != (other.failure is None):
        return False
    if one.failure is not None and other.failure is not None:
        # a failure alone, with no value before it, says too little unless it is the same exception
        if one.failure.cause != other.failure.cause or one.failure.cause in UNEXPLAINED:
            return False
        if _kind(one.failure) != _kind(other.failure):
            return False
    return all(_agree(a, b) for a, b in zip(mine, theirs, strict=True))


def _kind(failure: StudentFailure) -> str:
    return failure.message.split(" (at `")[0]


def choose(candidates: Mapping[str, Sequence[Mistake]]) -> dict[str, Mistake]:
    """For each failed check, of the mistakes that explain it, the one that explains most failed checks."""
    weight = Counter(mistake.name for found in candidates.values() for mistake in found)
    return {check: max(found, key=lambda m: weight[m.name]) for check, found in candidates.items() if found}
