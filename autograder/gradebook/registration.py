"""An assignment's rows in nbgrader's database, made from its released notebook as `SaveCells` does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import (
    Assignment,
    BaseCell,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    SubmittedNotebook,
    new_uuid,
)
from nbgrader.utils import is_grade, is_locked, is_solution, parse_utc
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.orm import Session

from autograder.errors import UsageError
from autograder.gradebook import ledger
from autograder.gradebook.ledger import Ids
from autograder.gradebook.rows import table


def register(connection: Connection, course_id: str, name: str, released: NotebookNode, due: datetime | None) -> None:
    """Make or renew the rows of assignment `name`: itself, its one notebook, and its cells.

    A row that was there once and is missing is made again under its old id, which scores and comments refer to.

    Raises:
        UsageError: the release has lost cells, and there are submissions already.
    """
    _repair_halves(connection)
    known = ledger.ids(connection, name) or Ids("", "", {}, {})
    with Session(connection) as session:
        assignment = session.scalar(select(Assignment).where(Assignment.name == name))
        if assignment is None:
            free = _free(session, Assignment, known.assignment)
            assignment = Assignment(name=name, course_id=course_id)
            assignment.id = free
            session.add(assignment)
        assignment.duedate = parse_utc(due)
        notebook = session.scalar(
            select(Notebook).where(Notebook.name == name, Notebook.assignment_id == assignment.id)
        )
        if notebook is None:
            free = _free(session, Notebook, known.notebook)
            notebook = Notebook(id=free, name=name, assignment=assignment)
            session.add(notebook)
        notebook.kernelspec = json.dumps(released.metadata.get("kernelspec", {}))
        session.flush()
        ids = {GradeCell: known.graded, SolutionCell: known.answered, SourceCell: {}}
        lost = [_renew(session, notebook, kind, rows, ids[kind]) for kind, rows in _rows(released).items()]
        submitted = select(SubmittedNotebook.id).where(SubmittedNotebook.notebook_id == notebook.id)
        if any(lost) and session.scalars(submitted).first() is not None:
            raise UsageError(
                f"{name}: cells were removed from the release, and there are graded submissions: keep the old cells, "
                f"or run `nbgrader db assignment remove {name} --force` and grade everyone again"
            )
        session.flush()


def _repair_halves(connection: Connection) -> None:
    """Repair cells of which one row is left: nbgrader keeps a cell in two tables, and reads both as one row."""
    base = table(BaseCell)
    for kind in (GradeCell, SolutionCell):
        of_kind = table(kind)
        rest = select(of_kind.c.id).where(of_kind.c.id.not_in(select(base.c.id)))
        connection.execute(delete(of_kind).where(of_kind.c.id.in_(rest)))
        half = select(base.c.id).where(base.c.type == kind.__name__, base.c.id.not_in(select(of_kind.c.id)))
        found = connection.scalars(half).all()
        if found:
            _restore_halves(connection, kind, found)


def _restore_halves(connection: Connection, kind: Any, ids: Sequence[str]) -> None:
    """Give cells their second part again: grades and comments may refer to the first. `_renew` corrects its values."""
    columns = {"max_score": 0.0, "cell_type": "code"} if kind is GradeCell else {}
    connection.execute(insert(table(kind)), [{"id": each, **columns} for each in ids])


def _free(session: Session, model: Any, wanted: str | None) -> str:
    """The id that a row had, if no other row has taken it; else a new one."""
    return wanted if wanted and session.get(model, wanted) is None else str(new_uuid())


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


def _renew(
    session: Session, notebook: Notebook, kind: Any, rows: dict[str, dict[str, Any]], ids: Mapping[str, str]
) -> bool:
    """Make the rows of one kind what they should be; says whether the release has lost some.

    `ids` are those that cells had before, by name.
    """
    found = {cell.name: cell for cell in session.scalars(select(kind).where(kind.notebook_id == notebook.id))}
    for name in found.keys() - rows.keys():
        session.delete(found[name])
    for name, columns in rows.items():
        cell = found.get(name)
        if cell is None:
            free = _free(session, kind, ids.get(name))
            cell = kind(id=free, name=name, notebook=notebook)
            session.add(cell)
        for column, value in columns.items():
            if getattr(cell, column) != value:
                setattr(cell, column, value)
    return bool(found.keys() - rows.keys())
