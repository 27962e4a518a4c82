"""The course's gradebook: register assignments and students, find submissions, record reports.

nbgrader's own way opens the database for every cell and commits for every score. Here one submission is one
short transaction, and nbgrader's pages, feedback and export read what it leaves as if nbgrader had graded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Assignment, Student
from nbgrader.utils import parse_utc
from sqlalchemy import insert, select

from autograder.gradebook import answers, companions, comparison, extensions, folders, recording, registration, rows
from autograder.gradebook import scores as held
from autograder.gradebook.comparison import Difference, Expected
from autograder.gradebook.database import Database
from autograder.gradebook.late import LatePenalties
from autograder.model.report import Report
from autograder.model.submission import Submission


class CourseGradebook:
    """The gradebook of one course, open for as long as the `with` block runs. Use it from one thread.

    Args:
        course_root: nbgrader's course root, which holds `submitted/` and `autograded/`.
        db_url: any SQLAlchemy URL; by default nbgrader's own, `gradebook.db` in the course root.
        course_id: nbgrader's name of the course.
        late: the late policy, see `LatePenalties`; `points_per_day` belongs to `per_day`.
        wait_seconds: how long to wait for a database that somebody else writes.

    Raises:
        UsageError: the database can't be used, or there is no such late policy.
    """

    def __init__(
        self,
        course_root: Path,
        db_url: str | None = None,
        *,
        course_id: str = "default_course",
        late: str = "none",
        points_per_day: float = 0.0,
        wait_seconds: float = 30.0,
    ) -> None:
        self._root = course_root.resolve()
        self._course_id = course_id
        self._late = LatePenalties(late, points_per_day)
        self._extensions: dict[tuple[str, str], timedelta] = {}
        self._database = Database(db_url or f"sqlite:///{self._root / 'gradebook.db'}", course_id, wait_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def register(self, assignment: str, released: NotebookNode, due: datetime | None = None) -> None:
        """Make or renew an assignment's rows from its released notebook, as nbgrader's generator does.

        Raises:
            UsageError: the release lost cells, and there are submissions already; or the database can't be used.
        """
        with self._database.transaction() as connection:
            registration.register(connection, self._course_id, assignment, released, due)

    def add_students(self, students: Iterable[str]) -> None:
        """Add students that the gradebook does not know yet.

        Raises:
            UsageError: the database can't be used.
        """
        with self._database.transaction() as connection:
            known = set(connection.scalars(select(Student.id)))
            missing = sorted(set(students) - known)
            if missing:
                connection.execute(insert(Student.__table__), [{"id": student} for student in missing])

    def record(self, submission: Submission, report: Report, notebook: NotebookNode) -> bool:
        """Put a report's scores into the database, then its notebook in place in `autograded/`.

        A human's score or comment is kept; its cell is marked for another look where the answer or its automatic
        score changed. A report of status `failed` costs nothing: nothing is touched, and False is returned.

        Args:
            submission: who handed in what, and when.
            report: of this submission.
            notebook: what `feedback.annotate` returned: nbgrader reads the scores of the report from it.

        Raises:
            UsageError: the assignment is not registered, or with other cells; a locked database; a full disk.
            CheckerError: nbgrader would read another score from the notebook than the report gives.
        """
        if report.status == "failed":
            return False
        graded = answers.graded(report, notebook)
        moment = parse_utc(submission.timestamp)
        folder = folders.autograded(self._root, submission.student, submission.assignment)
        name, text = f"{submission.assignment}.ipynb", json.dumps(notebook)
        submitted = self._submitted(submission.student, submission.assignment)
        files = {
            folder / name: text,
            folder / companions.TIMESTAMP: companions.timestamp(moment),
            folder / companions.SECRET: companions.secret(submitted, folder),
        }
        with folders.prepared(files) as publish:
            with self._database.transaction() as connection:
                recording.record(
                    connection,
                    self._late,
                    submission,
                    graded,
                    moment=moment,
                    extension=self._extensions.get((submission.assignment, submission.student)),
                    files={name: _digest(text.encode())},
                    answers=lambda: _answers(folder / name),
                )
            publish()
        return True

    def record_time(self, submission: Submission) -> None:
        """Bring a graded submission's time of handing in and its penalty up to date: a rule or a date may have changed.

        Raises:
            UsageError: the assignment is not registered; a locked database; a full disk.
        """
        moment = parse_utc(submission.timestamp)
        with self._database.transaction() as connection:
            recording.record_time(connection, self._late, submission, moment)
        folder = folders.autograded(self._root, submission.student, submission.assignment)
        if folder.is_dir():
            with folders.prepared({folder / companions.TIMESTAMP: companions.timestamp(moment)}) as publish:
                publish()

    def differences(self, assignment: str, graded: Iterable[tuple[Submission, Report]]) -> dict[str, Difference]:
        """What the gradebook and `autograded/` lack of graded submissions of one assignment, by student.

        Raises:
            UsageError: the assignment is not registered, or the database can't be used.
        """
        expected = {
            submission.student: Expected(answers.fingerprint(report), parse_utc(submission.timestamp))
            for submission, report in graded
        }
        if not expected:
            return {}
        with self._database.transaction() as connection:
            different, entries = comparison.compare(connection, self._late, assignment, expected)
        for student, wanted in expected.items():
            if different.get(student) == "missing":
                continue
            folder = folders.autograded(self._root, student, assignment)
            held = {name: _digest_of(folder / name) for name in entries[student].files}
            current = companions.is_current(self._submitted(student, assignment), folder, wanted.moment)
            if held != entries[student].files or (not current and student not in different):
                different[student] = "missing"
        return different

    def extensions(self, assignment: str) -> dict[str, extensions.Held]:
        """The extensions of an assignment's submissions, by student.

        Raises:
            UsageError: the assignment is not registered, or the database can't be used.
        """
        with self._database.transaction() as connection:
            return extensions.held(connection, assignment)

    def extend(self, assignment: str, due: datetime | None, students: Mapping[str, timedelta | None]) -> set[str]:
        """Write extensions (None removes one) and the penalties that follow; the students who have a submission.

        Those of the others are kept in mind until this gradebook is closed: a submission that is recorded gets its own.

        Raises:
            UsageError: the database can't be used.
        """
        for student, extension in students.items():
            self._extensions.pop((assignment, student), None)
            if extension is not None:
                self._extensions[assignment, student] = extension
        with self._database.transaction() as connection:
            return extensions.write(connection, self._late, assignment, parse_utc(due), students)

    def is_registered(self, assignment: str) -> bool:
        """Whether the gradebook has the assignment.

        Raises:
            UsageError: the database can't be used.
        """
        with self._database.transaction() as connection:
            return connection.scalar(select(Assignment.id).where(Assignment.name == assignment)) is not None

    def students(self) -> list[str]:
        """All students that the gradebook knows.

        Raises:
            UsageError: the database can't be used.
        """
        with self._database.transaction() as connection:
            return list(connection.scalars(select(Student.id).order_by(Student.id)))

    def standing(self, assignment: str) -> rows.Standing:
        """What lateness costs, and how many answers wait to be read.

        Raises:
            UsageError: the database can't be used.
        """
        with self._database.transaction() as connection:
            return rows.standing(connection, assignment)

    def scores(self, assignment: str) -> dict[str, held.StudentScores]:
        """What the gradebook holds of an assignment, by student.

        Raises:
            UsageError: the database can't be used.
        """
        with self._database.transaction() as connection:
            return held.of_assignment(connection, assignment)

    def _submitted(self, student: str, assignment: str) -> Path:
        """The folder that nbgrader collects a submission into."""
        return self._root / "submitted" / student / assignment


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_of(path: Path) -> str:
    try:
        return _digest(path.read_bytes())
    except OSError:
        return ""


def _answers(path: Path) -> dict[str, str]:
    """The digests of the answers in a graded notebook; none where it cannot be read."""
    try:
        return answers.answers(nbformat.from_dict(json.loads(path.read_bytes())))
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return {}
