"""The example class, graded for real: every verdict is the one that the class's script predicts, check by check."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from autograder.errors import UsageError
from autograder.grading.grade import Task
from autograder.jobs import cohort
from autograder.sandbox import choose
from autograder.settings import Settings
from solutions import example_check, example_class

NOT_THE_COURSE = ("submitted", "autograded", "feedback", "release", "*.db*", ".secret", "__pycache__")
DRAWS = "0ab6fe39a6d0fecdac10ccef74cc8c97ef40df29c4095d207de2e8faa8d95f1f"
"""Fixes the hidden inputs, so that a run can be repeated; it opens nothing."""
SANDBOX = os.environ.get("AUTOGRADER_TEST_SANDBOX", "auto")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The project's course in a folder of its own: the same checks and releases, no submissions yet."""
    try:
        choose.sandbox(SANDBOX)
    except UsageError as error:
        pytest.skip(str(error))
    root = tmp_path_factory.mktemp("course")
    here = Path(__file__).parents[2]
    for name in ("solutions", "assignments"):
        (root / name).symlink_to(here / name)
    shutil.copytree(here / "course", root / "course", ignore=shutil.ignore_patterns(*NOT_THE_COURSE))
    (root / "course" / ".secret").write_text(DRAWS)
    return Settings.read(root)


@pytest.mark.parametrize("assignment", ["convolution", "output_sizes", "architectures"])
def test_every_verdict_of_the_class_is_as_predicted(course: Settings, assignment: str) -> None:
    task = Task.load(course.assignment(assignment), course.root, course.secret)
    students = example_class.make(task)
    assert len(students) == 40
    example_class.write(course.course_folder / "submitted", task, students)

    graded = cohort.grade(course, assignment, cohort.Options(sandbox=SANDBOX), lambda *_: None)

    assert len(graded.reports) == 40
    assert example_check.differences(students, [report.contract() for report in graded.reports]) == []


def test_a_second_run_grades_nothing_again(course: Settings) -> None:
    again = cohort.grade(course, "convolution", cohort.Options(sandbox=SANDBOX), lambda *_: None)
    assert (again.reused, again.total) == (40, 40)


def test_nbgraders_gradebook_has_the_same_scores(course: Settings) -> None:
    from nbgrader.api import Gradebook

    again = cohort.grade(course, "convolution", cohort.Options(sandbox=SANDBOX), lambda *_: None)
    with Gradebook(course.db_url) as book:
        recorded = {s.student_id: s.score for s in book.assignment_submissions("convolution")}
    assert recorded == pytest.approx({report.student: report.score for report in again.reports})
