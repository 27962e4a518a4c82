"""The store of attempts, which is the truth: an attempt is graded once, whatever is lost afterwards."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    select,
)
from sqlalchemy.exc import DatabaseError, OperationalError

from autograder.errors import UsageError
from autograder.model.report import Provenance, Report

_metadata = MetaData()
_attempts = Table(
    "attempts",
    _metadata,
    Column("key", String(64), primary_key=True),
    Column("student", String(255), nullable=False, index=True),
    Column("assignment", String(255), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("graded_at", DateTime(timezone=True), nullable=False),
    Column("report", LargeBinary, nullable=False),
    Column("notebook", LargeBinary, nullable=False),
    Column("recorded", Boolean, nullable=False, default=False),
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A graded submission: its report and the notebook for the gradebook (JSON text)."""

    report: Report
    notebook: str
    recorded: bool = False


def key_of(student: str, assignment: str, provenance: Provenance) -> str:
    """What makes an attempt the same: who, what, and everything that the verdict rests on."""
    text = json.dumps([student, assignment, asdict(provenance)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class AttemptStore:
    """Attempts in a database of their own (any SQLAlchemy URL). Use it from one thread."""

    def __init__(self, url: str) -> None:
        """Open or make it.

        Raises:
            UsageError: it cannot be opened.
        """
        arguments = {"timeout": 30} if url.startswith("sqlite") else {}
        self._engine = create_engine(url, connect_args=arguments)
        with self._transaction() as connection:
            _metadata.create_all(connection)

    def find(self, key: str) -> Attempt | None:
        """The attempt of this key, if it was graded. One whose sandbox or checker failed was not."""
        query = select(_attempts).where(_attempts.c.key == key, _attempts.c.status == "graded")
        with self._transaction() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        report = Report.from_stored(json.loads(zlib.decompress(row["report"])))
        return Attempt(report, zlib.decompress(row["notebook"]).decode(), row["recorded"])

    def put(self, attempt: Attempt) -> str:
        """Keep an attempt, in place of an earlier one of the same key; its key."""
        report = attempt.report
        key = key_of(report.student, report.assignment, report.provenance)
        row = {
            "key": key,
            "student": report.student,
            "assignment": report.assignment,
            "status": report.status,
            "graded_at": datetime.now(UTC),
            "report": zlib.compress(json.dumps(report.stored()).encode(), 1),
            "notebook": zlib.compress(attempt.notebook.encode(), 1),
            "recorded": attempt.recorded,
        }
        with self._transaction() as connection:
            connection.execute(_attempts.delete().where(_attempts.c.key == key))
            connection.execute(_attempts.insert(), row)
        return key

    def mark_recorded(self, key: str) -> None:
        """Note that the gradebook has this attempt's scores, and no other of its student for this assignment."""
        chosen = select(_attempts.c.student, _attempts.c.assignment).where(_attempts.c.key == key)
        with self._transaction() as connection:
            student, assignment = connection.execute(chosen).one()
            mine = (_attempts.c.student == student) & (_attempts.c.assignment == assignment)
            connection.execute(_attempts.update().where(mine).values(recorded=_attempts.c.key == key))

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            if type(error) not in {OperationalError, DatabaseError}:
                raise  # a mistake in this module, not a file that cannot be used
            reason = str(error.orig)
            advice = (
                "end the other program that uses it"
                if "locked" in reason
                else "free some space"
                if "full" in reason
                else "check its folder"
            )
            raise UsageError(
                f"the store of attempts ({self._engine.url.render_as_string()}) cannot be used: {reason}: "
                f"{advice}; what is graded already is kept, and the next run goes on from there"
            ) from error
