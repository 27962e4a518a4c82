"""The course's folders as nbgrader lays them out: where graded notebooks go."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from autograder.errors import StorageError, UsageError
from autograder.gradebook import names


def autograded(course_root: Path, student: str, assignment: str) -> Path:
    """The folder of a graded submission.

    Raises:
        UsageError: a name that would lead out of the folder, or out of a table's cell.
    """
    for name in (student, assignment):
        _expect_name(name)
    return course_root / "autograded" / student / assignment


@contextmanager
def prepared(files: dict[Path, str]) -> Iterator[Callable[[], None]]:
    """Write `files` under temporary names, which takes the room they need; what is yielded moves them.

    Raises:
        UsageError: they can't be written (no space, no right).
    """
    with ExitStack() as stack:
        temporary: dict[Path, Path] = {}
        try:
            for path, text in files.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary[path] = path.parent / f".{path.name}.{os.getpid()}"
                stack.callback(temporary[path].unlink, missing_ok=True)
                temporary[path].write_text(text, encoding="utf-8")
        except OSError as error:
            raise _unwritable(error) from error

        def publish() -> None:
            try:
                for path, ready in temporary.items():
                    ready.replace(path)
            except OSError as error:
                raise _unwritable(error) from error

        yield publish


def _expect_name(name: str) -> None:
    if told := names.refusal(name):
        raise UsageError(told)


def _unwritable(error: OSError) -> UsageError:
    """The disk is full: nothing can be recorded any more. Anything else concerns this folder alone."""
    kind = StorageError if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS} else UsageError
    return kind(
        f"{error.filename}: {error.strerror}: make room or mend its rights, and grade again; "
        "scores recorded so far are kept"
    )
