"""Right answers keep their points, whatever students and their tools did to the notebook around them."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from changed_notebooks import CODE, Change, Notebook

from autograder.grading import specimens
from autograder.grading.grade import Grader, Task
from autograder.grading.slots import SlotPool
from autograder.model.submission import Submission
from autograder.sandbox.bwrap import Bubblewrap
from autograder.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def task() -> Task:
    settings = Settings.read(ROOT)
    return Task.load(settings.assignment("convolution"), ROOT, "a secret")


@pytest.fixture(scope="module")
def grader():
    if (reason := Bubblewrap().missing()) is not None:
        pytest.skip(reason)
    with SlotPool(Bubblewrap(), lifetime=1000) as pool:
        yield Grader(pool)


@pytest.fixture(scope="module")
def right(task: Task) -> Notebook:
    """All answers, right ones."""
    plain = json.loads(nbformat.writes(specimens.right(task), version=4, split_lines=False))
    return Notebook(plain["cells"], {c.metadata.nbgrader.grade_id: c.source for c in task.released.cells})


@pytest.mark.slow
@pytest.mark.parametrize("change", CODE.values(), ids=CODE)
def test_right_answers_keep_their_points(task: Task, grader: Grader, right: Notebook, change: Change) -> None:
    changed = Notebook(right.cells, right.released)
    change(changed)
    content = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": changed.cells}).encode()
    report = grader.grade(task, Submission("ada", "convolution", content)).report
    failed = [f"{check.name}: {check.message}" for check in report.checks if check.verdict != "pass"]
    assert failed == [], report.repairs
    assert report.score == 100
    assert len(report.repairs) <= 10
