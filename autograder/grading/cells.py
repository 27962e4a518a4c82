"""What the cells of a notebook mean for its exercises: which belong to which, what is forbidden, what did not run."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from nbformat import NotebookNode

from autograder.checks.shortcuts import aliases, names_changed, names_defined, names_used, shortcuts, statements
from autograder.errors import StudentFailure
from autograder.kernel.session import Execution

FILE, LINE = re.compile(r"\([\w<>./-]+, line (\d+)\)$"), r"(line \1)"
"""The end of a SyntaxError's message, and the same without the file, which is the kernel's name for a cell."""
UNPARSED = ("SyntaxError", "IndentationError", "TabError")
MOST = 5
"""Cells of a student's own of which a report tells."""


def is_checked(cell: NotebookNode) -> bool:
    """Whether a released cell's points come from checks (and not from a human)."""
    told = cell.metadata.get("nbgrader", {})
    return bool(told.get("grade")) and not told.get("solution")


def exercises(notebook: NotebookNode) -> dict[str, list[int]]:
    """For each checked cell the positions of the solution cells since the checked cell before it."""
    found: dict[str, list[int]] = {}
    pending: list[int] = []
    for position, cell in enumerate(notebook.cells):
        told = cell.metadata.get("nbgrader", {})
        if is_checked(cell):
            found[told["grade_id"]] = pending
            pending = []
        elif told.get("solution") and cell.cell_type == "code":
            pending.append(position)
    return found


