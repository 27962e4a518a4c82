"""Bring the gradebook up to what the store of attempts says, without running anything again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import nbformat

from autograder.gradebook.nbgrader import CourseGradebook
from autograder.jobs.store import AttemptStore, Extension, Kept
from autograder.model.submission import Submission


@dataclass(slots=True)
class Restored:
    """What was written into the gradebook of attempts that were graded before, by student."""

    submissions: list[str] = field(default_factory=list)
    """Their scores, comments or files were missing or changed."""
    times: list[str] = field(default_factory=list)
    """Their time of handing in or their late penalty was not up to date."""
    lost: list[str] = field(default_factory=list)
    """They cannot be restored: the store has no attempt of theirs."""

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

    Raises:
        UsageError: the gradebook or the store cannot be used.
        CheckerError: nbgrader would read another score from a notebook than its report gives.
    """
    done = Restored()
    different = book.differences(assignment, ((submission, kept.report) for submission, kept in graded))
    for submission, kept in graded:
        difference = different.get(submission.student)
        if difference == "time" and kept.recorded:
            book.record_time(submission)
            done.times.append(submission.student)
        elif difference is not None or not kept.recorded:
            attempt = store.find(kept.key)
            if attempt is None:
                done.lost.append(submission.student)
                continue
            if kept.recorded:
                done.submissions.append(submission.student)
            book.record(submission, attempt.report, nbformat.from_dict(json.loads(attempt.notebook)))
            store.mark_recorded(kept.key)
    return done


def restore_recorded(
    store: AttemptStore, book: CourseGradebook, assignment: str, submissions: Iterable[Submission]
) -> Restored:
    """`restore` for those who make pages of what is recorded, and grade nothing."""
    recorded = store.recorded(assignment)
    return restore(
        store, book, assignment, [(each, recorded[each.student]) for each in submissions if each.student in recorded]
    )


def _count(students: Sequence[str]) -> str:
    return f"{len(students)} submission{'' if len(students) == 1 else 's'}"
