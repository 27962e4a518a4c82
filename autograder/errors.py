"""The one exception tree.

Three kinds of failure are never confused: the student's, the sandbox's, the checker's.
"""

from __future__ import annotations

from typing import Literal

Cause = Literal["value", "shape", "type", "exception", "timeout", "memory", "died", "forbidden", "missing"]
"""Why a check failed, as the report names it."""


class AutograderError(Exception):
    """Anything this project raises on purpose. Its text is one line: expected, found, what to do."""


class UsageError(AutograderError):
    """The operator asked for what cannot be: an unknown assignment, a missing file, a locked gradebook.

    Exit 2.
    """


class StorageError(UsageError):
    """A database or a disk cannot be used (locked, full, unreachable): it ends a run, since nothing can be recorded.

    Exit 2.
    """


class AssignmentError(UsageError):
    """One assignment cannot be graded as it is set up: not released, other cells than the gradebook has.

    Other assignments can. Exit 2.
    """


class StudentFailure(AutograderError):  # noqa: N818 - a failure, the field's word, is what it is
    """The student's code failed: it costs the check its points.

    `message` is shown to the student; `detail` (a traceback of the student's code, a hidden input) to staff
    alone.
    """

    def __init__(self, cause: Cause, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.cause: Cause = cause
        self.message = message
        self.detail = detail


class KernelLost(StudentFailure):
    """A failure that took the kernel with it (time-out, memory, death): the next check needs a new one."""


class SandboxError(AutograderError):
    """The sandbox failed (engine unreachable, container lost, zygote dead): costs nothing, is retried."""


class MachineBusy(SandboxError):  # noqa: N818 - a state of the machine, and the cause of the error
    """Student code did not get its processor time within a multiple of its limit: other processes had it."""


class CheckerError(AutograderError):
    """checks.py or a reference raised: costs nothing, staff see the traceback."""


class BrokenChecksError(CheckerError):
    """The checks of an assignment cannot be loaded: none of its submissions can be graded, those of others can."""
