"""What the cells of a notebook mean for its exercises: which belong to which, what is forbidden, what did not run."""

from __future__ import annotations

import builtins
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from nbformat import NotebookNode

from autograder.checks.shortcuts import Names, aliases, names_changed, names_defined, names_used, shortcuts, statements
from autograder.errors import StudentFailure
from autograder.grading import modules
from autograder.inside.doors import family
from autograder.kernel.session import Execution
from autograder.model.submission import SubmittedFile

FILE, LINE = re.compile(r"\([\w<>./-]+, line (\d+)\)$"), r"(line \1)"
"""The end of a SyntaxError's message, and the same without the file, which is the kernel's name for a cell."""
UNPARSED = ("SyntaxError", "IndentationError", "TabError")
MISSING = {
    *(n for n, each in vars(builtins).items() if isinstance(each, type) and issubclass(each, OSError | ImportError)),
    "URLError", "HTTPError", "gaierror", "CalledProcessError", "StdinNotImplementedError",
}  # fmt: skip
"""Errors that tell of the machine: a kernel skips the statement and goes on with the cell (`inside/environment.py`)."""
UNBOUND = "the statement that defines it failed"
"""In the message of a NameError after such an error."""
OTHER_VERSION = re.compile(
    r"SyntaxError|IndentationError|cannot import name|No module named|module '.*' has no attribute|unexpected keyword"
)
"""What code for another version of Python raises."""
MOST = 5
"""Cells of a student's own of which a report tells."""


def is_checked(cell: NotebookNode) -> bool:
    """Whether a released cell's points come from checks (and not from a human)."""
    told = cell.metadata.get("nbgrader", {})
    return bool(told.get("grade")) and not told.get("solution")


def has_written(notebook: NotebookNode) -> bool:
    """Return whether a released notebook has cells whose points come from people: written answers and tasks."""
    told = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells]
    return any(each.get("task") or (each.get("grade") and each.get("solution")) for each in told)


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


def _helpers(notebook: NotebookNode, names: Names) -> tuple[dict[str, str], dict[str, str]]:
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
    notebook: NotebookNode,
    names: Sequence[str],
    released: NotebookNode | None = None,
    files: Sequence[SubmittedFile] = (),
) -> dict[str, StudentFailure]:
    """For each checked cell whose exercise uses a forbidden shortcut, itself or through a helper, why.

    Args:
        notebook: the rebuilt notebook.
        names: the forbidden dotted names; other ways to the same functions are forbidden with them.
        released: the released notebook: what its solution cells define is what the checks call. What nothing of it
            uses, such as a comparison with the library's own function, is the student's test of the answer.
        files: what was handed in beside it: what a module of these does by a shortcut is one too.
    """
    if not names:
        return {}
    names = family(names)
    through_modules = modules.helpers(notebook, files, names)
    banned = Names([*names, *through_modules])
    known, helpers = _helpers(notebook, banned)
    asked = _names_asked(released)
    bans: dict[str, StudentFailure] = {}
    for name, positions in exercises(notebook).items():
        for position in positions:
            cell = notebook.cells[position]
            found, used = _answer(cell.source, asked.get(cell.metadata.nbgrader.get("grade_id")), banned, known)
            through = sorted(used & helpers.keys())
            if found:
                shortcut, line = found
                uses = f"`{shortcut}` uses `{through_modules[shortcut]}`, which" if shortcut in through_modules else ""
                message = f"{uses or f'`{shortcut}`'} does the work of this exercise (line {line}): write it yourself"
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
    source: str, asked: set[str] | None, names: Names, known: Mapping[str, str]
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


def broken_cells(execution: Execution, skew: str = "") -> dict[str, StudentFailure]:
    """For each checked cell the failure of a solution cell of its exercise that did not run to its end.

    `skew` says with which versions of Python it was written and is graded, where they differ.
    """
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
                causes[name] = StudentFailure("exception", f"the cell {_raised(error, skew)}")
    return causes


def unfinished(execution: Execution, skew: str = "") -> tuple[str, ...]:
    """Of cells that the student added, what kept them from running to their end: whoever uses them has to know.

    `skew` as in `broken_cells`.
    """
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
            told.append(
                " ".join(f"{name} {_raised(error, skew)}.".split())
            )  # a line of its own could pose as a verdict
    more = [f"{len(told) - MOST} more of your cells did not run to their end."] if len(told) > MOST else []
    return (*told[:MOST], *more)


def failing_released(released: NotebookNode, execution: Execution) -> tuple[str, ...]:
    """Of released cells that are neither answers nor graded, and that the student left as they were, those that failed.

    A line each: what the cell is called, and what it raised. That something is not implemented yet is no failure.
    """
    given = {cell.id: cell.source for cell in released.cells if cell.cell_type == "code" and not _is_students(cell)}
    lost = {item.index: item.failure for item in execution.lost}
    told = []
    for position, cell in enumerate(execution.notebook.cells):
        if cell.cell_type != "code" or given.get(cell.id) != cell.source:
            continue
        name = cell.metadata.get("nbgrader", {}).get("grade_id") or next(iter(cell.source.splitlines()), "")[:50]
        if position in lost:
            told.append(f"`{name}`: {lost[position].message}")
        elif (error := _error(cell)) is not None and error.ename != "NotImplementedError":
            told.append(f"`{name}`: " + " ".join(f"{error.ename}: {error.evalue}".split())[:300])
    return tuple(told)


def skew_of(written: str, here: str) -> str:
    """Return what to tell of two versions of Python, of the notebook and of its grading; empty if they are as one.

    Either may be unknown, and empty.
    """
    if not written or not here or written.split(".")[:2] == here.split(".")[:2]:
        return ""
    return f"Python {written} wrote this notebook, and it is graded with Python {here}"


def explained_by(skew: str, message: str) -> str:
    """Return a message with `skew`, where it tells of what another version of Python does not have."""
    return f"{message} ({skew})" if skew and OTHER_VERSION.search(message) and "graded with" not in message else message


def _is_students(cell: Any) -> bool:
    flags = cell.metadata.get("nbgrader", {})
    return bool(flags.get("solution")) or is_checked(cell)


def _error(cell: Any) -> Any | None:
    """What ended a cell; else the first of what its kernel went on after; None where it ran without an error."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if not errors:
        return None
    return errors[0] if _is_missing(errors[-1]) else errors[-1]


def _is_missing(error: Any) -> bool:
    return error.ename in MISSING or (error.ename == "NameError" and UNBOUND in error.evalue)


def _raised(error: Any, skew: str = "") -> str:
    """What an error of a cell was, and what is missing for it."""
    ran = error.ename not in UNPARSED and (
        error.ename == "SystemExit" or any("In[" in line for line in error.traceback)  # IPython shows none of an exit
    )
    reason = FILE.sub(LINE, error.evalue) or ("" if ran else "nested too deep for Python")
    told = explained_by(skew, f"raised {error.ename}{': ' if reason else ''}{reason}"[:500])
    if _is_missing(error):
        return f"{told}, so what needs it is not there"
    return f"{told}, so nothing {'after that line' if ran else 'it defines'} is there"
