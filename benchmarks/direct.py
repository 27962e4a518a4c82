"""Run checks on functions of the same process: no sandbox, nothing sent, no hints.

This is how nbgrader's hidden tests work, which call it in the student's kernel, and how little a check can cost.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from autograder.checks.draw import Draw, seed_of
from autograder.checks.record import Record, recording


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


def points(assignment: str, cell: str, namespace: dict[str, Any], student: str | None = None) -> float:
    """The points that the checks of a graded cell give, with the very inputs that our grader draws.

    `student` is by default the one in whose folder nbgrader runs the notebook: `autograded/<student>/<assignment>/`.
    """
    student = student or Path.cwd().parent.name
    module = importlib.import_module(f"solutions.{assignment}.checks")
    found = [value.__check__ for value in vars(module).values() if hasattr(value, "__check__")]
    proxy = Direct(student, namespace)
    return float(sum(item.points for item in found if item.cell == cell and _passes(item, proxy, assignment)))


def _passes(item: Any, student: Direct, assignment: str) -> bool:
    record = Record(reveal=item.reveal)
    seed = seed_of(os.environ["AUTOGRADER_SECRET"], student.name, assignment, item.name)
    try:
        with recording(record):
            item.function(student, Draw(seed))
    except Exception as error:  # noqa: BLE001 - whatever a student's function raises fails the check
        print(f"{item.title}: {error!r}")
        return False
    for failure in record.failures[:1]:
        print(f"{item.title}: {failure.message}")
    return not record.failures
