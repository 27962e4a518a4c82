"""nbgrader's own grading, refused: it would run students' code on this machine without walls, over our scores."""

from __future__ import annotations

from typing import Any, NoReturn

from nbconvert.exporters import NotebookExporter
from nbgrader.converters.base import NbGraderException


class Refusal(NotebookExporter):  # type: ignore[misc]  # its base is not typed
    """What `course/nbgrader_config.py` names as the exporter of `nbgrader autograde` and of formgrader's button.

    The converter makes its exporter before it removes, copies or runs anything.
    """

    def __init__(self, *, parent: Any, **_others: Any) -> NoReturn:
        """Say what to do instead.

        Raises:
            NbGraderException: always.
        """
        name = parent.coursedir.assignment_id or "NAME"
        message = f"nothing is graded here, outside a sandbox: run `autograder grade {name}` in the project's folder"
        parent.log.error(message)  # the command ends without a word of its own
        raise NbGraderException(message)
