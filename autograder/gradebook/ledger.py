"""The ledger: which attempt nbgrader's tables hold of each submission, in a table of our own beside them.

It lies in the same database and is written in the same transaction as the scores, so that it agrees with them
in a backup, a copy and a replaced gradebook too. It also knows the ids of nbgrader's rows: a row that was lost
alone is made again under its old id, and what refers to it (a person's score, for one) belongs to it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sqlalchemy import Column, Connection, MetaData, String, Table, Text, insert, select, update

from autograder.gradebook.answers import Graded

metadata: Final = MetaData()
_ledger: Final = Table(
    "autograder_ledger",
    metadata,
    Column("assignment", String(128), primary_key=True),
    Column("student", String(128), primary_key=True),
    Column("entry", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of nbgrader's rows that a submission belongs to: by name, those of graded and of answered cells."""

    assignment: str
    notebook: str
    graded: Mapping[str, str]
    answered: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """What was recorded last of one submission.

    Attributes:
        ids: of the assignment.
        submission: the id of nbgrader's row of the submitted assignment.
        notebook: the id of nbgrader's row of the submitted notebook.
        graded: what was written.
        extension: seconds that its due date was extended by, as far as the grader knew.
        files: the SHA-256 of the graded notebook, by file name.
    """

    ids: Ids
    submission: str
    notebook: str
    graded: Graded
    extension: float | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), default=sorted)

    @classmethod
    def of(cls, text: str) -> Entry | None:
        """The entry that `text` wrote; None for what another version of this module wrote."""
        try:
            data = json.loads(text)
            told = data["graded"]
            known = Graded(**{**told, "manual": frozenset(told["manual"])})
            return cls(**{**data, "ids": Ids(**data["ids"]), "graded": known})
        except (ValueError, KeyError, TypeError):
            return None


def entries(connection: Connection, assignment: str) -> dict[str, Entry]:
    """All entries of an assignment, by student."""
    rows = connection.execute(
        select(_ledger.c.student, _ledger.c.entry).where(_ledger.c.assignment == assignment)
    ).all()
    read = {student: Entry.of(text) for student, text in rows}
    return {student: entry for student, entry in read.items() if entry is not None}


def entry(connection: Connection, assignment: str, student: str) -> Entry | None:
    """The entry of one submission."""
    text = connection.scalar(select(_ledger.c.entry).where(*_one(assignment, student)))
    return None if text is None else Entry.of(text)


def ids(connection: Connection, assignment: str) -> Ids | None:
    """The ids that the rows of an assignment had when a submission was recorded last."""
    for text in connection.scalars(select(_ledger.c.entry).where(_ledger.c.assignment == assignment)):
        if (found := Entry.of(text)) is not None:
            return found.ids
    return None


def write(connection: Connection, assignment: str, student: str, made: Entry) -> None:
    """Write an entry in place of an earlier one."""
    done = connection.execute(update(_ledger).where(*_one(assignment, student)).values(entry=made.text()))
    if done.rowcount == 0:
        connection.execute(insert(_ledger), {"assignment": assignment, "student": student, "entry": made.text()})


def _one(assignment: str, student: str) -> tuple[Any, Any]:
    return _ledger.c.assignment == assignment, _ledger.c.student == student
