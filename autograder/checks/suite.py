"""Find an assignment's checks and mistakes, run them, and turn what happened into verdicts and messages."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder.checks.diagnosis import UNEXPLAINED, Echo, Mistake, Outcome, Unlike, alike, choose
from autograder.checks.draw import Attempt, Draw
from autograder.checks.local import LocalTransport
from autograder.checks.record import Record, Reveal, recording
from autograder.checks.student import Student, Transport
from autograder.errors import CheckerError, SandboxError, StudentFailure, UsageError
from autograder.model.report import CheckResult

NOT_COUNTED = "not counted: no value check of this exercise passes yet"
"""The message of a check of a property that passes where nothing else of its exercise does."""
CheckFunction = Callable[[Any, Draw], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a graded cell. `title` is the first line of its docstring, which students read."""

    name: str
    cell: str
    points: float
    reveal: Reveal
    seconds: float | None
    function: CheckFunction
    is_property: bool = False
    """Whether it asks for something that wrong answers may have too: see `Suite.counted`."""

    @property
    def title(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.function) or self.name).splitlines()[0]


def check(
    *, cell: str, points: float, reveal: Reveal = "worst", seconds: float | None = None, is_property: bool = False
) -> Callable[[CheckFunction], CheckFunction]:
    """Mark a function `(student, draw)` as a check of the graded cell `cell`, worth `points`.

    `reveal` says what of a failing comparison the student may see; `seconds` is the time limit of each call,
    where it is not the assignment's.

    With `is_property` it is about a property that an answer may have without the work (zeros are bilinear): it gives
    its points only where a check of the same cell passes that is none.
    """

    def mark(function: CheckFunction) -> CheckFunction:
        if not inspect.getdoc(function):
            raise CheckerError(f"check {function.__name__} has no docstring: its first line is what students read")
        made = Check(function.__name__, cell, points, reveal, seconds, function, is_property)
        function.__check__ = made  # type: ignore[attr-defined]  # a mark
        return function

    return mark


def find(assignment: str, root: Path | None = None) -> Path:
    """The folder of `solutions.<assignment>`, in the project in `root` where one is given; imports none of it.

    Raises:
        UsageError: there is no such assignment.
    """
    if root is not None and str(root) not in sys.path:
        sys.path.insert(0, str(root))
    parent = importlib.util.find_spec("solutions")
    found = importlib.util.find_spec(f"solutions.{assignment}") if parent is not None else None
    if found is None or not found.submodule_search_locations:
        raise UsageError(f"no assignment {assignment!r}: expected a folder solutions/{assignment}/")
    return Path(found.submodule_search_locations[0])


def digest(folder: Path) -> str:
    """Hex digest of the files that a verdict rests on: the assignment's in `folder`, and the reference models'."""
    found = hashlib.sha256()
    for path in [*sorted(folder.glob("*.py")), *sorted((folder.parent / "models").glob("*.py"))]:
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


