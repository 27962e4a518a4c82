"""Students of the course: those with a folder in `submitted/`, and those of the gradebook."""

from __future__ import annotations

from collections.abc import Collection

from autograder.gradebook import names
from autograder.gradebook.scores import GradebookReader
from autograder.notebooks.releases import Releases
from autograder.settings import Settings
from autograder.submissions.collect import students


def known(settings: Settings) -> set[str]:
    """Return all students of the course.

    Raises:
        UsageError: `submitted/` or the gradebook cannot be read.
    """
    releases = Releases(settings.root / "assignments", [each.name for each in settings.assignments])
    with GradebookReader(settings.db_url) as book:
        return {*students(settings.course_folder, releases), *book.students()}


def no_student(settings: Settings, student: str, there: Collection[str]) -> str:
    """Return the message for a name that is not one of the students `there`, with those that may be meant."""
    submitted = settings.course_folder / "submitted"
    return f"no student {names.shown(student)} in the gradebook or in {submitted}{names.did_you_mean(student, there)}"
