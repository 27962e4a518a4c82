"""Forbidden functions in a real kernel: each trick earns nothing, earns all without the layer, and nobody is accused.

A property that a wrong answer has gives no points either.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import shortcuts
from nbformat.v4 import new_code_cell
from shooting_range import KINDS, canary, plain
from shortcuts import Trick

from autograder.checks.suite import NOT_COUNTED, Suite
from autograder.grading import grade, specimens
from autograder.grading.grade import Grader, Task
from autograder.grading.slots import SlotPool
from autograder.model.report import Report
from autograder.model.submission import Submission
from autograder.notebooks.release import release
from autograder.settings import Settings

HERE = Path(__file__).parent
COURSE = """
[course]
id = "sliding"
title = "Sliding"

[[assignments]]
name = "sliding"
title = "Sliding"
profile = "numpy"
forbidden = ["numpy.convolve", "numpy.correlate", "numpy.fft", "numpy.lib.stride_tricks.as_strided"]

[assignments.limits]
cell_seconds = 10
call_seconds = 5
total_seconds = 60
"""
ZEROS = Trick("zeros, which are linear", "def slide(x, w):\n    return np.zeros(len(x) - len(w) + 1)", line=30)


class Course:
    """The assignment, and a grader for each sandbox."""

    def __init__(self, root: Path) -> None:
        solutions = root / "solutions"
        (solutions / "sliding").mkdir(parents=True)
        (solutions / "__init__.py").touch()
        for path in (HERE / "sliding").glob("*.py"):
            (solutions / "sliding" / path.name).write_text(path.read_text())
        (root / "course").mkdir()
        (root / "course" / "course.toml").write_text(COURSE)
        release(solutions / "sliding" / "notebook.py", root / "assignments" / "sliding")
        settings = Settings.read(root)
        self.task = Task.load(settings.assignment("sliding"), root, settings.secret)
        self.pools: dict[str, SlotPool] = {}

    def grade(self, kind: str, trick: Trick) -> Report:
        """The report of a submission whose answer to `slide` is the trick's."""
        pool = self.pools.setdefault(kind, SlotPool(KINDS[kind](), lifetime=10**6))
        notebook = specimens.right(self.task)
        first, answer = trick.cells
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "slide-solution":
                cell.source = answer
        if first:
            notebook.cells.insert(2, new_code_cell(first))
        content = nbformat.writes(notebook).encode()
        return Grader(pool).grade(self.task, Submission("mallory", "sliding", content)).report


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    root = tmp_path_factory.mktemp("sliding")
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "solutions"}
    for name in before:
        del sys.modules[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_SECRET", canary("environment"))
        patch.delenv("AUTOGRADER_ROOT", raising=False)
        patch.syspath_prepend(str(root))
        made = Course(root)
        yield made
        for pool in made.pools.values():
            pool.close()
    for name in [name for name in sys.modules if name.partition(".")[0] == "solutions"]:
        del sys.modules[name]
    sys.modules.update(before)


def points(report: Report) -> dict[str, float]:
    assert report.status == "graded", plain(report.error)
    return {name: sum(check.points for check in report.cell(name)) for name in ("slide", "line")}


def told(report: Report) -> str:
    return plain([(check.name, check.verdict, check.cause, check.message) for check in report.checks])


def by_name(trick: Trick) -> str:
    return trick.name.replace(" ", "-")


@pytest.mark.parametrize("attack", shortcuts.TRICKS, ids=by_name)
def test_a_trick_earns_nothing(course: Course, kind: str, attack: Trick) -> None:
    report = course.grade(kind, attack)
    assert points(report) == {"slide": 0.0, "line": 40.0}, told(report)


@pytest.mark.parametrize("attack", shortcuts.TRICKS, ids=by_name)
def test_no_trick_needs_the_search_in_the_source(
    course: Course, kind: str, attack: Trick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grade, "forbidden", lambda *_: {})
    report = course.grade(kind, attack)
    assert points(report) == {"slide": 0.0, "line": 40.0}, told(report)


@pytest.mark.parametrize("trick", shortcuts.TRICKS, ids=by_name)
def test_without_the_layers_a_trick_earns_all(course: Course, trick: Trick, monkeypatch: pytest.MonkeyPatch) -> None:
    if (reason := KINDS["bwrap"]().missing()) is not None:
        pytest.skip(f"bwrap: {reason}")
    monkeypatch.setattr(grade, "forbidden", lambda *_: {})
    real = grade.KernelSession
    monkeypatch.setattr(grade, "KernelSession", lambda *arguments: real(*arguments[:-1]))
    report = course.grade("bwrap", trick)
    assert points(report) == {"slide": 60.0, "line": 40.0}, told(report)


@pytest.mark.parametrize("trick", shortcuts.HONEST, ids=by_name)
def test_right_answers_are_not_accused(course: Course, kind: str, trick: Trick) -> None:
    report = course.grade(kind, trick)
    assert points(report) == {"slide": 60.0, "line": 40.0}, told(report)


def test_the_message_is_that_of_the_search(course: Course, kind: str) -> None:
    report = course.grade(
        kind, Trick("", "def slide(x, w):\n    return getattr(np, 'con' + 'volve')(x, w[::-1], 'valid')")
    )
    for check in report.cell("slide"):
        assert check.cause == "forbidden"
        assert check.message.startswith("`numpy.convolve` does the work of this exercise (at `return getattr(np, ")
        assert check.message.endswith("write it yourself")


@pytest.mark.parametrize("attack", [ZEROS], ids=by_name)
def test_a_property_counts_with_a_value_alone(
    course: Course, kind: str, attack: Trick, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = course.grade(kind, attack)
    assert points(report) == {"slide": 0.0, "line": 40.0}, told(report)
    assert NOT_COUNTED in {check.message for check in report.cell("slide")}
    monkeypatch.setattr(Suite, "counted", lambda _self, results: list(results))
    assert points(course.grade(kind, attack))["slide"] == 10.0


def test_the_grader_keeps_its_functions_when_nothing_is_forbidden(course: Course, kind: str) -> None:
    free = replace(course.task, assignment=replace(course.task.assignment, forbidden=()))
    given, course.task = course.task, free
    try:
        report = course.grade(kind, Trick("", "def slide(x, w):\n    return np.correlate(x, w)"))
    finally:
        course.task = given
    assert points(report) == {"slide": 60.0, "line": 40.0}, told(report)
