"""An assignment of two exercises and a written question, `circle`: its source, answers to it, and reports on them."""

import json
from datetime import UTC, datetime, timedelta

import nbformat

from autograder.model.report import CheckResult, Provenance, Report
from autograder.model.submission import Submission

DUE = datetime(2026, 3, 1, 12, tzinfo=UTC)


def header(name, *, grade=False, solution=False, points=None):
    flags = {
        "grade": grade,
        "grade_id": name,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
    }
    flags |= {"task": False} | ({"points": points} if points is not None else {})
    return f"nbgrader={json.dumps(flags)}"


SOURCE = f"""# %% {header("imports")}
import math

# %% {header("area-solution", solution=True)}
def area(r):
    ### BEGIN SOLUTION
    return math.pi * r * r
    ### END SOLUTION

# %% {header("area", grade=True, points=60)}
print(area(1.0))

# %% {header("rim-solution", solution=True)}
def rim(r):
    ### BEGIN SOLUTION
    return 2 * math.pi * r
    ### END SOLUTION

# %% {header("rim", grade=True, points=40)}
rim(1.0)

# %% [markdown] {header("written", grade=True, solution=True, points=5)}
# The area grows with the square.
"""


def answered(released):
    """The released notebook with every answer given."""
    notebook = nbformat.from_dict(json.loads(json.dumps(released)))
    for cell in notebook.cells:
        if cell.metadata.nbgrader.solution:
            cell.source += "\n# mine" if cell.cell_type == "code" else " It is."
    return notebook


def report(area=60.0, rim=40.0, student="alice", **others):
    """A report in which half the checks of each cell may fail: `area` and `rim` are the points given."""
    checks = [
        CheckResult(f"{cell}-{half}", cell, whole / 2, "pass" if given >= whole / 2 * (half + 1) else "fail")
        for cell, whole, given in (("area", 60.0, area), ("rim", 40.0, rim))
        for half in (0, 1)
    ]
    return Report(student, "circle", "graded", tuple(checks), Provenance("", "", "", "", ""), **others)


def handed_in(student="alice", late=timedelta()):
    return Submission(student, "circle", b"", DUE + late)
