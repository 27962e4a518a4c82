"""The course's folders as nbgrader lays them out: what was handed in, and where graded notebooks go."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from nbgrader.utils import parse_utc

from autograder.errors import UsageError

NAME: Final = re.compile(r"\w[\w.@+ -]{0,254}")
"""A student: what neither a spreadsheet, a page nor a terminal takes for anything else."""


class Submitted(NamedTuple):
    """What lies in `submitted/<student>/<assignment>/`. Without a `timestamp` (None) it is never late.

    `doubt` is what staff should look at.
    """

    student: str
    path: Path
    timestamp: datetime | None
    doubt: str = ""


def submitted(course_root: Path, assignment: str) -> list[Submitted]:
    """The submissions of an assignment, sorted by student. Links are passed over.

    `path` is where the notebook should be: it may be missing, or be something else.
    """
    folder = course_root / "submitted"
    if not folder.is_dir():
        return []
    found = []
    for student in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)):
        handed_in = folder / student / assignment
        if handed_in.is_dir() and not handed_in.is_symlink():
            _expect_name(student)
            notebook = handed_in / f"{assignment}.ipynb"
            found.append(Submitted(student, notebook, *_timestamp(handed_in / "timestamp.txt")))
    return found


def strangers(course_root: Path, assignments: Collection[str]) -> list[Path]:
    """Folders with notebooks in `submitted/<student>/` that are named after none of `assignments`."""
    return sorted(
        folder
        for folder in (course_root / "submitted").glob("*/*/")
        if folder.name not in assignments and any(folder.glob("*.ipynb"))
    )


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


def _timestamp(path: Path) -> tuple[datetime | None, str]:
    """When a submission was handed in, by its `timestamp.txt`, in the formats that nbgrader reads; and a doubt.

    Where that can't be read, the file's own time counts: a spoilt one is no way to be in time.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None, ""
    own = datetime.fromtimestamp(found.st_mtime, UTC)
    doubt = f"{path} is no time as nbgrader writes it: its own date counts, {own:%Y-%m-%d %H:%M} UTC"
    if not stat.S_ISREG(found.st_mode):
        return own, doubt
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(200).strip()
    try:
        moment = parse_utc(text) if text else None
    except (ValueError, OverflowError):
        return own, doubt
    return (moment.replace(tzinfo=UTC) if moment else None), ""


def _expect_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a folder of submissions: expected letters, digits, spaces and . _ - + @, and "
            "first a letter, a digit or _, since tables and pages show it as it is: rename it"
        )


def _unwritable(error: OSError) -> UsageError:
    return UsageError(
        f"{error.filename}: {error.strerror}: make room or mend its rights, and grade again; "
        "scores recorded so far are kept"
    )
