"""One submission's rows in nbgrader's database: scores, comments, when it was handed in, its late penalty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import Comment, Grade, Student, SubmittedAssignment, SubmittedNotebook, new_uuid
from sqlalchemy import Connection, Table, bindparam, insert, select, update

from autograder.errors import UsageError
from autograder.gradebook import ledger, rows
from autograder.gradebook.answers import Graded
from autograder.gradebook.late import LatePenalties
from autograder.gradebook.ledger import Entry, Ids
from autograder.gradebook.rows import GradeRow, SubmittedRow, table
from autograder.model.submission import Submission


def record(
    connection: Connection,
    late: LatePenalties,
    submission: Submission,
    graded: Graded,
    *,
    moment: datetime | None,
    extension: timedelta | None,
    files: Mapping[str, str],
    answers: Callable[[], Mapping[str, str]],
) -> None:
    """Write what the grader found, and keep what a human wrote.

    Args:
        connection: in a transaction.
        late: the late policy.
        submission: whose rows are written.
        graded: what is written.
        moment: when the submission was handed in, in UTC without a zone, as nbgrader stores it.
        extension: of the due date, for a submission that has no row yet.
        files: the SHA-256 of the graded notebook, for the ledger.
        answers: the digests of the answers recorded before, asked where the ledger does not know them.

    Raises:
        UsageError: the assignment is not registered, or with other cells.
    """
    ids, due = rows.registered(connection, submission.assignment)
    if ids.graded.keys() != graded.scores.keys() or ids.answered.keys() != graded.comments.keys():
        raise UsageError(
            f"{submission.assignment} was registered with other cells than this notebook has: "
            "release and register it anew, then grade again"
        )
    entry = ledger.entry(connection, submission.assignment, submission.student)
    row = _row(connection, ids, submission.student, entry, extension)
    before = entry.graded if entry is not None else _unknown(row, ids, answers)
    grades = _write_scores(connection, ids, row, graded, before)
    _write_comments(connection, ids, row, graded.comments)
    write_time(connection, late, submission.student, due, replace(row, grades=grades), moment)
    kept = None if row.extension is None else row.extension.total_seconds()
    made = Entry(ids, row.submission, str(row.notebook), graded, kept, files)
    if made != entry:
        ledger.write(connection, submission.assignment, submission.student, made)


def record_time(connection: Connection, late: LatePenalties, submission: Submission, moment: datetime | None) -> None:
    """Write when a submission was handed in and what its lateness costs by now; its scores stay as they are.

    Raises:
        UsageError: the assignment is not registered.
    """
    ids, due = rows.registered(connection, submission.assignment)
    row = rows.submissions(connection, ids, submission.student).get(submission.student)
    if row is not None and row.notebook is not None:
        write_time(connection, late, submission.student, due, row, moment)


def needs_manual(name: str, graded: Graded, before: Graded | None, row: GradeRow | None) -> bool:
    """Whether a graded cell waits for a person after `graded` was written over `before`.

    What a person has scored or confirmed is asked for again only where the answer or its automatic score changed.
    """
    same = (
        before is not None
        and before.answers.get(name) == graded.answers.get(name)
        and before.scores.get(name) == graded.scores[name]
    )
    if row is not None and row.manual is not None:
        return row.needs_manual if same else True
    if graded.scores[name] is None:
        return True
    if name not in graded.manual:
        return False
    is_asked = row is not None and same and before is not None and name in before.manual
    return row.needs_manual if is_asked and row is not None else True


def penalty(
    late: LatePenalties, student: str, due: datetime | None, row: SubmittedRow, moment: datetime | None
) -> float | None:
    """What lateness costs a submission."""
    score = sum(grade.counted or 0.0 for grade in row.grades.values())
    if due is None or moment is None:
        return late.penalty(student, score, 0.0)
    return late.penalty(student, score, (moment - due - (row.extension or timedelta())).total_seconds())


def write_time(
    connection: Connection,
    late: LatePenalties,
    student: str,
    due: datetime | None,
    row: SubmittedRow,
    moment: datetime | None,
) -> None:
    """Write when a submission was handed in, and what its lateness costs."""
    if row.timestamp != moment:
        chosen = SubmittedAssignment.id == row.submission
        connection.execute(update(SubmittedAssignment).where(chosen).values(timestamp=moment))
    points = penalty(late, student, due, row, moment)
    if row.penalty != points:
        chosen = SubmittedNotebook.id == row.notebook
        connection.execute(update(SubmittedNotebook).where(chosen).values(late_submission_penalty=points))


def _row(
    connection: Connection, ids: Ids, student: str, entry: Entry | None, extension: timedelta | None
) -> SubmittedRow:
    """The submission's rows, made where they are missing: those that were there once get their old ids."""
    found = rows.submissions(connection, ids, student).get(student)
    if found is not None and found.notebook is not None:
        return found
    if found is None:
        if connection.execute(select(Student.id).where(Student.id == student)).first() is None:
            connection.execute(insert(table(Student)), {"id": student})
        handed = _old(connection, SubmittedAssignment, entry.submission if entry else None) or new_uuid()
        columns = {"id": handed, "assignment_id": ids.assignment, "student_id": student, "extension": extension}
        connection.execute(insert(table(SubmittedAssignment)), columns)
    else:
        handed = found.submission
    made = _make_notebook(connection, ids, handed, entry)
    if found is None and entry is None:
        return SubmittedRow(handed, made, None, extension, None)
    return rows.submissions(connection, ids, student)[student]