def _helpers(notebook: NotebookNode, names: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """What names stand for (see `aliases`), and which names of a student's own cells use a shortcut: each with one.

    A helper that uses such a helper is one too; what stands beside it in its cell is none.
    """
    known: dict[str, str] = {}
    found: list[tuple[set[str], str]] = []
    users: dict[str, list[set[str]]] = defaultdict(list)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        known = aliases(cell.source, names, known)
        for part in statements(cell.source) if "nbgrader" not in cell.metadata else ():
            changed = {name for name in names_changed(part.text) if name not in known}  # a module is no helper
            if defined := names_defined(part.text) | changed:
                found += [(defined, shortcut) for shortcut, _line in shortcuts(part.text, names, known)[:1]]
                for name in names_used(part.text):
                    users[name].append(defined)
    helpers: dict[str, str] = {}
    while found:
        defined, shortcut = found.pop()
        for name in defined:
            if name not in helpers:
                helpers[name] = shortcut
                found += [(more, shortcut) for more in users[name]]
    return known, helpers


def forbidden(
    notebook: NotebookNode, names: Sequence[str], released: NotebookNode | None = None
) -> dict[str, StudentFailure]:
    """For each checked cell whose exercise uses a forbidden shortcut, itself or through a helper, why.

    Args:
        notebook: the rebuilt notebook.
        names: the forbidden dotted names.
        released: the released notebook: what its solution cells define is what the checks call. What nothing of it
            uses, such as a comparison with the library's own function, is the student's test of the answer.
    """
    if not names:
        return {}
    known, helpers = _helpers(notebook, names)
    asked = _names_asked(released)
    bans: dict[str, StudentFailure] = {}
    for name, positions in exercises(notebook).items():
        for position in positions:
            cell = notebook.cells[position]
            found, used = _answer(cell.source, asked.get(cell.metadata.nbgrader.get("grade_id")), names, known)
            through = sorted(used & helpers.keys())
            if found:
                shortcut, line = found
                message = f"`{shortcut}` does the work of this exercise (line {line}): write it yourself"
                bans[name] = StudentFailure("forbidden", message)
            elif through:
                uses = f"`{through[0]}` uses `{helpers[through[0]]}`"
                message = f"{uses}, which does the work of this exercise: write it yourself"
                bans[name] = StudentFailure("forbidden", message)
    return bans


def _names_asked(released: NotebookNode | None) -> dict[str, set[str]]:
    """By solution cell, the names that the released stub defines."""
    return {
        cell.metadata.nbgrader.grade_id: names_defined(cell.source)
        for cell in (released.cells if released is not None else ())
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
    }


def _answer(
    source: str, asked: set[str] | None, names: Sequence[str], known: Mapping[str, str]
) -> tuple[tuple[str, int] | None, set[str]]:
    """The first shortcut of an answer with its line, and the names that it uses of other cells.

    Only what the names `asked` for are made of counts. Where the cell does not define one of them, all of it does.
    """
    parts = statements(source)
    defined = [names_defined(part.text) | names_changed(part.text) for part in parts]
    if not asked or not asked & set().union(*defined):
        return next(iter(shortcuts(source, names, known)), None), names_used(source)
    known = aliases(source, names, known)
    used = [names_used(part.text) for part in parts]
    makers: dict[str, list[int]] = defaultdict(list)
    for number, makes in enumerate(defined):
        for name in makes:
            makers[name].append(number)
    counts = {number for number, part in enumerate(parts) if not part.is_test}
    reached, waiting = set(asked), [*asked, *(name for number in counts for name in used[number])]
    while waiting:
        for number in makers[waiting.pop()]:
            counts.add(number)
            waiting += used[number] - reached
            reached |= used[number]
    found = None
    for number in sorted(counts):
        if hits := shortcuts(parts[number].text, names, known):
            found = hits[0][0], hits[0][1] + parts[number].line - 1
            break
    return found, set().union(*(used[number] for number in counts))


def broken_cells(execution: Execution) -> dict[str, StudentFailure]:
    """For each checked cell the failure of a solution cell of its exercise that did not run to its end."""
    lost = {item.index: item.failure for item in execution.lost}
    causes: dict[str, StudentFailure] = {}
    for name, positions in exercises(execution.notebook).items():
        for position in positions:
            cell: Any = execution.notebook.cells[position]
            if position in lost:
                failure = lost[position]
                causes[name] = StudentFailure(failure.cause, f"{failure.message}, so nothing it defines is there")
                continue
            error = _error(cell)
            if error is not None and error.ename != "NotImplementedError":
                causes[name] = StudentFailure("exception", f"the cell {_raised(error)}")
    return causes


def unfinished(execution: Execution) -> tuple[str, ...]:
    """Of cells that the student added, what kept them from running to their end: whoever uses them has to know."""
    lost = {item.index: item.failure for item in execution.lost}
    told = []
    for position, cell in enumerate(execution.notebook.cells):
        if cell.cell_type != "code" or "nbgrader" in cell.metadata:
            continue
        lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
        first = next((line for line in lines if not line.startswith("#")), lines[0] if lines else "")
        name = f"Your cell `{first[:50]}{'...' if len(first) > 50 else ''}`"
        if position in lost:
            told.append(f"{name} was ended: {lost[position].message}, so nothing it defines is there.")
        elif (error := _error(cell)) is not None and error.ename != "NotImplementedError":
            told.append(" ".join(f"{name} {_raised(error)}.".split()))  # a line of its own could pose as a verdict
    more = [f"{len(told) - MOST} more of your cells did not run to their end."] if len(told) > MOST else []
    return (*told[:MOST], *more)


def _error(cell: Any) -> Any | None:
    return next((output for output in cell.outputs if output.output_type == "error"), None)


def _raised(error: Any) -> str:
    """What an error of a cell was, and what is missing for it."""
    ran = error.ename not in UNPARSED and (
        error.ename == "SystemExit" or any("In[" in line for line in error.traceback)  # IPython shows none of an exit
    )
    reason = FILE.sub(LINE, error.evalue) or ("" if ran else "nested too deep for Python")
    told = f"raised {error.ename}{': ' if reason else ''}{reason}"[:300]
    return f"{told}, so nothing {'after that line' if ran else 'it defines'} is there"
