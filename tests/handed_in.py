"""Notebooks of two exercises, `double` and `triple`, as they are released and as students hand them in."""

from __future__ import annotations

from nbformat.v4 import new_code_cell, new_notebook

STUB = "def {0}(x):\n    raise NotImplementedError()"


def cell(source, grade_id=None, **flags):
    made = new_code_cell(source)
    if grade_id is not None:
        told = {"grade": False, "solution": False, "locked": False, "schema_version": 3, "grade_id": grade_id}
        made.metadata["nbgrader"] = {**told, **flags}
    return made


def notebook(*cells):
    return new_notebook(cells=list(cells))


def solution(name, source=None):
    return cell(source or STUB.format(name), f"{name}-solution", solution=True)


def graded(name, points):
    return cell(
        f"raise RuntimeError('the visible tests of {name} were run')", name, grade=True, locked=True, points=points
    )


def handed_in(double="def double(x):\n    return 2 * x", triple="def triple(x):\n    return 3 * x", added=()):
    return notebook(
        cell("import math"),
        *map(cell, added),
        solution("double", double),
        graded("double", 6),
        solution("triple", triple),
        graded("triple", 4),
    )


RELEASED = handed_in(double=None, triple=None)
