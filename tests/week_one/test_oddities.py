"""Each oddity alone, all in one class: the student has the points that the work deserves, and nobody else loses any."""

from __future__ import annotations

import copy
import re
from typing import NamedTuple

import pytest
from nbgrader.api import Gradebook
from oddities import NAME, ODDITIES, HandedIn, Oddity

from autograder.jobs import cohort
from autograder.model.report import Report
from autograder.settings import Settings

pytestmark = pytest.mark.slow


class Graded(NamedTuple):
    """The reports by oddity, what staff are told to look at, and the answers that wait for them in the gradebook."""

    reports: dict[str, Report]
    warnings: list[str]
    waiting: dict[str, set[str]]


@pytest.fixture(scope="module")
def graded(course: Settings, perfect: HandedIn) -> Graded:
    for each in ODDITIES:
        write(course, each.name, perfect, [each])
    done = cohort.grade(course, NAME, cohort.Options(), lambda *_: None)
    with Gradebook(course.db_url) as book:
        waiting = {
            submission.student.id: {grade.name for grade in notebook.grades if grade.needs_manual_grade}
            for submission in book.assignment_submissions(NAME)
            for notebook in submission.notebooks
        }
    return Graded({report.student: report for report in done.reports}, done.doubts, waiting)


def write(course: Settings, student: str, perfect: HandedIn, oddities: list[Oddity]) -> None:
    work = copy.deepcopy(perfect)
    for each in oddities:
        each.change(work)
    for name, content in work.written().items():
        path = course.course_folder / "submitted" / student / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.mark.parametrize("oddity", ODDITIES, ids=lambda each: each.name)
def test_an_oddity_costs_what_it_deserves(oddity: Oddity, graded: Graded) -> None:
    report = graded.reports[oddity.name]
    told = [*report.repairs, *report.notes, *(check.message for check in report.checks if check.message)]
    assert report.status == oddity.status, report.error
    if oddity.status == "graded":
        lost = {check.cell: check.message for check in report.checks if check.verdict != "pass"}
        expected = {check.cell for check in report.checks} if oddity.lost == ("*",) else set(oddity.lost)
        assert lost.keys() == expected, "\n".join([*told, *(f"{cell}: {why}" for cell, why in lost.items())])
    assert re.search(oddity.says, "\n".join(told)), told
    own = [line for line in graded.warnings if line.startswith(f"{oddity.name}:")]
    assert re.search(oddity.staff, "\n".join(own)), own
    assert set(oddity.manual) <= graded.waiting.get(oddity.name, set()), told
