"""nbgrader's database as short write transactions, and its failures as one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import nbgrader
from nbgrader.api import Base, Course
from sqlalchemy import Connection, create_engine, event, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from autograder.errors import StorageError, UsageError
from autograder.gradebook import ledger

MIGRATIONS: Final = Path(nbgrader.__file__).parent / "alembic"


class Database:
    """One engine for the life of a command, at any SQLAlchemy URL.

    Every transaction takes the write lock first. In SQLite that is the whole database's, and it waits at most
    `wait_seconds` for it (one that reads first and writes later fails at once when somebody else writes);
    elsewhere it is that of the course's row.

    Raises:
        UsageError: the URL is wrong, or the database is locked, full, unreachable or of another schema.
    """

    def __init__(self, url: str, course_id: str, wait_seconds: float) -> None:
        try:
            parsed = make_url(url)
            options = {"connect_args": {"timeout": wait_seconds}} if _is_sqlite(parsed) else {}
            self._engine = create_engine(parsed, **options)
        except (ArgumentError, ModuleNotFoundError) as error:
            raise UsageError(f"gradebook URL {_shown(url)}: {error}; expected e.g. sqlite:///gradebook.db") from None
        self._url, self._course_id, self._wait_seconds = url, course_id, wait_seconds
        if _is_sqlite(parsed):
            event.listen(self._engine, "connect", _leave_transactions_to_us)
            event.listen(self._engine, "begin", _take_the_lock)
        self._prepare()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose writes are kept when the block ends, and dropped when it raises: all or none."""
        with self._failures_in_plain_words(), self._engine.begin() as connection:
            connection.execute(select(Course.id).where(Course.id == self._course_id).with_for_update())
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def _prepare(self) -> None:
        """Make nbgrader's tables and the course's row if they are missing; compare the schema's version."""
        head = _current_schema()
        with self._failures_in_plain_words(), self._engine.begin() as connection:
            is_versioned = "alembic_version" in inspect(connection).get_table_names()
            Base.metadata.create_all(connection)
            ledger.metadata.create_all(connection)
            if not is_versioned and _is_empty(connection):
                connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if found is None and _is_empty(connection):
                connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
                found = head
            if found != head:
                raise StorageError(
                    f"gradebook {_shown(self._url)} has schema {found}, this nbgrader needs {head}: "
                    "back it up, then run `nbgrader db upgrade`"
                )
            if not connection.execute(select(Course.id).where(Course.id == self._course_id)).first():
                connection.execute(Course.__table__.insert(), {"id": self._course_id})

    @contextmanager
    def _failures_in_plain_words(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            # its other subclasses (a broken constraint, wrong SQL) are this program's mistakes and stay so
            if not isinstance(error, OperationalError) and type(error) is not DatabaseError:
                raise
            raise StorageError(f"gradebook {_shown(self._url)}: {self._advice(str(error.orig))}") from error

    def _advice(self, reason: str) -> str:
        if "database is locked" in reason:
            return (
                f"still locked by another program after {self._wait_seconds:g} s: close formgrader, or end "
                "the other grader, and grade again; scores recorded so far are kept"
            )
        if "is full" in reason or "No space left" in reason:
            return "the disk is full: make room and grade again; scores recorded so far are kept"
        return f"{reason.strip().splitlines()[0]}; check that it is there, is a gradebook, and may be written"


def _is_empty(connection: Connection) -> bool:
    """Whether nbgrader's tables hold nothing of a course: such a database has no older schema to upgrade."""
    tables = [table for table in Base.metadata.sorted_tables if table is not Course.__table__]
    return all(connection.execute(select(table).limit(1)).first() is None for table in tables)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _shown(url: str) -> str:
    """The URL without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return repr(url)


@cache
def _current_schema() -> str:
    """The version of nbgrader's newest migration, which its own `Gradebook` starts a program to learn."""
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


def _leave_transactions_to_us(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # else the driver begins on its own, and only at the first write


def _take_the_lock(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
