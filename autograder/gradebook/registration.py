"""An assignment's rows in nbgrader's database, made from its released notebook as `SaveCells` does."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import (
    Assignment,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    SubmittedNotebook,
)
from nbgrader.utils import is_grade, is_locked, is_solution, parse_utc
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from autograder.errors import UsageError


def register(connection: Connection, course_id: str, name: str, released: NotebookNode, due: datetime | None) -> None:
    """Make or renew the rows of assignment `name`: itself, its one notebook, and its cells.

    Raises:
        UsageError: cells came or went, and there are submissions already.
    """
    with Session(connection) as session:
        assignment = session.scalar(select(Assignment).where(Assignment.name == name))
        if assignment is None:
            assignment = Assignment(name=name, course_id=course_id)
            session.add(assignment)
        assignment.duedate = parse_utc(due)
        notebook = session.scalar(
            select(Notebook).where(Notebook.name == name, Notebook.assignment_id == assignment.id)
        )
        if notebook is None:
            notebook = Notebook(name=name, assignment=assignment)
            session.add(notebook)
        notebook.kernelspec = json.dumps(released.metadata.get("kernelspec", {}))
        session.flush()
        changed = [_renew(session, notebook, kind, rows) for kind, rows in _rows(released).items()]
        submitted = select(SubmittedNotebook.id).where(SubmittedNotebook.notebook_id == notebook.id)
        if any(changed) and session.scalars(submitted).first() is not None:
            raise UsageError(
                f"{name}: cells were added or removed, and there are graded submissions: keep the old cells, "
                f"or run `nbgrader db assignment remove {name} --force` and grade everyone again"
            )
        session.flush()


def _rows(released: NotebookNode) -> dict[Any, dict[str, dict[str, Any]]]:
    """The columns of each kind of cell, by the cells' names."""
    rows: dict[Any, dict[str, dict[str, Any]]] = {GradeCell: {}, SolutionCell: {}, SourceCell: {}}
    for cell in released.cells:
        if not (is_grade(cell) or is_solution(cell) or is_locked(cell)):
            continue
        flags = cell.metadata.nbgrader
        name = flags["grade_id"]
        if is_grade(cell):
            rows[GradeCell][name] = {"max_score": float(flags["points"]), "cell_type": cell.cell_type}
        if is_solution(cell):
            rows[SolutionCell][name] = {}
        rows[SourceCell][name] = {
            "cell_type": cell.cell_type,
            "locked": is_locked(cell),
            "source": cell.source,
            "checksum": flags.get("checksum"),
        }
    return rows


def _renew(session: Session, notebook: Notebook, kind: Any, rows: dict[str, dict[str, Any]]) -> bool:
    """Make the rows of one kind what they should be; says whether some came or went."""
    found = {cell.name: cell for cell in session.scalars(select(kind).where(kind.notebook_id == notebook.id))}
    for name in found.keys() - rows.keys():
        session.delete(found[name])
    for name, columns in rows.items():
        cell = found.get(name) or kind(name=name, notebook=notebook)
        session.add(cell)
        for column, value in columns.items():
            setattr(cell, column, value)
    return bool(found) and found.keys() != rows.keys()
