"""One submission's rows in nbgrader's database: scores, comments, when it was handed in, its late penalty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from sqlalchemy import Connection, Table, bindparam, func, insert, select, update

from autograder.errors import UsageError
from autograder.gradebook.late import LatePenalties
from autograder.model.submission import Submission


@dataclass(frozen=True, slots=True)
class _Registered:
    """The ids of an assignment's rows: by cell name, those that scores and comments belong to."""

    assignment: str
    notebook: str
    due: datetime | None
    graded: Mapping[str, str]
    answered: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Handed:
    """The rows of a submission; `extension` is what a human added to its due date."""

    assignment: str
    notebook: str
    extension: timedelta | None = None


def record(
    connection: Connection,
    late: LatePenalties,
    submission: Submission,
    *,
    moment: datetime | None,
    scores: Mapping[str, float | None],
    comments: Mapping[str, str | None],
) -> None:
    """Write what the grader found, and keep what a human wrote.

    Args:
        moment: when the submission was handed in, in UTC without a zone, as nbgrader stores it.
        scores: points by graded cell; None where a human must look.
        comments: nbgrader's own comment by answered cell.

    Raises:
        UsageError: the assignment is not registered, or with other cells.
    """
    registered = _registered(connection, submission.assignment)
    if registered.graded.keys() != scores.keys() or registered.answered.keys() != comments.keys():
        raise UsageError(
            f"{submission.assignment} was registered with other cells than this notebook has: "
            "release and register it anew, then grade again"
        )
    handed = _handed(connection, registered, submission.student, moment)
    score = _write_scores(connection, registered, handed, scores)
    _write_comments(connection, registered, handed, comments)
    _penalise(connection, late, submission, registered, handed, moment, score)


def record_time(connection: Connection, late: LatePenalties, submission: Submission, moment: datetime | None) -> None:
    """Write when a submission was handed in and what its lateness costs by now; its scores stay as they are.

    Raises:
        UsageError: the assignment is not registered.
    """
    registered = _registered(connection, submission.assignment)
    handed = _handed(connection, registered, submission.student, moment)
    given = connection.execute(
        select(Grade.auto_score, Grade.manual_score, Grade.extra_credit).where(Grade.notebook_id == handed.notebook)
    )
    score = sum(((auto or 0.0) if manual is None else manual) + (extra or 0.0) for auto, manual, extra in given)
    _penalise(connection, late, submission, registered, handed, moment, score)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the gradebook knows of an assignment beyond its checks.

    Attributes:
        penalties: points that lateness costs, by student; without those whom it costs none.
        unread: how many answers wait for a human.
    """

    penalties: Mapping[str, float]
    unread: int


def standing(connection: Connection, assignment: str) -> Standing:
    """How an assignment's submissions stand."""
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


def _penalise(
    connection: Connection,
    late: LatePenalties,
    submission: Submission,
    registered: _Registered,
    handed: _Handed,
    moment: datetime | None,
    score: float,
) -> None:
    penalty = late.penalty(submission.student, score, _seconds_late(registered, handed, moment))
    connection.execute(
        update(SubmittedNotebook).where(SubmittedNotebook.id == handed.notebook).values(late_submission_penalty=penalty)
    )


def _registered(connection: Connection, assignment: str) -> _Registered:
    rows = connection.execute(
        select(Assignment.id, Assignment.duedate, Notebook.id, BaseCell.id, BaseCell.name, BaseCell.type)
        .join(Notebook, Notebook.assignment_id == Assignment.id)
        .join(_table(BaseCell), BaseCell.notebook_id == Notebook.id)
        .where(Assignment.name == assignment, Notebook.name == assignment)
    ).all()
    if not rows:
        raise UsageError(f"{assignment} is not in the gradebook: register it first")
    assignment_id, due, notebook_id = rows[0][:3]
    cells = [(name, kind, cell_id) for *_, cell_id, name, kind in rows]
    return _Registered(
        assignment=assignment_id,
        notebook=notebook_id,
        due=due,
        graded={name: cell_id for name, kind, cell_id in cells if kind == "GradeCell"},
        answered={name: cell_id for name, kind, cell_id in cells if kind == "SolutionCell"},
    )


