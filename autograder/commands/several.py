"""Work on several assignments, one after the other: one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograder.console import note
from autograder.errors import AutograderError, CheckerError, SandboxError, StorageError
from autograder.model.assignment import Assignment


def each(assignments: Sequence[Assignment], work: Callable[[Assignment, str], bool]) -> bool:
    """Call `work(assignment, label)` for each; it returns whether all is well.

    The label names the assignment, and which of how many it is where there are several. What one assignment raises is
    printed and the next one is worked on, unless it is the only one.

    Returns:
        Whether all is well.

    Raises:
        AutograderError: the only assignment failed; or the sandbox or the database cannot be used.
    """
    well = True
    for number, assignment in enumerate(assignments, 1):
        single = len(assignments) == 1
        label = assignment.name if single else f"{assignment.name} ({number} of {len(assignments)})"
        try:
            well &= work(assignment, label)
        except (StorageError, SandboxError):
            raise
        except AutograderError as error:
            if single:
                raise
            kind = "checks failed" if isinstance(error, CheckerError) else "error"
            note(kind, f"{assignment.name}: {str(error).partition(chr(10))[0]}; the other assignments go on")
            well = False
    return well
