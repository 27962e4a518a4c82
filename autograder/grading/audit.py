"""The grader graded: right answers must get full marks, every known mistake must fail and get its own hint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.checks.diagnosis import Mistake
from autograder.errors import UsageError
from autograder.grading.grade import Grader, Task
from autograder.model.report import Report
from autograder.model.submission import Submission
from autograder.notebooks.release import model_answer

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
            return "ok" if not self.killed_by else f"a right answer fails {', '.join(self.killed_by)}"
        if not self.killed_by:
            return "survived: no check fails it"
        if not self.hints:
            return "killed, but no hint was given"
        return "ok" if self.hints == {self.mistake.hint} else "killed, but another mistake's hint was given"


def trials(grader: Grader, task: Task) -> Iterator[Trial]:
    """Grade the model answer, the second right answer, and each mistake, in that order."""
    source = task.suite.folder / "notebook.py"
    answer = model_answer(source)
    second = task.suite.folder / "second.py"
    if not second.is_file():
        raise UsageError(f"{task.assignment.name} has no second.py: a second right answer, written differently")
    yield _trial(grader, task, RIGHT[0], None, answer)
    yield _trial(grader, task, RIGHT[1], None, with_second(answer, second))
    for mistake in task.suite.mistakes:
        yield _trial(grader, task, mistake.name, mistake, with_mistakes(task, answer, [mistake], AUDITOR))


def _trial(grader: Grader, task: Task, name: str, mistake: Mistake | None, notebook: NotebookNode) -> Trial:
    submission = Submission(AUDITOR, task.assignment.name, nbformat.writes(notebook).encode())
    return Trial(name, mistake, grader.grade(task, submission).report)


def with_second(answer: NotebookNode, second: Path) -> NotebookNode:
    """The model answer's notebook with every solution replaced by the second one: its whole text at the end."""
    notebook = nbformat.from_dict(answer)
    notebook.cells.append(new_code_cell(second.read_text()))
    return notebook


def with_mistakes(task: Task, answer: NotebookNode, mistakes: list[Mistake], student: str) -> NotebookNode:
    """The model answer's notebook with mistakes put in their places by cells at its end.

    `reference` is there what it is in mistakes.py: the right functions under their names.
    """
    notebook = nbformat.from_dict(answer)
    lines = ["import types", "reference = types.SimpleNamespace(**globals())"]
    for mistake in mistakes:
        lines.append(mistake.source())
        value = mistake.name if hasattr(task.suite.reference, mistake.of) else f"{mistake.name}({student!r})"
        lines.append(f"{mistake.of} = {value}")
    notebook.cells.append(new_code_cell("\n".join(lines)))
    return notebook