def _handed(connection: Connection, registered: _Registered, student: str, moment: datetime | None) -> _Handed:
    """The submission's rows with its time of handing in; made when this is the first."""
    row = connection.execute(
        select(SubmittedAssignment.id, SubmittedNotebook.id, SubmittedAssignment.extension)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .where(
            SubmittedAssignment.assignment_id == registered.assignment,
            SubmittedAssignment.student_id == student,
            SubmittedNotebook.notebook_id == registered.notebook,
        )
    ).first()
    if row is not None:
        handed = _Handed(*row)
        connection.execute(
            update(SubmittedAssignment).where(SubmittedAssignment.id == handed.assignment).values(timestamp=moment)
        )
        return handed
    if connection.execute(select(Student.id).where(Student.id == student)).first() is None:
        connection.execute(insert(_table(Student)), {"id": student})
    handed = _Handed(new_uuid(), new_uuid())
    connection.execute(
        insert(_table(SubmittedAssignment)),
        {
            "id": handed.assignment,
            "assignment_id": registered.assignment,
            "student_id": student,
            "timestamp": moment,
        },
    )
    connection.execute(
        insert(_table(SubmittedNotebook)),
        {"id": handed.notebook, "assignment_id": handed.assignment, "notebook_id": registered.notebook},
    )
    return handed


def _write_scores(
    connection: Connection, registered: _Registered, handed: _Handed, scores: Mapping[str, float | None]
) -> float:
    """Write the score of each cell and return their sum: a human's before the grader's, as in nbgrader."""
    found = {
        cell: (manual, extra)
        for cell, manual, extra in connection.execute(
            select(Grade.cell_id, Grade.manual_score, Grade.extra_credit).where(Grade.notebook_id == handed.notebook)
        )
    }
    total = 0.0
    rows = {}
    for name, score in scores.items():
        manual, extra = found.get(registered.graded[name], (None, None))
        counted = score if manual is None else manual
        if counted is not None:
            total += counted + (extra or 0.0)
        rows[registered.graded[name]] = {
            "auto_score": score,
            "needs_manual_grade": manual is not None or score is None,
        }
    _upsert(connection, _table(Grade), handed.notebook, found.keys(), rows)
    return total


def _write_comments(
    connection: Connection, registered: _Registered, handed: _Handed, comments: Mapping[str, str | None]
) -> None:
    found = set(connection.scalars(select(Comment.cell_id).where(Comment.notebook_id == handed.notebook)))
    rows = {registered.answered[name]: {"auto_comment": comment} for name, comment in comments.items()}
    _upsert(connection, _table(Comment), handed.notebook, found, rows)


def _upsert(
    connection: Connection,
    table: Table,
    notebook: str,
    found: Iterable[str],
    rows: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write the rows of one submitted notebook, by cell: those in `found` are there already."""
    known = set(found)
    new = [
        {"id": new_uuid(), "notebook_id": notebook, "cell_id": cell, **row}
        for cell, row in rows.items()
        if cell not in known
    ]
    old = [{"cell": cell, **row} for cell, row in rows.items() if cell in known]
    if new:
        connection.execute(insert(table), new)
    if old:
        of_cell = (table.c.notebook_id == notebook) & (table.c.cell_id == bindparam("cell"))
        connection.execute(update(table).where(of_cell), old)


def _seconds_late(registered: _Registered, handed: _Handed, moment: datetime | None) -> float:
    if registered.due is None or moment is None:
        return 0.0
    due = registered.due + (handed.extension or timedelta())
    return max(0.0, (moment - due).total_seconds())


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table
