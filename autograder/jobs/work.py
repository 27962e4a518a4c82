"""What a worker does: grade one submission. Only names and bytes come in, only bytes go out."""

from __future__ import annotations

import atexit
import gc
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from autograder.errors import UsageError
from autograder.grading.grade import Grader, Task
from autograder.grading.slots import DEFAULT_LIFETIME, SlotPool
from autograder.model.report import Report
from autograder.model.submission import Submission
from autograder.sandbox.choose import sandbox
from autograder.settings import Settings

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
    slot_lifetime: int = DEFAULT_LIFETIME


@cache
def grader(setup: Setup) -> tuple[Grader, Task]:
    """This process's grader and task, made once. Its slots are removed when the process ends."""
    settings = Settings.read(setup.root)
    task = Task.load(settings.assignment(setup.assignment), settings.root, settings.secret)
    pool = SlotPool(sandbox(setup.sandbox), setup.slot_lifetime)
    atexit.register(pool.close)
    gc.collect()
    gc.freeze()  # what has been imported stays: no later collection need look at it
    return Grader(pool, setup.image, setup.runtime), task


def warm(setup: Setup) -> None:
    """Import what grading needs and start a slot, so that the first submission waits for nothing.

    Raises:
        AutogradeError: as `grader`, or the sandbox cannot be started.
    """
    found, task = grader(setup)
    found.pool.warm(task.slot_spec(setup.image, setup.runtime))


def work(setup: Setup, student: str, content: bytes) -> tuple[bytes, bytes]:
    """The report (all of it) and the annotated notebook of one submission, both as JSON."""
    from autograder.gradebook.feedback import annotate

    found, task = grader(setup)
    graded = found.grade(task, Submission(student, setup.assignment, content))
    notebook = annotate(graded.notebook or task.released, graded.report)
    return json.dumps(graded.report.stored()).encode(), json.dumps(notebook).encode()


def read(path: Path, limit: int) -> bytes:
    """The bytes of a submitted notebook; what cannot be read is graded as what it is, unreadable.

    At most `limit` + 1 bytes are read. A link, a folder or nothing at all reads as no bytes.

    Raises:
        UsageError: the file is there but may not be read by the grader.
    """
    if path.is_symlink() or not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except PermissionError as error:
        raise UsageError(f"{path} may not be read: give the grader's user the right to ({error.strerror})") from error


def report_of(data: bytes) -> Report:
    """The report that `work` returned."""
    return Report.from_stored(json.loads(data))
