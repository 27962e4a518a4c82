"""Compare the gradebook with what it should hold: which submissions are missing from it, or stale in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from autograder.gradebook import ledger, recording, rows
from autograder.gradebook.late import LatePenalties
from autograder.gradebook.ledger import Entry, Ids
from autograder.gradebook.rows import SubmittedRow

Difference = Literal["missing", "time"]
"""`missing`: scores, comments or rows are missing or changed. `time`: the time of handing in or the penalty is."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the gradebook should hold of one submission: which attempt, and when it was handed in."""

    attempt: str
    moment: datetime | None


def compare(
    connection: Connection, late: LatePenalties, assignment: str, expected: Mapping[str, Expected]
) -> tuple[dict[str, Difference], dict[str, Entry]]:
    """By student, what differs; and the ledger's entries. The number of queries does not grow with the class.

    Raises:
        UsageError: the assignment is not registered.
    """
    ids, due = rows.registered(connection, assignment)
    found = rows.submissions(connection, ids)
    entries = ledger.entries(connection, assignment)
    different: dict[str, Difference] = {}
    for student, wanted in expected.items():
        row, entry = found.get(student), entries.get(student)
        if row is None or entry is None or not _agrees(ids, row, entry, wanted):
            different[student] = "missing"
        elif row.timestamp != wanted.moment or row.penalty != recording.penalty(late, student, due, row, wanted.moment):
            different[student] = "time"
    return different, entries


def _agrees(ids: Ids, row: SubmittedRow, entry: Entry, wanted: Expected) -> bool:
    """Whether the rows hold what the ledger says of the wanted attempt."""
    graded = entry.graded
    return (
        graded.attempt == wanted.attempt
        and entry.ids == ids
        and (entry.submission, entry.notebook) == (row.submission, row.notebook)
        and ids.graded.keys() == graded.scores.keys()
        and ids.answered.keys() == graded.comments.keys()
        and all(_has_grade(name, cell, row, entry) for name, cell in ids.graded.items())
        and all(
            cell in row.comments and row.comments[cell] == graded.comments[name] for name, cell in ids.answered.items()
        )
    )


def _has_grade(name: str, cell: str, row: SubmittedRow, entry: Entry) -> bool:
    grade = row.grades.get(cell)
    return (
        grade is not None
        and grade.auto == entry.graded.scores[name]
        and grade.needs_manual == recording.needs_manual(name, entry.graded, entry.graded, grade)
    )
