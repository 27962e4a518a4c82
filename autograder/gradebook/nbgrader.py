"""The course's gradebook: register assignments and students, find submissions, record reports.

nbgrader's own way opens the database for every cell and commits for every score. Here one submission is one
short transaction, and nbgrader's pages, feedback and export read what it leaves as if nbgrader had graded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from nbformat import NotebookNode
from nbgrader.api import Student
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, parse_utc
from sqlalchemy import insert, select

from autograder.errors import CheckerError
from autograder.gradebook import folders, recording, registration
from autograder.gradebook.database import Database
from autograder.gradebook.late import LatePenalties
from autograder.model.report import Report
from autograder.model.submission import Submission

NO_RESPONSE: Final = "No response."
"""nbgrader's comment on an answer that nobody touched."""


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
        self._database = Database(db_url or f"sqlite:///{self._root / 'gradebook.db'}", course_id, wait_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def register(self, assignment: str, released: NotebookNode, due: datetime | None = None) -> None:
        """Make or renew an assignment's rows from its released notebook, as nbgrader's generator does.

        Raises:
            UsageError: cells came or went, and there are submissions already; or the database can't be used.
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

        A human's score or comment is kept, and its cell marked for another look, as nbgrader does. A report
        of status `failed` costs nothing: nothing is touched, and False is returned.

        Args:
            notebook: what `feedback.annotate` returned: nbgrader reads the scores of the report from it.

        Raises:
            UsageError: the assignment is not registered, or with other cells; a locked database; a full disk.
            CheckerError: nbgrader would read another score from the notebook than the report gives.
        """
        if report.status == "failed":
            return False
        scores = _scores(report, notebook)
        comments = _comments(notebook)
        moment = parse_utc(submission.timestamp)
        folder = folders.autograded(self._root, submission.student, submission.assignment)
        files = {folder / f"{submission.assignment}.ipynb": json.dumps(notebook)}
        if moment is not None:
            files[folder / "timestamp.txt"] = f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC"
        with folders.prepared(files) as publish:
            with self._database.transaction() as connection:
                recording.record(connection, self._late, submission, moment=moment, scores=scores, comments=comments)
            publish()
        return True

    def record_time(self, submission: Submission) -> None:
        """Bring a graded submission's time of handing in and its penalty up to date: a rule or a date may have changed.

        Raises:
            UsageError: the assignment is not registered; a locked database; a full disk.
        """
        with self._database.transaction() as connection:
            recording.record_time(connection, self._late, submission, parse_utc(submission.timestamp))

    def standing(self, assignment: str) -> recording.Standing:
        """What lateness costs, and how many answers wait to be read.

        Raises:
            UsageError: the database can't be used.
        """
        with self._database.transaction() as connection:
            return recording.standing(connection, assignment)


def _scores(report: Report, notebook: NotebookNode) -> dict[str, float | None]:
    """What nbgrader's own rule reads from each graded cell: a number, or None where a human must look."""
    scores: dict[str, float | None] = {}
    for cell in notebook.cells:
        if not is_grade(cell):
            continue
        name = cell.metadata.nbgrader["grade_id"]
        scores[name], _ = determine_grade(cell)
        given = sum(check.points for check in report.cell(name))
        if not is_solution(cell) and abs((scores[name] or 0.0) - given) > 1e-9:
            raise CheckerError(f"cell {name}: nbgrader reads {scores[name]} points, the report gives {given}")
    return scores


def _comments(notebook: NotebookNode) -> dict[str, str | None]:
    """By answer, what nbgrader says of it: that there is none, or nothing."""
    return {
        cell.metadata.nbgrader["grade_id"]: (
            NO_RESPONSE if cell.metadata.nbgrader.get("checksum") == compute_checksum(cell) else None
        )
        for cell in notebook.cells
        if is_solution(cell)
    }
