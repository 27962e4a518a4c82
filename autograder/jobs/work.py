"""What a worker does: grade one submission. Only names and bytes come in, only bytes go out."""

from __future__ import annotations

import gc
import json
import warnings
from dataclasses import dataclass
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Final

from autograder.errors import AssignmentError, BrokenChecksError, CheckerError, UsageError
from autograder.grading.grade import Grader, Task
from autograder.grading.slots import SlotPool
from autograder.model.assignment import Assignment
from autograder.model.report import Report
from autograder.model.submission import Submission
from autograder.notebooks import document
from autograder.notebooks.releases import Releases
from autograder.sandbox import gpu
from autograder.sandbox.choose import sandbox
from autograder.settings import Settings
from autograder.submissions.candidates import loaded
from autograder.submissions.find import submission_of

IMPORTS: Final = {
    "python": (__name__, "autograder.gradebook.feedback"),
    "numpy": (__name__, "autograder.gradebook.feedback"),
    "torch": (__name__, "autograder.gradebook.feedback", "torch", "pytorch_lightning"),
}
"""What a worker imports for assignments of a profile. Not the checks: a long-lived process must see them change."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a worker grades: by names alone, so that it can be sent anywhere the project is installed."""

    root: str
    assignment: str
    sandbox: str
    image: str | None = None
    runtime: str | None = None
    slot_lifetime: int = 1
    limits: tuple[str, ...] = ()
    """`NAME=VALUE`: what goes before the course's own."""
    gpus: str = gpu.NONE
    """Those of the worker's machine that it may use, as `autograder.sandbox.gpu.chosen` reads them."""
    slots_per_gpu: int = 1


@cache
def grader(setup: Setup) -> tuple[Grader, Task]:
    """This process's grader and task, made once. Its slots are removed when the process ends.

    Raises:
        AssignmentError, BrokenChecksError: no submission of this assignment can be graded.
    """
    settings = Settings.read(setup.root, setup.limits)
    try:
        task = Task.load(settings.assignment(setup.assignment), settings.root, settings.secret)
    except CheckerError as error:
        raise BrokenChecksError(str(error)) from error
    except UsageError as error:
        raise AssignmentError(str(error)) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the command has told who started it
        chosen = sandbox(setup.sandbox)
    pool = SlotPool(chosen, setup.slot_lifetime)
    Finalize(None, pool.close, exitpriority=0)  # not atexit: a fork of the forkserver ends without it
    gc.collect()
    gc.freeze()  # what has been imported stays: no later collection need look at it
    # a worker that was to have a GPU and has none must not grade at the CPU's size: its turns say so
    gpus = None if setup.gpus == gpu.NONE else gpu.Gpus(gpu.chosen(setup.gpus), setup.slots_per_gpu)
    return Grader(pool, setup.image, setup.runtime, gpus), task


def warm(setup: Setup) -> None:
    """Import what grading needs and start a slot, so that the first submission waits for nothing.

    Raises:
        AutogradeError: as `grader`, or the sandbox cannot be started.
    """
    found, task = grader(setup)
    found.pool.warm(task.slot_spec(setup.image, setup.runtime))


def work(setup: Setup, submission: Submission) -> tuple[bytes, bytes]:
    """The report (all of it) and the annotated notebook of one submission, both as JSON."""
    from autograder.gradebook.feedback import annotate

    found, task = grader(setup)
    graded = found.grade(task, submission)
    notebook = annotate(graded.notebook or task.released, graded.report, task.assignment.title)
    return json.dumps(graded.report.stored()).encode(), json.dumps(notebook).encode()


def submission(student: str, assignment: Assignment, path: Path, releases: Releases | None = None) -> Submission:
    """What a student handed in as one file, whatever its name is; what cannot be read is graded as unreadable.

    Args:
        student: whose it is.
        assignment: what it is graded for.
        path: the file.
        releases: the course's released notebooks, which tell another assignment's notebook.

    Raises:
        UsageError: the file is there but may not or cannot be read by the grader.
    """
    try:
        content = document.read(path, assignment.limits)
    except document.UnreadableNotebook as error:
        return Submission(student, assignment.name, b"", unreadable=error.message)
    known = releases or Releases(path.parent, ())
    return submission_of(student, assignment, loaded(content, path.name, assignment, known))


def report_of(data: bytes) -> Report:
    """The report that `work` returned."""
    return Report.from_stored(json.loads(data))