@dataclass(frozen=True)
class Suite:
    """The checks and mistakes of one assignment, and the namespace of its right functions."""

    assignment: str
    checks: tuple[Check, ...]
    mistakes: tuple[Mistake, ...]
    reference: ModuleType
    folder: Path

    @classmethod
    def load(cls, assignment: str, root: Path | None = None) -> Suite:
        """Import `solutions.<assignment>`, from the project in `root` where one is given.

        Raises:
            UsageError: there is no such assignment.
            CheckerError: its checks, mistakes or reference cannot be imported.
        """
        folder = find(assignment, root)
        parts = {}
        for part in ("reference", "checks", "mistakes"):
            try:
                parts[part] = importlib.import_module(f"solutions.{assignment}.{part}")
            except Exception as error:
                raise CheckerError(f"solutions/{assignment}/{part}.py: {error!r}\n{traceback.format_exc()}") from error
        checks = _marked(parts["checks"], "__check__")
        if not checks:
            raise CheckerError(f"solutions/{assignment}/checks.py has no @check")
        for cell in {item.cell for item in checks} - {item.cell for item in checks if not item.is_property}:
            raise CheckerError(f"solutions/{assignment}/checks.py: all checks of {cell} are of properties; add another")
        return cls(assignment, checks, _marked(parts["mistakes"], "__mistake__"), parts["reference"], folder)

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the files that a verdict rests on."""
        return digest(self.folder)

    def cells(self) -> dict[str, float]:
        """The points of each graded cell: the sum of its checks'."""
        totals: dict[str, float] = {}
        for item in self.checks:
            totals[item.cell] = totals.get(item.cell, 0.0) + item.points
        return totals

    def run(self, item: Check, transport: Transport, attempt: Attempt, record: Record | None = None) -> Outcome:
        """Run one check, into `record` where one is given.

        Raises:
            SandboxError: the sandbox failed.
            CheckerError: the check itself did.
            Unlike: the record is an Echo, and this run is none.
        """
        seed = attempt.seed(self.assignment, item.name)
        record = Record(reveal=item.reveal) if record is None else record
        record.runner = transport.runner
        try:
            with recording(record):
                item.function(Student(attempt.student, transport, seed=seed, seconds=item.seconds), Draw(seed))
        except StudentFailure as error:
            return Outcome(record, error)
        except (SandboxError, CheckerError, Unlike):
            raise
        except Exception as error:
            if record.failures:  # a check may stumble over a wrong value that it has already recorded
                return Outcome(record)
            raise CheckerError(
                f"check {item.name} of {self.assignment}: {error!r}\n{traceback.format_exc()}"
            ) from error
        if not record.comparisons:
            raise CheckerError(f"check {item.name} of {self.assignment} compared nothing")
        return Outcome(record)

    def result(self, item: Check, outcome: Outcome, mistake: Mistake | None = None) -> CheckResult:
        """The verdict of a run, in words."""
        result = CheckResult(item.name, item.cell, item.points, "pass", title=item.title)
        if not outcome.failed:
            return result
        hint = mistake.hint if mistake else ""
        failures = outcome.record.failures
        if not failures and outcome.failure is not None:
            told = _with_call(outcome.failure.message, outcome.record.call)
            return replace(
                result,
                verdict="fail",
                cause=outcome.failure.cause,
                message=told,
                detail=outcome.failure.detail,
                hint=hint,
            )
        first = failures[0]
        wrong = len({failure.case for failure in failures} - {None})
        told = _with_call(first.message, first.call)
        if outcome.record.cases > 1 and first.case is not None:
            agree = outcome.record.cases - wrong if outcome.failure is None else None
            told = f"{told}. {agree} of {outcome.record.cases} cases agree" if agree is not None else told
        picture = next((failure.picture for failure in failures if failure.picture), None)
        return replace(
            result,
            verdict="fail",
            cause=first.cause,
            message=told,
            detail=first.detail,
            hint=hint,
            picture=picture,
        )

    def counted(self, results: Sequence[CheckResult]) -> list[CheckResult]:
        """The verdicts; a property gives points only where a value check of the same exercise passes.

        Zeros, constants and the identity have many properties of right answers.
        """
        properties = {item.name for item in self.checks if item.is_property}
        worked = {each.cell for each in results if each.verdict == "pass" and each.name not in properties}
        return [
            replace(each, verdict="fail", cause="value", message=NOT_COUNTED)
            if each.verdict == "pass" and each.name in properties and each.cell not in worked
            else each
            for each in results
        ]

    def diagnose(self, failed: dict[Check, Outcome], attempt: Attempt) -> dict[str, Mistake]:
        """The mistake that explains each failed check, by check name, where one does."""
        candidates = {
            item.name: [
                known
                for known in self.mistakes
                if known.of in outcome.record.functions and self._explains(known, item, outcome, attempt)
            ]
            for item, outcome in failed.items()
        }
        return choose(candidates)

    def _explains(self, known: Mistake, item: Check, outcome: Outcome, attempt: Attempt) -> bool:
        if outcome.failure is not None and outcome.failure.cause in UNEXPLAINED:
            return False
        wrong = known.function
        if known.of in outcome.record.functions and not hasattr(self.reference, known.of):
            wrong = known.function(attempt.student)  # a variable answer
        namespace = {**vars(self.reference), known.of: wrong}
        try:
            again = LocalTransport(namespace, outcome.record.runner)
            return alike(outcome, self.run(item, again, attempt, Echo(outcome.record)))
        except Unlike:
            return False


def _with_call(message: str, call: str) -> str:
    """Put the call before the message where the message does not name it already."""
    name = call.partition("(")[0].strip("`")
    return f"{call}: {message}" if call and name not in message.partition(":")[0] else message


def _marked(module: ModuleType, mark: str) -> tuple[Any, ...]:
    """What the functions and classes defined in `module` were marked with, in the order of definition."""
    found = [
        vars(value)[mark]
        for value in vars(module).values()
        if hasattr(value, "__dict__") and mark in vars(value) and getattr(value, "__module__", "") == module.__name__
    ]
    return tuple(found)


def forget(assignment: str) -> None:
    """Drop the imported modules of an assignment, so that the next `load` reads the files again."""
    for name in [
        name for name in sys.modules if name == f"solutions.{assignment}" or name.startswith(f"solutions.{assignment}.")
    ]:
        del sys.modules[name]
