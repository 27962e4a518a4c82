"""Our side: `autograder grade` over a class, and the limit."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.course import Course, hand_in, python
from benchmarks.processes import Cost, run

COMMAND: Final = "from autograder.cli import main; main()"


class Autograder:
    """The grader as an instructor runs it: one `autograder grade` over the class, with all defaults but the sandbox."""

    def __init__(self, course: Course, assignment: str, contents: Sequence[bytes], sandbox: str) -> None:
        self.course, self.assignment, self.contents = course, assignment, list(contents)
        self._sandbox = sandbox
        self._reports = course.root / f"{assignment}.json"

    def run(self, students: int) -> Cost:
        """Grade a class of this size from nothing.

        Raises:
            BenchmarkError: a submission could not be graded.
        """
        folder = self.course.root / "course"
        for name in ("attempts.db", "gradebook.db"):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "autograded", ignore_errors=True)
        hand_in(folder / "submitted", self.assignment, self.contents, students)
        command = [sys.executable, "-c", COMMAND, "grade", self.assignment, "--sandbox", self._sandbox]
        log = self.course.root / "grade.log"
        return run([*command, "--json", str(self._reports)], self.course.root, self.course.environment(), log)

    def scores(self) -> dict[str, float]:
        """Each student's score in the reports of the last run."""
        return {report["student"]: float(report["score"]) for report in json.loads(self._reports.read_text())}


def measure(module: str, course: Course, *arguments: str) -> dict[str, Any]:
    """What a module of ours that measures in a process of its own prints.

    Raises:
        BenchmarkError: it failed.
    """
    log = course.root / "measure.log"
    run(python(module, *arguments), course.root, course.environment(), log)
    found: dict[str, Any] = json.loads(log.read_text().splitlines()[-1])
    return found
