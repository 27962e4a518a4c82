"""The limit: the cells and the checks of each submission in this one process, warm. Nothing can grade them for less.

`python -m benchmarks.limit ASSIGNMENT` prints, as JSON, seconds of wall and of CPU a submission, and the scores.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
import time
import warnings
from contextlib import redirect_stdout
from typing import Any

import matplotlib as mpl
import numpy as np  # noqa: F401 - what a zygote has imported, this process has too
import pytorch_lightning as pl  # noqa: F401
import torch  # noqa: F401
from matplotlib import pyplot as plt
from nbformat import NotebookNode

from autograder.checks.draw import Attempt
from autograder.grading.cells import is_checked
from autograder.grading.grade import Task
from autograder.model.submission import Submission
from autograder.notebooks import document
from autograder.notebooks.rebuild import rebuild
from autograder.settings import Settings
from benchmarks.direct import points

ROUNDS = 3


def namespace_of(notebook: NotebookNode) -> dict[str, Any]:
    """Run the cells that the grader runs; a cell that raises ends there. Figures are drawn as a kernel draws them."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in notebook.cells:
        if cell.cell_type != "code" or is_checked(cell):
            continue
        try:
            exec(compile(cell.source, "<cell>", "exec"), namespace)  # noqa: S102 - our own submissions
        except Exception as error:  # noqa: BLE001 - as in a notebook whose errors are allowed
            print(repr(error))
        for number in plt.get_fignums():
            plt.figure(number).savefig(io.BytesIO(), format="png", bbox_inches="tight")
        plt.close("all")
    return namespace


def measure(task: Task, notebooks: dict[Attempt, NotebookNode]) -> tuple[float, float, dict[str, float]]:
    """Seconds of wall and of CPU a submission, and each student's score."""
    name = task.assignment.name
    scores: dict[str, float] = {}
    wall, cpu = time.perf_counter(), time.process_time()
    for attempt, notebook in notebooks.items():
        namespace = namespace_of(notebook)
        scores[attempt.student] = sum(points(name, cell, namespace, attempt) for cell in task.suite.cells())
    count = len(notebooks)
    return (time.perf_counter() - wall) / count, (time.process_time() - cpu) / count, scores


def main() -> None:
    """The command: the first round warms up, the others count."""
    warnings.simplefilter("ignore")
    mpl.use("agg")
    name = sys.argv[1]
    settings = Settings.read()
    task = Task.load(settings.assignment(name), settings.root, settings.secret)
    importlib.import_module(f"solutions.{name}.checks")
    paths = sorted(settings.course_folder.glob(f"submitted/*/{name}/{name}.ipynb"))
    submissions = [Submission(path.parents[1].name, name, path.read_bytes()) for path in paths]
    notebooks = {
        task.attempt(each): rebuild(task.released, document.parse(each.content, task.assignment.limits)).notebook
        for each in submissions
    }
    with redirect_stdout(io.StringIO()):
        rounds = [measure(task, notebooks) for _ in range(ROUNDS + 1)][1:]
    wall, cpu = (sum(found[index] for found in rounds) / ROUNDS for index in (0, 1))  # type: ignore[misc]
    print(json.dumps({"wall": wall, "cpu": cpu, "scores": rounds[-1][2]}))


if __name__ == "__main__":
    main()
