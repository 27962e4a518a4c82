"""Bring the gradebook up to what the store of attempts says, without running anything again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import nbformat

from autograder.errors import UsageError
from autograder.gradebook.nbgrader import CourseGradebook
from autograder.gradebook.timestamps import timestamp
from autograder.jobs.store import AttemptStore, Extension, Kept
from autograder.model.assignment import Assignment
from autograder.model.submission import Submission
from autograder.settings import Settings


@dataclass(slots=True)
class Restored:
    """What was written into the gradebook of attempts that were graded before, by student."""

    submissions: list[str] = field(default_factory=list)
    """Their scores, comments or files were missing or changed."""
    times: list[str] = field(default_factory=list)
    """Their time of handing in or their late penalty was not up to date."""
    lost: list[str] = field(default_factory=list)
    """They cannot be restored: the store has no attempt of theirs."""
    failed: dict[str, str] = field(default_factory=dict)
    """They could not be written, and why."""

    def lines(self) -> list[str]:
        """A line for each kind; none where the gradebook held everything."""
        told = (
            ("restored in the gradebook", self.submissions),
            ("times and late penalties updated in the gradebook", self.times),
        )
        return [f"{label}: {_count(students)}" for label, students in told if students]


def share_extensions(store: AttemptStore, book: CourseGradebook, assignment: str, due: datetime | None) -> None:
    """Let store and gradebook have the same extensions of one assignment.

    The store's count, since they outlive a lost or replaced gradebook; except where somebody changed one in the
    gradebook, by nbgrader's means, after it was written there, and where the store knows of none.

    Args:
        store: of attempts and extensions.
        book: in which the assignment is registered.
        assignment: its name.
        due: its due date, with its zone. Without one there is nothing to extend.
    """
    if due is None:
        return
    wanted = {student: kept.after(due) for (student, name), kept in store.extensions().items() if name == assignment}
    held = book.extensions(assignment)
    for student, row in held.items():
        if row.extension == wanted.get(student):
            continue
        if student not in wanted or row.is_changed:
            store.extend(student, assignment, Extension((row.extension or timedelta()).total_seconds()))
            wanted[student] = row.extension
    stale = {
        student: extension
        for student, extension in wanted.items()
        if student not in held or held[student].extension != extension
    }
    if stale:
        book.extend(assignment, due, stale)


def restore(
    store: AttemptStore, book: CourseGradebook, assignment: str, graded: Sequence[tuple[Submission, Kept]]
) -> Restored:
    """Write what the gradebook lacks of attempts that were graded before.

    What is wrong with one attempt is noted in the result, and stops no other.

    Raises:
        UsageError: the gradebook or the store cannot be used.
    """
    done = Restored()
    different = book.differences(assignment, ((submission, kept.report) for submission, kept in graded))
    for submission, kept in graded:
        difference = different.get(submission.student)
        if difference is None and kept.recorded:
            continue
        try:
            if difference == "time" and kept.recorded:
                book.record_time(submission)
                done.times.append(submission.student)
            elif (attempt := store.find(kept.key)) is None:
                done.lost.append(submission.student)
            else:
                book.record(submission, attempt.report, nbformat.from_dict(json.loads(attempt.notebook)))
                store.mark_recorded(kept.key)
                if kept.recorded:
                    done.submissions.append(submission.student)
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - what is wrong with one attempt stops no other
            done.failed[submission.student] = f"{type(error).__name__}: {error}"
    return done


def restore_recorded(settings: Settings, assignment: Assignment) -> Restored:
    """Write what the gradebook lacks of what was recorded last, for commands that grade nothing.

    Raises:
        UsageError: as `restore`.
    """
    released = settings.root / "assignments" / assignment.name / f"{assignment.name}.ipynb"
    kept = settings.course_folder / "attempts.db"
    if not (released.is_file() and kept.is_file()):
        return Restored()
    store = AttemptStore(f"sqlite:///{kept}")
    try:
        recorded = store.recorded(assignment.name)
        if not recorded:
            return Restored()
        with gradebook(settings) as book:
            book.register(assignment.name, nbformat.read(released, as_version=4), assignment.due)
            share_extensions(store, book, assignment.name, assignment.due)
            graded = []
            for student, attempt in sorted(recorded.items()):
                folder = settings.course_folder / "submitted" / student
                if folder.is_dir():
                    inner = folder / assignment.name
                    moment, _ = timestamp(inner if inner.is_dir() else folder)
                    graded.append((Submission(student, assignment.name, b"", moment), attempt))
            return restore(store, book, assignment.name, graded)
    finally:
        store.close()


def gradebook(settings: Settings) -> CourseGradebook:
    """The course's gradebook.

    Raises:
        UsageError: it cannot be used.
    """
    return CourseGradebook(
        settings.course_folder,
        settings.db_url,
        course_id=settings.course_id,
        late=settings.late.method,
        points_per_day=settings.late.points_per_day,
        wait_seconds=settings.gradebook.wait_seconds,
    )


def _count(students: Sequence[str]) -> str:
    return f"{len(students)} submission{'' if len(students) == 1 else 's'}"
