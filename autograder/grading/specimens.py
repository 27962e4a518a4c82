"""Submissions of known verdict, from an assignment's own material: right, second, mistaken, unfinished."""

from __future__ import annotations

import ast
import copy
import textwrap
from collections.abc import Collection, Sequence

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.checks.diagnosis import Mistake
from autograder.checks.shortcuts import names_defined
from autograder.errors import CheckerError, UsageError
from autograder.grading.cells import exercises
from autograder.grading.grade import Task
from autograder.notebooks.release import model_answer

MARKS = ("### BEGIN SOLUTION", "### END SOLUTION")


def right(task: Task) -> NotebookNode:
    """The released notebook with the model answer in every solution cell: a perfect student's."""
    answers = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in model_answer(task.suite.folder / "notebook.py").cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    notebook = copy.deepcopy(task.released)
    for cell in notebook.cells:
        told = cell.metadata.get("nbgrader", {})
        if told.get("solution"):
            lines = answers[told["grade_id"]].splitlines()
            cell.source = "\n".join(line for line in lines if line.strip() not in MARKS)
    return notebook


def second(task: Task) -> NotebookNode:
    """The released notebook with the second right answer, each definition in the solution cell it is for.

    Raises:
        UsageError: the assignment has no second.py.
        CheckerError: it does not define what the model answer does.
    """
    path = task.suite.folder / "second.py"
    if not path.is_file():
        raise UsageError(f"{task.assignment.name} has no second.py: a second right answer, written differently")
    text = path.read_text(encoding="utf-8")
    notebook = right(task)
    cells = [cell for cell in notebook.cells if _is_code_answer(cell)]
    owner = {name: cell for cell in cells for name in names_defined(cell.source)}
    parts: dict[int, list[str]] = {id(cell): [] for cell in cells}
    imports: list[str] = []
    waiting: list[str] = []  # helpers go where the definition after them goes
    for node in ast.parse(text).body:
        segment = _segment(text, node)
        home = next((owner[name] for name in names_defined(segment) if name in owner), None)
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(segment)
        elif home is None:
            waiting.append(segment)
        else:
            parts[id(home)] += [*waiting, segment]
            waiting = []
    for cell in cells:
        missing = names_defined(cell.source) & owner.keys() - names_defined("\n\n\n".join(parts[id(cell)]))
        public = sorted(name for name in missing if not name.startswith("_"))
        if public and not parts[id(cell)]:
            raise CheckerError(f"{path.name} of {task.assignment.name} does not define {', '.join(public)}")
        cell.source = "\n\n\n".join(parts[id(cell)])
    first = next(position for position, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells.insert(first + 1, new_code_cell("\n".join([*imports, *waiting]), id="second-imports"))
    return notebook


def mistaken(task: Task, mistakes: Sequence[Mistake], student: str) -> NotebookNode:
    """The right notebook with mistakes in the solution cells they belong to.

    `reference` is there what it is in mistakes.py: the right functions, as far as they are defined.

    Raises:
        CheckerError: a mistake is of something that no solution cell defines.
    """
    notebook = right(task)
    for mistake in mistakes:
        home = next((c for c in notebook.cells if _is_code_answer(c) and mistake.of in names_defined(c.source)), None)
        if home is None:
            raise CheckerError(
                f"mistake {mistake.name} is of {mistake.of}, which no solution cell of {task.assignment.name} defines"
            )
        # a variable is what its mistake returns for the student
        argument = "" if hasattr(task.suite.reference, mistake.of) else f"({student!r})"
        home.source += (
            f"\n\n\ndef _{mistake.name}():\n    import types\n\n    reference = types.SimpleNamespace(**globals())\n\n"
            f"{textwrap.indent(mistake.source(), '    ')}\n    return {mistake.name}\n\n\n"
            f"{mistake.of} = _{mistake.name}(){argument}"
        )
    return notebook


def unfinished(task: Task, cells: Collection[str]) -> NotebookNode:
    """The right notebook, but with the released stub in the exercises of these checked cells, and nothing in words."""
    notebook = right(task)
    for cell, released in zip(notebook.cells, task.released.cells, strict=True):
        if cell.cell_type == "markdown":
            cell.source = released.source
    for name, positions in exercises(notebook).items():
        for position in positions if name in cells else ():
            notebook.cells[position].source = task.released.cells[position].source
    return notebook


def _is_code_answer(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.metadata.get("nbgrader", {}).get("solution"))


def _segment(text: str, node: ast.stmt) -> str:
    """The lines of a statement, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
