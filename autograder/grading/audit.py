"""The grader graded: right answers get full marks in a notebook that runs, known mistakes fail with their own hint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from autograder.checks.diagnosis import Mistake
from autograder.grading import specimens
from autograder.grading.grade import Grader, Task
from autograder.model.report import Report
from autograder.model.submission import Submission

RIGHT = ("model answer", "second answer")
AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Trial:
    """One submission of the audit and what came of it. `mistake` is None for a right answer."""

    name: str
    mistake: Mistake | None
    report: Report

    @property
    def killed_by(self) -> tuple[str, ...]:
        """The checks that failed."""
        return tuple(check.name for check in self.report.checks if check.verdict != "pass")

    @property
    def hints(self) -> set[str]:
        """The hints given."""
        return {check.hint for check in self.report.checks if check.hint}

    @property
    def verdict(self) -> str:
        """`ok`, or in a few words what is wrong with the grader."""
        if self.report.status != "graded":
            return f"not graded: {self.report.error.splitlines()[0]}"
        if self.mistake is None:
            if self.report.setup_errors:
                return f"the released cell {self.report.setup_errors[0]}"
            return "ok" if not self.killed_by else f"a right answer fails {', '.join(self.killed_by)}"
        if not self.killed_by:
            return "survived: no check fails it"
        if not self.hints:
            return "killed, but no hint was given"
        return "ok" if self.hints == {self.mistake.hint} else "killed, but another mistake's hint was given"


def trials(grader: Grader, task: Task) -> Iterator[Trial]:
    """Grade the model answer, the second right answer, and each mistake, in that order.

    Raises:
        UsageError: the assignment has no second answer.
        CheckerError: a mistake or the second answer does not fit the notebook.
    """
    yield _trial(grader, task, RIGHT[0], None, specimens.right(task))
    yield _trial(grader, task, RIGHT[1], None, specimens.second(task))
    for mistake in task.suite.mistakes:
        yield _trial(grader, task, mistake.name, mistake, specimens.mistaken(task, [mistake], AUDITOR))


def _trial(grader: Grader, task: Task, name: str, mistake: Mistake | None, notebook: NotebookNode) -> Trial:
    submission = Submission(AUDITOR, task.assignment.name, nbformat.writes(notebook).encode())
    return Trial(name, mistake, grader.grade(task, submission).report)
