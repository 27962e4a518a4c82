"""nbgrader's rows of an assignment and of what was submitted for it, read with one query for each table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import Assignment, BaseCell, Comment, Grade, Notebook, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import Connection, Table, and_, func, select

from autograder.errors import UsageError
from autograder.gradebook.ledger import Ids


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One cell's score: the grader's, a person's, what a person added, and whether it waits for a person."""

    auto: float | None
    manual: float | None
    extra: float | None
    needs_manual: bool

    @property
    def counted(self) -> float | None:
        """What nbgrader counts: a person's score before the grader's."""
        score = self.auto if self.manual is None else self.manual
        return None if score is None else score + (self.extra or 0.0)


@dataclass(frozen=True, slots=True)
class SubmittedRow:
    """One submission. `notebook` is None where only the row of the submitted assignment is there."""

    submission: str
    notebook: str | None
    timestamp: datetime | None
    extension: timedelta | None
    penalty: float | None
    grades: dict[str, GradeRow] = field(default_factory=dict)
    """By the cell's id."""
    comments: dict[str, str | None] = field(default_factory=dict)
    """The grader's comments, by the cell's id."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the gradebook knows of an assignment beyond its checks.

    Attributes:
        penalties: points that lateness costs, by student; without those whom it costs none.
        unread: how many answers wait for a human.
    """

    penalties: Mapping[str, float]
    unread: int


def table(model: Any) -> Table:
    """The table of one of nbgrader's classes."""
    found: Table = model.__table__
    return found


def registered(connection: Connection, assignment: str) -> tuple[Ids, datetime | None]:
    """The ids of an assignment's rows, and its due date.

    Raises:
        UsageError: it is not registered.
    """
    rows = connection.execute(
        select(Assignment.id, Assignment.duedate, Notebook.id, BaseCell.id, BaseCell.name, BaseCell.type)
        .join(Notebook, Notebook.assignment_id == Assignment.id)
        .join(table(BaseCell), BaseCell.notebook_id == Notebook.id)
        .where(Assignment.name == assignment, Notebook.name == assignment)
    ).all()
    if not rows:
        raise UsageError(f"{assignment} is not in the gradebook: register it first")
    assignment_id, due, notebook_id = rows[0][:3]
    cells = [(name, kind, cell_id) for *_, cell_id, name, kind in rows]
    ids = Ids(
        assignment=assignment_id,
        notebook=notebook_id,
        graded={name: cell_id for name, kind, cell_id in cells if kind == "GradeCell"},
        answered={name: cell_id for name, kind, cell_id in cells if kind == "SolutionCell"},
    )
    return ids, due


def submissions(connection: Connection, ids: Ids, student: str | None = None) -> dict[str, SubmittedRow]:
    """What was submitted for an assignment, by student; of one student where one is named."""
    handed, notebook = SubmittedAssignment, SubmittedNotebook
    query = (
        select(
            handed.student_id,
            handed.id,
            notebook.id,
            handed.timestamp,
            handed.extension,
            notebook.late_submission_penalty,
        )
        .outerjoin(notebook, and_(notebook.assignment_id == handed.id, notebook.notebook_id == ids.notebook))
        .where(handed.assignment_id == ids.assignment)
    )
    if student is not None:
        query = query.where(handed.student_id == student)
    found = {name: SubmittedRow(*row) for name, *row in connection.execute(query)}
    of_notebook = {row.notebook: row for row in found.values() if row.notebook is not None}
    if not of_notebook:
        return found
    only = next(iter(of_notebook)) if student is not None else None
    for notebook_id, cell, *grade in connection.execute(_cells(Grade, ids, only)):
        if notebook_id in of_notebook:
            of_notebook[notebook_id].grades[cell] = GradeRow(*grade)
    for notebook_id, cell, comment in connection.execute(_cells(Comment, ids, only)):
        if notebook_id in of_notebook:
            of_notebook[notebook_id].comments[cell] = comment
    return found


def standing(connection: Connection, assignment: str) -> Standing:
    """What lateness costs, and how many answers wait to be read."""
    of_assignment = (
        select(SubmittedAssignment.student_id, SubmittedNotebook.id, SubmittedNotebook.late_submission_penalty)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == assignment)
    ).subquery()
    penalised = select(of_assignment.c.student_id, of_assignment.c.late_submission_penalty).where(
        of_assignment.c.late_submission_penalty > 0
    )
    waiting = (
        select(func.count())
        .select_from(Grade)
        .join(of_assignment, of_assignment.c.id == Grade.notebook_id)
        .where(Grade.needs_manual_grade)
    )
    penalties = {student: points for student, points in connection.execute(penalised)}  # noqa: C416 - a Row is no pair
    return Standing(penalties, connection.execute(waiting).scalar_one())


def _cells(model: Any, ids: Ids, only: str | None) -> Any:
    """The query for the grades or the comments of a submitted notebook, or of all of the assignment."""
    if model is Grade:
        query = select(
            Grade.notebook_id,
            Grade.cell_id,
            Grade.auto_score,
            Grade.manual_score,
            Grade.extra_credit,
            Grade.needs_manual_grade,
        )
    else:
        query = select(Comment.notebook_id, Comment.cell_id, Comment.auto_comment)
    if only is not None:
        return query.where(model.notebook_id == only)
    return query.join(SubmittedNotebook, SubmittedNotebook.id == model.notebook_id).where(
        SubmittedNotebook.notebook_id == ids.notebook
    )
