"""Scores as the gradebook holds them: automatic and manual points, lateness, what waits for manual grading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    GradeCell,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import Connection, Table, create_engine, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from autograder.errors import StorageError


@dataclass(frozen=True, slots=True)
class CellScore:
    """The points of one graded cell, as nbgrader counts them."""

    automatic: float | None
    manual: float | None = None
    extra: float = 0.0
    waiting: bool = False
    """Whether a person has to read it."""

    @property
    def points(self) -> float:
        """A person's points before the grader's, and extra credit."""
        return ((self.automatic or 0.0) if self.manual is None else self.manual) + self.extra


@dataclass(frozen=True, slots=True)
class StudentScores:
    """One student's scores for one assignment."""

    cells: Mapping[str, CellScore] = field(default_factory=dict)
    late: float = 0.0
    """Points that lateness costs."""
    timestamp: datetime | None = None
    """When it was handed in, in UTC without a zone."""

    @property
    def automatic(self) -> float:
        """The grader's points."""
        return sum(cell.automatic or 0.0 for cell in self.cells.values())

    @property
    def manual(self) -> float:
        """What people added to the grader's points, or took off: answers read, scores changed, extra credit."""
        return sum(cell.points for cell in self.cells.values()) - self.automatic

    @property
    def has_manual(self) -> bool:
        """Whether a person has given points."""
        return any(cell.manual is not None or cell.extra for cell in self.cells.values())

    @property
    def waiting(self) -> int:
        """How many cells wait for manual grading."""
        return sum(cell.waiting for cell in self.cells.values())

    @property
    def score(self) -> float:
        """The final score: automatic and manual points without what lateness costs, at least 0."""
        return max(0.0, self.automatic + self.manual - self.late)


def of_assignment(connection: Connection, assignment: str) -> dict[str, StudentScores]:
    """The scores of each student with a graded submission."""
    submitted = connection.execute(
        select(
            SubmittedNotebook.id,
            SubmittedAssignment.student_id,
            SubmittedAssignment.timestamp,
            SubmittedNotebook.late_submission_penalty,
        )
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == assignment)
    ).all()
    graded = connection.execute(
        select(
            Grade.notebook_id,
            BaseCell.name,
            Grade.auto_score,
            Grade.manual_score,
            Grade.extra_credit,
            Grade.needs_manual_grade,
        )
        .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(_table(BaseCell), BaseCell.id == Grade.cell_id)
        .where(Assignment.name == assignment)
    )
    cells: dict[str, dict[str, CellScore]] = {notebook: {} for notebook, *_ in submitted}
    for notebook, name, automatic, manual, extra, waiting in graded:
        cells[notebook][name] = CellScore(automatic, manual, extra or 0.0, bool(waiting))
    return {
        student: StudentScores(cells[notebook], late or 0.0, timestamp)
        for notebook, student, timestamp, late in submitted
    }


def maximum(connection: Connection, assignment: str) -> dict[str, float]:
    """The points that each graded cell can give."""
    found: dict[str, float] = {}
    for kind in (GradeCell, TaskCell):
        rows = connection.execute(
            select(BaseCell.name, _table(kind).c.max_score)
            .join(_table(kind), _table(kind).c.id == BaseCell.id)
            .join(Notebook, Notebook.id == BaseCell.notebook_id)
            .join(Assignment, Assignment.id == Notebook.assignment_id)
            .where(Assignment.name == assignment)
        )
        found |= {name: points for name, points in rows}  # noqa: C416 - a Row is no pair
    return found


def students(connection: Connection) -> list[str]:
    """All students that the gradebook knows."""
    return list(connection.scalars(select(Student.id)))


class GradebookReader:
    """A gradebook that is only read: nothing is made where none is. Use it in a `with` block.

    Args:
        db_url: any SQLAlchemy URL.

    Raises:
        StorageError: the database is there and cannot be read.
    """

    def __init__(self, db_url: str) -> None:
        self._connection: Connection | None = None
        try:
            url = make_url(db_url)
            if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
                return
            self._connection = create_engine(url).connect()
            if not inspect(self._connection).has_table(Assignment.__tablename__):
                self._close()
        except (ArgumentError, ModuleNotFoundError, DatabaseError) as error:
            reason = str(getattr(error, "orig", error)).strip().partition("\n")[0]
            raise StorageError(f"the gradebook cannot be read: {reason}: check AUTOGRADER_DB_URL") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection.engine.dispose()
            self._connection = None

    def students(self) -> list[str]:
        """All students that the gradebook knows."""
        return [] if self._connection is None else self._read(students)

    def scores(self, assignment: str) -> dict[str, StudentScores]:
        """The scores of each student with a graded submission."""
        return {} if self._connection is None else self._read(of_assignment, assignment)

    def maximum(self, assignment: str) -> dict[str, float]:
        """The points that each graded cell can give."""
        return {} if self._connection is None else self._read(maximum, assignment)

    def _read(self, query: Any, *arguments: str) -> Any:
        try:
            return query(self._connection, *arguments)
        except DatabaseError as error:
            reason = str(error.orig).strip().partition("\n")[0]
            raise StorageError(f"the gradebook cannot be read: {reason}: is it of this nbgrader's version?") from error


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table
