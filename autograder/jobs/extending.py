"""Extensions of due dates: granted, removed and listed, in the store and in the gradebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from autograder.errors import UsageError
from autograder.gradebook import names
from autograder.gradebook.nbgrader import CourseGradebook
from autograder.jobs import roll
from autograder.jobs.restoring import gradebook, share_extensions
from autograder.jobs.store import AttemptStore, Extension
from autograder.model import deadline
from autograder.model.assignment import Assignment
from autograder.settings import Settings


@dataclass(frozen=True, slots=True)
class Extended:
    """One student's due date for one assignment; `until` is the extended one, both with their zone.

    `is_graded`: the gradebook has a submission, whose late `penalty` is that of the new due date.
    """

    student: str
    assignment: str
    due: datetime
    until: datetime
    is_graded: bool = False
    penalty: float = 0.0


def grant(settings: Settings, student: str, name: str, *, until: str | None, by: str | None) -> Extended:
    """Extend the due date of one student, in place of an earlier extension: to a time, or by a duration.

    Raises:
        UsageError: no such student, assignment, time or duration; the assignment is never due, or due later.
    """
    assignment, due = _due(settings, name)
    try:
        if until is not None:
            moment = deadline.moment(deadline.read(until), settings.zone)
        else:
            moment = deadline.later(due, by or "", settings.zone)
    except ValueError as error:
        raise UsageError(f"--until: {error}" if until is not None else f"--by: {error}") from None
    if moment <= due:
        shown = deadline.shown(due, settings.zone)
        raise UsageError(f"{name} is due {shown}: an extension has to end after that; --remove removes one")
    extension = Extension(until=moment) if until is not None else Extension((moment - due).total_seconds())
    with _open(settings) as (store, book):
        student = _known(settings, store, student)
        return _write(store, book, student, assignment, extension)


def remove(settings: Settings, student: str, name: str) -> Extended:
    """Remove the extension of one student.

    Raises:
        UsageError: no such student or assignment, or no extension.
    """
    assignment, due = _due(settings, name)
    with _open(settings) as (store, book):
        student = _known(settings, store, student)
        _share(store, book, assignment)
        kept = store.extensions().get((student, name))
        if kept is None or kept.after(due) is None:
            raise UsageError(f"{student} has no extension for {name}; --list lists all")
        return _write(store, book, student, assignment, Extension(0.0))


def extensions(settings: Settings, student: str | None = None, name: str | None = None) -> list[Extended]:
    """All extensions, of one student or assignment where one is named, in the course's order.

    Raises:
        UsageError: no such student or assignment.
    """
    chosen = [settings.assignment(name)] if name is not None else list(settings.assignments)
    found = []
    with _open(settings) as (store, book):
        for assignment in chosen:
            _share(store, book, assignment)
        student = student if student is None else _known(settings, store, student)
        kept = store.extensions()
        for assignment in chosen:
            for (who, which), extension in kept.items():
                if which != assignment.name or student not in {None, who} or assignment.due is None:
                    continue
                added = extension.after(assignment.due)
                if added is not None:
                    found.append(Extended(who, which, assignment.due, assignment.due + added))
    return found


def _write(
    store: AttemptStore, book: CourseGradebook, student: str, assignment: Assignment, extension: Extension
) -> Extended:
    due = assignment.due
    assert due is not None
    added = extension.after(due)
    store.extend(student, assignment.name, extension)
    graded = book.extend(assignment.name, due, {student: added})
    penalty = book.standing(assignment.name).penalties.get(student, 0.0) if graded else 0.0
    until = due if added is None else due + added
    return Extended(student, assignment.name, due, until, bool(graded), penalty)


def _due(settings: Settings, name: str) -> tuple[Assignment, datetime]:
    assignment = settings.assignment(name)
    if assignment.due is None:
        raise UsageError(f"{name} has no due date in course.toml: nothing is late, and nothing can be extended")
    return assignment, assignment.due


def _share(store: AttemptStore, book: CourseGradebook, assignment: Assignment) -> None:
    """Let the store know the extensions that were given by nbgrader's own means."""
    if book.is_registered(assignment.name):
        share_extensions(store, book, assignment.name, assignment.due)


def _known(settings: Settings, store: AttemptStore, student: str) -> str:
    """The student of this name, however its accents are composed.

    Raises:
        UsageError: neither the gradebook nor `submitted/` has one, and there is no extension of theirs.
    """
    there = roll.known(settings) | {who for who, _ in store.extensions()}
    meant = names.meant(student, there)
    if meant in there:
        return meant
    told = roll.no_student(settings, student, there)
    advice = "`nbgrader db student add`, run in course/, adds a student who has not handed in anything"
    raise UsageError(f"{told}{' ' if told.endswith('?') else ': '}{advice}")


@contextmanager
def _open(settings: Settings) -> Iterator[tuple[AttemptStore, CourseGradebook]]:
    store = AttemptStore(f"sqlite:///{settings.course_folder / 'attempts.db'}")
    try:
        with gradebook(settings) as book:
            yield store, book
    finally:
        store.close()
