"""nbgrader's side: its course, our checks as hidden tests in its source notebook, its `autograde` over a class."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Final

import nbformat
from nbgrader.api import Gradebook

from autograder.grading.cells import is_checked
from autograder.notebooks.release import model_answer
from benchmarks.course import Course, hand_in, python
from benchmarks.processes import Cost, run

HIDDEN: Final = """### BEGIN HIDDEN TESTS
from benchmarks.direct import points

points({assignment!r}, {cell!r}, globals())
### END HIDDEN TESTS"""
"""A graded cell: the points of its checks are its value, which is nbgrader's partial credit."""


class Nbgrader:
    """nbgrader as an instructor runs it: one `nbgrader autograde` over the class, one kernel a notebook."""

    def __init__(self, course: Course, assignment: str, contents: Sequence[bytes]) -> None:
        """Make its course in `root/nbgrader/<assignment>` and generate the assignment there."""
        self.course, self.assignment, self.contents = course, assignment, list(contents)
        self.folder = course.root / "nbgrader" / assignment
        notebook = model_answer(course.root / "solutions" / assignment / "notebook.py")
        for cell in notebook.cells:
            if is_checked(cell):
                cell.source = HIDDEN.format(assignment=assignment, cell=cell.metadata.nbgrader.grade_id)
        source = self.folder / "source" / assignment / f"{assignment}.ipynb"
        source.parent.mkdir(parents=True)
        nbformat.write(notebook, source)
        command = python("nbgrader", "generate_assignment", assignment)
        run(command, self.folder, course.environment(), self.folder / "log")
        shutil.copy(self.folder / "gradebook.db", self.folder / "generated.db")

    def run(self, students: int) -> Cost:
        """Grade a class of this size from nothing.

        Raises:
            BenchmarkError: a submission could not be graded.
        """
        shutil.copy(self.folder / "generated.db", self.folder / "gradebook.db")
        shutil.rmtree(self.folder / "autograded", ignore_errors=True)
        hand_in(self.folder / "submitted", self.assignment, self.contents, students)
        command = python("nbgrader", "autograde", self.assignment)
        return run(command, self.folder, self.course.environment(), self.folder / "log")

    def scores(self) -> dict[str, float]:
        """Each student's score in nbgrader's gradebook, without what a human grades."""
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as book:
            return {
                found.student.id: sum(grade.auto_score or 0.0 for grade in found.notebooks[0].grades)
                for found in book.find_assignment(self.assignment).submissions
            }
