"""What changes when a class is graded again: old and new points of each student and check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from autograder.model.report import Report


@dataclass(frozen=True, slots=True)
class OldScores:
    """What a student had before: points by cell; points and causes by (cell, check) where the checks are known."""

    cells: Mapping[str, float]
    checks: Mapping[tuple[str, str], float] | None = None
    causes: Mapping[tuple[str, str], tuple[str, str | None]] | None = None

    @classmethod
    def of(cls, report: Report) -> Self:
        """The scores of an earlier report."""
        return cls(_by_cell(report), _by_check(report), _causes(report))

    @property
    def total(self) -> float:
        """All points."""
        return sum(self.cells.values())


@dataclass(frozen=True, slots=True)
class PointsChange:
    """Old and new points of one check, or of a whole cell (`check` is None) where only its sum was known.

    `old` is None for a check that is new, `new` for one that is gone.
    """

    cell: str
    check: str | None
    old: float | None
    new: float | None

    @property
    def name(self) -> str:
        """`cell/check`, or the cell."""
        return self.cell if self.check is None else f"{self.cell}/{self.check}"

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return {"cell": self.cell, "check": self.check, "old": self.old, "new": self.new}


@dataclass(frozen=True, slots=True)
class StudentChange:
    """Old and new score of one student, and the checks whose points changed. `old` is None at the first grading."""

    student: str
    old: float | None
    new: float
    points: tuple[PointsChange, ...]

    def data(self) -> dict[str, Any]:
        """As plain data."""
        points = [change.data() for change in self.points]
        return {"student": self.student, "old": self.old, "new": self.new, "checks": points}


@dataclass(slots=True)
class CheckSummary:
    """How many students a check gives more, fewer, its first (`new`) or no longer any (`gone`) points."""

    name: str
    up: int = 0
    down: int = 0
    new: int = 0
    gone: int = 0


@dataclass(slots=True)
class Difference:
    """All changes of one assignment. `first` holds those who were not graded before.

    `other_cause` counts those of the `unchanged` whose checks give the same points for another verdict or cause.
    """

    assignment: str
    changed: list[StudentChange] = field(default_factory=list)
    first: list[StudentChange] = field(default_factory=list)
    unchanged: int = 0
    other_cause: int = 0

    def add(self, old: OldScores | None, new: Report) -> None:
        """Compare one student's scores. A report that was not graded changes nothing."""
        if new.status != "graded":
            return
        change = compare(old, new)
        if change.old is None:
            self.first.append(change)
        elif change.points:
            self.changed.append(change)
        else:
            self.unchanged += 1
            self.other_cause += old is not None and old.causes is not None and old.causes != _causes(new)

    def by_check(self) -> list[CheckSummary]:
        """One summary for each check that changed for a student who was graded before."""
        found: dict[str, CheckSummary] = {}
        for change in (change for student in self.changed for change in student.points):
            summary = found.setdefault(change.name, CheckSummary(change.name))
            if change.old is None:
                summary.new += 1
            elif change.new is None:
                summary.gone += 1
            elif change.new > change.old:
                summary.up += 1
            else:
                summary.down += 1
        return list(found.values())

    def data(self) -> dict[str, Any]:
        """As plain data: what `autograder grade --dry-run --json` writes for each assignment."""
        return {
            "assignment": self.assignment,
            "changed": [change.data() for change in sorted(self.changed, key=lambda each: each.student)],
            "first": [change.data() for change in sorted(self.first, key=lambda each: each.student)],
            "unchanged": self.unchanged,
            "other_cause": self.other_cause,
        }


def compare(old: OldScores | None, new: Report) -> StudentChange:
    """Old and new points of one student, check by check where the old checks are known, else cell by cell."""
    if old is None:
        points = tuple(PointsChange(cell, check, None, given) for (cell, check), given in _by_check(new).items())
        return StudentChange(new.student, None, new.score, points)
    changes: list[PointsChange]
    if old.checks is not None:
        before, now = old.checks, _by_check(new)
        keys = dict.fromkeys([*now, *before])
        changes = [PointsChange(cell, check, before.get((cell, check)), now.get((cell, check))) for cell, check in keys]
    else:
        cells = _by_cell(new)
        names = dict.fromkeys([*cells, *old.cells])
        changes = [PointsChange(cell, None, old.cells.get(cell), cells.get(cell)) for cell in names]
    differing = tuple(change for change in changes if not _equal(change.old, change.new))
    return StudentChange(new.student, old.total, new.score, differing)


def _equal(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is new
    return abs(old - new) < 1e-9


def _by_check(report: Report) -> dict[tuple[str, str], float]:
    return {(check.cell, check.name): check.points for check in report.checks}


def _causes(report: Report) -> dict[tuple[str, str], tuple[str, str | None]]:
    return {(check.cell, check.name): (check.verdict, check.cause) for check in report.checks}


def _by_cell(report: Report) -> dict[str, float]:
    found: dict[str, float] = {}
    for check in report.checks:
        found[check.cell] = found.get(check.cell, 0.0) + check.points
    return found