def _make_notebook(connection: Connection, ids: Ids, handed: str, entry: Entry | None) -> str:
    """Make the row of a submitted notebook; its id. One that lost its submission is used again, for its scores."""
    notebooks = table(SubmittedNotebook)
    columns = {"assignment_id": handed, "notebook_id": ids.notebook}
    if entry is not None:
        owner = connection.execute(
            select(notebooks.c.assignment_id, SubmittedAssignment.id)
            .outerjoin(SubmittedAssignment, SubmittedAssignment.id == notebooks.c.assignment_id)
            .where(notebooks.c.id == entry.notebook)
        ).first()
        if owner is not None and (owner[1] is None or owner[1] == handed):
            connection.execute(update(notebooks).where(notebooks.c.id == entry.notebook).values(**columns))
            return entry.notebook
    made = _old(connection, SubmittedNotebook, entry.notebook if entry else None) or new_uuid()
    connection.execute(insert(notebooks), {"id": made, **columns})
    return made


def _old(connection: Connection, model: Any, wanted: str | None) -> str | None:
    """The id that a row had, if no other row has taken it."""
    if wanted is None or connection.execute(select(model.id).where(model.id == wanted)).first() is not None:
        return None
    return wanted


def _unknown(row: SubmittedRow, ids: Ids, answers: Callable[[], Mapping[str, str]]) -> Graded | None:
    """What was recorded before, where the ledger has nothing of it: by the rows, and the graded notebook on disk."""
    if not any(grade.manual is not None for grade in row.grades.values()):
        return None
    scores = {name: row.grades[cell].auto for name, cell in ids.graded.items() if cell in row.grades}
    return Graded("", scores, {}, answers())


def _write_scores(
    connection: Connection, ids: Ids, row: SubmittedRow, graded: Graded, before: Graded | None
) -> dict[str, GradeRow]:
    """Write the score of each cell; the grades as they are then, by the cell's id."""
    written: dict[str, GradeRow] = {}
    for name, score in graded.scores.items():
        cell = ids.graded[name]
        old = row.grades.get(cell)
        flag = needs_manual(name, graded, before, old)
        written[cell] = GradeRow(score, old.manual if old else None, old.extra if old else None, flag)
    changed = {
        cell: {"auto_score": grade.auto, "needs_manual_grade": grade.needs_manual}
        for cell, grade in written.items()
        if grade != row.grades.get(cell)
    }
    _upsert(connection, table(Grade), str(row.notebook), row.grades.keys(), changed)
    return {**row.grades, **written}


def _write_comments(connection: Connection, ids: Ids, row: SubmittedRow, comments: Mapping[str, str | None]) -> None:
    changed = {
        ids.answered[name]: {"auto_comment": comment}
        for name, comment in comments.items()
        if ids.answered[name] not in row.comments or row.comments[ids.answered[name]] != comment
    }
    _upsert(connection, table(Comment), str(row.notebook), row.comments.keys(), changed)


def _upsert(
    connection: Connection,
    target: Table,
    notebook: str,
    found: Iterable[str],
    changed: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write the rows of one submitted notebook, by cell: those in `found` are there already."""
    known = set(found)
    new = [
        {"id": new_uuid(), "notebook_id": notebook, "cell_id": cell, **row}
        for cell, row in changed.items()
        if cell not in known
    ]
    old = [{"cell": cell, **row} for cell, row in changed.items() if cell in known]
    if new:
        connection.execute(insert(target), new)
    if old:
        of_cell = (target.c.notebook_id == notebook) & (target.c.cell_id == bindparam("cell"))
        connection.execute(update(target).where(of_cell), old)
