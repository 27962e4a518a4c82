"""Run checks on functions of the same process: no sandbox, nothing sent, no hints.

This is how nbgrader's hidden tests work, which call it in the student's kernel, and how little a check can cost.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from pathlib import Path
from typing import Any

from autograder.checks.draw import Attempt, Draw
from autograder.checks.record import Record, recording
from autograder.model.submission import Submission


class Direct:
    """The student, as a check sees it: an attribute is the student's own function."""

    def __init__(self, name: str, namespace: dict[str, Any]) -> None:
        self.name = name
        self._namespace = namespace

    def __getattr__(self, function: str) -> Any:
        return self.value(function)

    def value(self, name: str) -> Any:
        """The variable `name` of the notebook."""
        return self._namespace[name]


def points(assignment: str, cell: str, namespace: dict[str, Any], attempt: Attempt | None = None) -> float:
    """The points that the checks of a graded cell give, with the very inputs that our grader draws.

    `attempt` is by default the one whose notebook nbgrader runs.
    """
    attempt = attempt or _submitted(assignment)
    module = importlib.import_module(f"solutions.{assignment}.checks")
    found = [value.__check__ for value in vars(module).values() if hasattr(value, "__check__")]
    proxy = Direct(attempt.student, namespace)
    return float(
        sum(
            item.points
            for item in found
            if item.cell == cell and _passes(item, proxy, attempt.seed(assignment, item.name))
        )
    )


@cache
def _submitted(assignment: str) -> Attempt:
    """The attempt in whose folder nbgrader runs the notebook: `autograded/<student>/<assignment>/`."""
    graded = Path.cwd()
    student = graded.parent.name
    notebook = graded.parents[2] / "submitted" / student / assignment / f"{assignment}.ipynb"
    submission = Submission(student, assignment, notebook.read_bytes())
    return Attempt(student, os.environ["AUTOGRADER_SECRET"], submission.sha256)


def _passes(item: Any, student: Direct, seed: int) -> bool:
    record = Record(reveal=item.reveal)
    try:
        with recording(record):
            item.function(student, Draw(seed))
    except Exception as error:  # noqa: BLE001 - whatever a student's function raises fails the check
        print(f"{item.title}: {error!r}")
        return False
    for failure in record.failures[:1]:
        print(f"{item.title}: {failure.message}")
    return not record.failures
