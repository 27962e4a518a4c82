"""Extensions of due dates in nbgrader's database, where an extension belongs to a submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nbgrader.api import Assignment, SubmittedAssignment
from sqlalchemy import Connection, select, update

from autograder.errors import UsageError
from autograder.gradebook import ledger, recording, rows
from autograder.gradebook.late import LatePenalties


@dataclass(frozen=True, slots=True)
class Held:
    """The extension of one submission; `is_changed` where another program changed it since the grader wrote it."""

    extension: timedelta | None
    is_changed: bool


def held(connection: Connection, assignment: str) -> dict[str, Held]:
    """The extensions of an assignment's submissions, by student.

    Raises:
        UsageError: the assignment is not registered.
    """
    ids, _ = rows.registered(connection, assignment)
    entries = ledger.entries(connection, assignment)
    found = connection.execute(
        select(SubmittedAssignment.student_id, SubmittedAssignment.extension).where(
            SubmittedAssignment.assignment_id == ids.assignment
        )
    )
    return {
        student: Held(extension, student in entries and entries[student].extension != _seconds(extension))
        for student, extension in found
    }


def write(
    connection: Connection,
    late: LatePenalties,
    assignment: str,
    due: datetime | None,
    extensions: Mapping[str, timedelta | None],
) -> set[str]:
    """Write extensions, and what lateness costs then; the students who have a submission to write it to.

    Args:
        connection: in a transaction.
        late: the late policy.
        assignment: its name. One that is not registered has no submission.
        due: its due date in UTC, without a zone.
        extensions: by student; None removes one.
    """
    try:
        ids, registered_due = rows.registered(connection, assignment)
    except UsageError:
        return set()
    if due != registered_due:
        connection.execute(update(Assignment).where(Assignment.id == ids.assignment).values(duedate=due))
    found = rows.submissions(connection, ids)
    entries = ledger.entries(connection, assignment)
    for student in extensions.keys() & found.keys():
        row = replace(found[student], extension=extensions[student])
        connection.execute(
            update(SubmittedAssignment).where(SubmittedAssignment.id == row.submission).values(extension=row.extension)
        )
        if row.notebook is not None:
            recording.write_time(connection, late, student, due, row, row.timestamp)
        if student in entries:
            entry = replace(entries[student], extension=_seconds(row.extension))
            ledger.write(connection, assignment, student, entry)
    return set(extensions.keys() & found.keys())


def _seconds(extension: timedelta | None) -> float | None:
    return None if extension is None else extension.total_seconds()
