"""A name that a later cell uses again costs no points: real kernels run the cells above a graded cell once more."""

from __future__ import annotations

from dataclasses import replace

import nbformat
import pytest
from handed_in import RELEASED, handed_in, notebook
from nbformat.v4 import new_code_cell

from autograder.grading.grade import Grader, Task
from autograder.grading.slots import SlotPool
from autograder.model.assignment import Assignment, Limits
from autograder.model.submission import Submission
from autograder.notebooks import document
from autograder.sandbox.bwrap import Bubblewrap

CHECKS = """
@check(cell="double", points=4)
def doubles(student, draw):
    \"\"\"Twice the number.\"\"\"
    for case in draw.cases(lambda draw: Case(draw.integer(3, 10**6)), 3):
        close(student.double(*case.args), reference.double(*case.args))

@check(cell="double", points=2)
def doubles_zero(student, draw):
    \"\"\"Twice nothing.\"\"\"
    close(student.double(0), 0)

@check(cell="triple", points=4)
def triples(student, draw):
    \"\"\"Three times the number.\"\"\"
    close(student.triple(5), reference.triple(5))
"""
REFERENCE = "def double(x):\n    return 2 * x\ndef triple(x):\n    return 3 * x\n"
LIMITS = Limits(call_seconds=1, cell_seconds=10, total_seconds=60, memory_bytes=512 * 2**20)
NUMPY = "import numpy as np\ndef double(x):\n    return int(np.sum([x, x]))"
COUNTED = "calls = 0\ndef double(x):\n    global calls\n    calls += 1\n    return 2 * x"
LATE = "def triple(x):\n    return 3 * x if calls == 0 else calls"


@pytest.fixture(scope="module")
def pool():
    if (reason := Bubblewrap().missing()) is not None:
        pytest.skip(reason)
    with SlotPool(Bubblewrap()) as made:
        yield made


@pytest.fixture
def grade(pool, write_suite):
    """The report of the notebook with these answers, and with more cells at its end; how many kernels it took."""
    parsed = document.parse(nbformat.writes(RELEASED).encode(), Limits())
    suite = write_suite(CHECKS, "", REFERENCE)

    def run(*more, limits=LIMITS, **answers):
        task = Task(Assignment("exercise", "Exercise", 10, limits=limits), parsed, "secret", suite.sha256, suite)
        with pool.lease(task.slot_spec()) as slot:
            before = slot.used
        given = notebook(*handed_in(**answers).cells, *map(new_code_cell, more))
        report = Grader(pool).grade(task, Submission("ada", "exercise", nbformat.writes(given).encode())).report
        with pool.lease(task.slot_spec()) as slot:
            return report, slot.used - before

    return run


@pytest.mark.parametrize(
    ("later", "kernels"),
    [
        ("np.sum = None", 2),
        ("import numpy\nnumpy.sum = None", 2),
        ("np = None", 2),
        ("def double(x):\n    while True:\n        pass", 4),
        ("import os\ndef double(x):\n    os._exit(1)", 4),
        ("%reset -f", 2),
    ],
)
def test_an_exercise_keeps_its_points(grade, later, kernels):
    triple = "def triple(x):\n    return 3 * x"
    report, used = grade(later, triple, double=NUMPY, triple=triple)
    assert (report.score, used) == (10, kernels)
    assert "judged with the definition above its examples" in report.notes[0]


def test_a_right_notebook_takes_one_kernel(grade):
    report, used = grade("def double(x):\n    return x + x", "import numpy as np", double=NUMPY)
    assert (report.score, used) == (10, 1)


def test_the_calls_of_a_check_change_nothing_for_later_cells(grade):
    """Both exercises fail at the end; at its graded cell `triple` is right only if no check has called `double`."""
    report, used = grade("calls = -1\ndef double(x):\n    return calls", double=COUNTED, triple=LATE)
    assert (report.score, used) == (10, 3)


def test_a_notebook_that_defines_everything_again_in_each_of_many_cells_stays_in_its_time(grade):
    cells = ["def double(x):\n    return x\ndef triple(x):\n    return x\nnp = calls = None"] * 100
    limits = replace(LIMITS, total_seconds=20)
    report, used = grade(*cells, double=NUMPY, limits=limits)
    assert (report.status, used) == ("graded", 3)
    assert report.score == 10
