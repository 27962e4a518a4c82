"""README's example table is what `make grade` prints: names, points and causes are those of the example class."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.grading.grade import Task
from autograder.settings import Settings
from solutions import example_class

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
ROW = re.compile(
    r"^(?P<student>[a-z]+) +(?P<auto>[\d.]+) +(?P<manual>1 to read)? +(?P<total>[\d.]+) +"
    r"(?P<passed>\d+)/(?P<checks>\d+) +[\d.]+ *(?P<failed>.*)$"
)


def shown() -> list[dict[str, Any]]:
    """The rows of README's table."""
    table = re.search(r"```text\nstudent +auto.*?```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert table is not None
    matches = [ROW.match(line) for line in table[0].splitlines()[2:-1]]
    assert matches
    assert None not in matches
    return [match.groupdict() for match in matches if match is not None]


@pytest.fixture(scope="module")
def task() -> Task:
    settings = Settings.read(ROOT)
    return Task.load(settings.assignment("convolution"), ROOT, "secret")


@pytest.fixture(scope="module")
def students(task: Task) -> dict[str, example_class.Student]:
    return {student.name: student for student in example_class.make(task)}


@pytest.mark.parametrize("row", shown(), ids=lambda row: row["student"])
def test_a_row_of_the_readme_is_as_predicted(
    row: dict[str, Any], task: Task, students: dict[str, example_class.Student]
) -> None:
    student = students[row["student"]]
    predicted, _hints = student.predict()
    assert (int(row["passed"]), int(row["checks"])) == (
        sum(verdict == "pass" for verdict, _ in predicted.values()),
        len(predicted),
    )
    points = sum(check.points for check in task.suite.checks if predicted[check.name][0] == "pass")
    assert float(row["auto"]) == float(row["total"]) == pytest.approx(points)
    causes: dict[str, set[str]] = {}
    for check in task.suite.checks:
        verdict, cause = predicted[check.name]
        if verdict == "fail":
            causes.setdefault(check.cell, set()).add(str(cause))
    unread = all(verdict == "not_run" for verdict, _ in predicted.values())
    told = ", ".join(f"{cell} ({'/'.join(sorted(each))})" for cell, each in causes.items())
    assert row["failed"] == ("unreadable, see below" if unread else told)
    assert bool(row["manual"]) == (not unread and has_written_answer(student, task))


def has_written_answer(student: example_class.Student, task: Task) -> bool:
    """Whether the answer of the written question is another than the released text."""
    released = {cell.id: cell.source for cell in task.released.cells}
    handed = nbformat.reads(student.content.decode(), as_version=4)
    written = [
        c for c in handed.cells if (told := c.metadata.get("nbgrader", {})).get("grade") and told.get("solution")
    ]
    return any(cell.source != released.get(cell.id) for cell in written)
