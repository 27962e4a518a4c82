"""What nbgrader's database should hold of a graded notebook: scores, comments, and a digest of each answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_locked, is_solution

from autograder.errors import CheckerError
from autograder.model.report import Report

NO_RESPONSE: Final = "No response."
"""nbgrader's comment on an answer that nobody touched."""


@dataclass(frozen=True, slots=True)
class Graded:
    """One graded submission, as the gradebook should hold it.

    Attributes:
        attempt: which attempt it is, see `fingerprint`.
        scores: points by graded cell; None where a person has to read the answer.
        comments: nbgrader's own comment by answered cell.
        answers: by graded cell, a digest of what the student wrote for it.
        manual: graded cells whose score a person has to confirm although there is one.
    """

    attempt: str
    scores: Mapping[str, float | None]
    comments: Mapping[str, str | None]
    answers: Mapping[str, str]
    manual: frozenset[str] = frozenset()


def fingerprint(report: Report) -> str:
    """A digest of a report: two attempts that differ in anything have different ones."""
    return hashlib.sha256(json.dumps(report.stored(), sort_keys=True).encode()).hexdigest()


def graded(report: Report, notebook: NotebookNode) -> Graded:
    """What the gradebook should hold of an annotated notebook.

    Raises:
        CheckerError: nbgrader would read another score from the notebook than the report gives.
    """
    scores = _scores(report, notebook)
    return Graded(
        attempt=fingerprint(report),
        scores=scores,
        comments=_comments(notebook),
        answers=answers(notebook),
        manual=frozenset(report.manual) & scores.keys(),
    )


def answers(notebook: NotebookNode) -> dict[str, str]:
    """By graded cell, a digest of the student's cells from the graded cell before it up to this one.

    Cells that the student added directly below a written answer belong to that answer. Cells above the first
    cell of the release are left out: the grader's own notices stand there.
    """
    parts: dict[str, list[NotebookNode]] = {}
    written: list[NotebookNode] = []
    above: str | None = None  # the written answer that added cells may belong to
    begun = False
    for cell in notebook.cells:
        is_added = "nbgrader" not in cell.metadata
        begun = begun or not is_added
        if not begun:
            continue
        if is_added and above is not None:
            parts[above].append(cell)
        elif is_added or (is_solution(cell) and not is_locked(cell)):
            written.append(cell)
        if is_added or not (is_grade(cell) or is_solution(cell) or is_locked(cell)):
            continue  # a line of the release, such as the versions at its end, divides nothing
        above = None
        if is_grade(cell):
            name = cell.metadata.nbgrader["grade_id"]
            parts[name] = written
            written = []
            above = name if is_solution(cell) else None
    return {name: _digest(cells) for name, cells in parts.items()}


def _digest(cells: list[NotebookNode]) -> str:
    told = [[cell.cell_type, cell.source, cell.get("attachments") or {}] for cell in cells]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def _scores(report: Report, notebook: NotebookNode) -> dict[str, float | None]:
    """What nbgrader's own rule reads from each graded cell: a number, or None where a human must look."""
    scores: dict[str, float | None] = {}
    for cell in notebook.cells:
        if not is_grade(cell):
            continue
        name = cell.metadata.nbgrader["grade_id"]
        scores[name], _ = determine_grade(cell)
        given = sum(check.points for check in report.cell(name))
        if not is_solution(cell) and abs((scores[name] or 0.0) - given) > 1e-9:
            raise CheckerError(f"cell {name}: nbgrader reads {scores[name]} points, the report gives {given}")
    return scores


def _comments(notebook: NotebookNode) -> dict[str, str | None]:
    """By answer, what nbgrader says of it: that there is none, or nothing."""
    return {
        cell.metadata.nbgrader["grade_id"]: (
            NO_RESPONSE if cell.metadata.nbgrader.get("checksum") == compute_checksum(cell) else None
        )
        for cell in notebook.cells
        if is_solution(cell)
    }
