"""A course of its own in a temporary folder: this project's assignments and `light`, released, and classes to grade."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nbformat
from nbformat import NotebookNode

from autograder.grading import specimens
from autograder.grading.grade import Task
from autograder.notebooks.release import release
from autograder.sandbox.process import THREADS
from autograder.settings import Settings

PROJECT: Final = Path(__file__).resolve().parents[1]
LIGHT: Final = """
[[assignments]]
name = "light"
title = "Light"
profile = "torch"
"""
NOT_COPIED: Final = shutil.ignore_patterns(
    "submitted", "autograded", "feedback", "source", "release", "*.db*", ".secret", "__pycache__", "nbgrader_config.py"
)
KINDS: Final = frozenset(
    {
        "right",
        "second",
        "one mistake",
        "mistakes",
        "unfinished",
        "deleted cell",
        "retyped and relabelled cells",
        "syntax error",
    }
)
"""Of the example class, those whose run ends by itself: others cost what a limit allows, or end nbgrader's batch."""


@dataclass(frozen=True, slots=True)
class Set:
    """Submissions of one assignment. `make` gives the different ones; a class is made of them, over and over."""

    name: str
    title: str
    assignment: str
    many: int
    """How many times nbgrader's class the grader's large one is: the cheaper a submission, the more it takes."""
    make: Callable[[Task], list[NotebookNode]]

    def contents(self, task: Task) -> list[bytes]:
        """The different submissions, as files that nbgrader reads too: it wants its schema's version in each cell."""
        notebooks = self.make(task)
        for cell in (cell for notebook in notebooks for cell in notebook.cells if "nbgrader" in cell.metadata):
            cell.metadata.nbgrader.schema_version = 3
        return [nbformat.writes(notebook).encode() for notebook in notebooks]


def _light(task: Task) -> list[NotebookNode]:
    """Two right answers of one kind, one of another, one with a mistake; then the next mistake."""
    notebooks = []
    for mistake in task.suite.mistakes:
        right = specimens.right(task)
        notebooks += [right, specimens.second(task), right, specimens.mistaken(task, [mistake], "")]
    return notebooks


def _example_class(task: Task) -> list[NotebookNode]:
    from solutions import example_class  # the copy: `solutions` is the course's own here

    students = example_class.make(task)
    return [nbformat.reads(student.content, as_version=4) for student in students if student.kind in KINDS]


SETS: Final = {
    "light": Set("light", "Light: milliseconds of student code, torch and lightning imported", "light", 20, _light),
    "class": Set("class", "The example class of `convolution`", "convolution", 5, _example_class),
}


@dataclass(frozen=True, slots=True)
class Course:
    """The temporary course. `root` is the project's root for the grader, `root/nbgrader` nbgrader's course."""

    root: Path

    @classmethod
    def build(cls, root: Path, assignments: list[str]) -> Course:
        """Copy what the course is made of into the empty folder `root`, and release these assignments.

        Call it once in a process, before `solutions` is imported: it is imported from there.
        """
        for name in ("course", "solutions"):
            shutil.copytree(PROJECT / name, root / name, ignore=NOT_COPIED)
        shutil.copytree(PROJECT / "benchmarks" / "light", root / "solutions" / "light", ignore=NOT_COPIED)
        settings = root / "course" / "course.toml"
        settings.write_text(settings.read_text() + LIGHT)
        (root / "slots").mkdir()
        for name in assignments:
            release(root / "solutions" / name / "notebook.py", root / "assignments" / name)
        return cls(root)

    def task(self, name: str) -> Task:
        """What submissions of the assignment are graded against."""
        settings = Settings.read(self.root)
        return Task.load(settings.assignment(name), self.root, settings.secret)

    def environment(self) -> Mapping[str, str]:
        """For every process that is measured: the same course, the same secret, one thread."""
        return {
            **os.environ,
            **dict.fromkeys(THREADS, "1"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # nbgrader runs alembic
            "PYTHONPATH": os.pathsep.join([str(self.root), str(PROJECT), *_given()]),
            "AUTOGRADER_ROOT": str(self.root),
            "AUTOGRADER_RUN": str(self.root / "slots"),
            "AUTOGRADER_SECRET": Settings.read(self.root).secret,
            "PYTHONWARNINGS": "ignore",
        }


def hand_in(folder: Path, assignment: str, contents: list[bytes], students: int) -> None:
    """Make `folder` (a course's `submitted/`) hold a class of this size and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(students):
        place = folder / f"student{number:04d}" / assignment
        place.mkdir(parents=True)
        (place / f"{assignment}.ipynb").write_bytes(contents[number % len(contents)])


def python(module: str, *arguments: str) -> list[str]:
    """The command line that runs one of our modules, or nbgrader, with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def _given() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
