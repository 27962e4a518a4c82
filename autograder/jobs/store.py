"""The store of attempts, which is the truth: an attempt is graded once, whatever is lost afterwards."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    select,
)
from sqlalchemy.exc import DatabaseError, OperationalError

from autograder.errors import StorageError
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
_extensions = Table(
    "extensions",
    _metadata,
    Column("student", String(255), primary_key=True),
    Column("assignment", String(255), primary_key=True),
    Column("seconds", Float),
    Column("until", String(32)),
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A graded submission: its report and the notebook for the gradebook (JSON text)."""

    report: Report
    notebook: str
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A graded attempt without its notebook, which may be large; `recorded`: the gradebook held it once."""

    key: str
    report: Report
    recorded: bool


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension of a due date: seconds from it, or the new one in UTC, which stays where the due date moves.

    One of 0 seconds says that there was an extension, and that it was removed.
    """

    seconds: float | None = None
    until: datetime | None = None

    def after(self, due: datetime) -> timedelta | None:
        """The extension relative to a due date (with its zone); None where it adds nothing."""
        added = self.until - due if self.until is not None else timedelta(seconds=self.seconds or 0.0)
        return added if added > timedelta() else None


def key_of(student: str, assignment: str, provenance: Provenance) -> str:
    """What makes an attempt the same: who, what, and everything that the verdict rests on."""
    text = json.dumps([student, assignment, asdict(provenance)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class AttemptStore:
    """Attempts in a database of their own (any SQLAlchemy URL). Use it from one thread."""

    def __init__(self, url: str) -> None:
        """Open or make it.

        Raises:
            StorageError: it cannot be opened.
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

    def kept(self, key: str) -> Kept | None:
        """The attempt of this key as `find` finds it, without its notebook."""
        query = select(_attempts.c.key, _attempts.c.report, _attempts.c.recorded)
        with self._transaction() as connection:
            row = connection.execute(query.where(_attempts.c.key == key, _attempts.c.status == "graded")).first()
        return None if row is None else _kept(*row)

    def recorded(self, assignment: str) -> dict[str, Kept]:
        """By student, the attempt that was recorded last: whose scores the gradebook should hold."""
        query = select(_attempts.c.key, _attempts.c.report, _attempts.c.recorded).where(
            _attempts.c.assignment == assignment, _attempts.c.status == "graded", _attempts.c.recorded
        )
        with self._transaction() as connection:
            found = [_kept(*row) for row in connection.execute(query)]
        return {kept.report.student: kept for kept in found}

    def extensions(self) -> dict[tuple[str, str], Extension]:
        """All extensions, by student and assignment."""
        with self._transaction() as connection:
            rows = connection.execute(select(_extensions).order_by(_extensions.c.student)).all()
        return {
            (row.student, row.assignment): Extension(
                row.seconds, datetime.fromisoformat(row.until) if row.until else None
            )
            for row in rows
        }

    def extend(self, student: str, assignment: str, extension: Extension) -> None:
        """Keep an extension in place of an earlier one."""
        chosen = (_extensions.c.student == student) & (_extensions.c.assignment == assignment)
        until = extension.until.astimezone(UTC).isoformat() if extension.until else None
        row = {"student": student, "assignment": assignment, "seconds": extension.seconds, "until": until}
        with self._transaction() as connection:
            connection.execute(_extensions.delete().where(chosen))
            connection.execute(_extensions.insert(), row)

    def recorded_report(self, student: str, assignment: str) -> Report | None:
        """The report whose scores the gradebook was given last, of one student."""
        query = select(_attempts.c.report).where(
            _attempts.c.student == student, _attempts.c.assignment == assignment, _attempts.c.recorded
        )
        with self._transaction() as connection:
            data = connection.scalars(query).first()
        return None if data is None else Report.from_stored(json.loads(zlib.decompress(data)))

    def put(self, attempt: Attempt) -> str:
        """Keep an attempt, in place of an earlier one of the same key; its key.

        A failed one never replaces a graded one: what was graded stays.
        """
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
            is_graded = (_attempts.c.key == key) & (_attempts.c.status == "graded")
            if report.status != "graded" and connection.execute(select(_attempts.c.key).where(is_graded)).first():
                return key
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
            raise StorageError(
                f"the store of attempts ({self._engine.url.render_as_string()}) cannot be used: {reason}: "
                f"{advice}; what is graded already is kept, and the next run goes on from there"
            ) from error


def _kept(key: str, report: bytes, recorded: bool) -> Kept:
    return Kept(key, Report.from_stored(json.loads(zlib.decompress(report))), recorded)
