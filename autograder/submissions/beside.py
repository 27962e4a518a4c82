"""The files that a student handed in beside the notebook: helpers, data, pictures; capped in number and size."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from autograder.model.submission import SubmittedFile
from autograder.model.wording import one_line
from autograder.notebooks.document import UnreadableNotebook
from autograder.submissions.candidates import NOT_STUDENTS, NOTEBOOK
from autograder.submissions.tree import Entry, Tree, TreeError

MAX_FILES: Final = 100
MAX_BYTES: Final = 10 * 2**20
"""Of all files together."""
MAX_PATH: Final = 200
"""Bytes of a file's path, below the notebook's folder."""
MAX_PARTS: Final = 5

_GENERATED = re.compile(r"\.(pyc|pyo|tmp|swp|log)$|~$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Beside:
    """The files, a line for the student on those that were left out, and a line for staff."""

    files: tuple[SubmittedFile, ...] = ()
    note: str = ""
    warning: str = ""


def beside(tree: Tree, folder: str, released: Mapping[str, bytes], notebook: str) -> Beside:
    """Collect the files below `folder` of `tree`, sorted by name.

    Left out: other notebooks, what nbgrader writes, unchanged files of the release (`released`, by path). What is
    beyond the caps is left out and reported; small files and Python modules come before large ones.

    Args:
        tree: what was handed in; it holds regular files alone.
        folder: where the notebook lies.
        released: the files that were released beside the notebook, by path.
        notebook: the notebook's own path in `tree`, whatever its ending is.
    """
    found: dict[str, bytes] = {}
    left: list[str] = []
    room, work, skip = MAX_BYTES, 3 * MAX_BYTES, len(folder) + 1 if folder else 0
    for entry in sorted(tree.under(folder), key=_rank):
        name = entry.name[skip:]
        if entry.name == notebook or _is_no_students(entry, name):
            continue
        if len(found) >= MAX_FILES or entry.size > min(room, work) or not _is_path(name):
            left.append(name)
            continue
        work -= entry.size  # what is read and then dropped (damaged members of an archive) is bounded too
        if entry.size == len(released.get(name, b"")) and name in released and _read(entry, room) == released[name]:
            continue
        content = _read(entry, room)
        if content is None:
            left.append(name)
            continue
        found[name] = content
        room -= len(content)
    links = [name[skip:] for name in tree.special if not folder or name.startswith(f"{folder}/")]
    left += [*links, *(name[skip:] for name in tree.unreadable if not folder or name.startswith(f"{folder}/"))]
    files = tuple(SubmittedFile(name, found[name]) for name in sorted(found))
    if not left and not tree.cut:
        return Beside(files)
    names = ", ".join(one_line(name, 60) for name in left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")
    what = f"files beside the notebook were left out ({names or 'there are too many'})"
    caps = f"at most {MAX_FILES} plain files with {MAX_BYTES >> 20} MB in all are kept"
    return Beside(files, f"Some {what}: {caps}.", f"some {what}: {caps}")


def _rank(entry: Entry) -> tuple[bool, int, str]:
    return (not entry.name.endswith(".py"), entry.size, entry.name)


def _is_no_students(entry: Entry, name: str) -> bool:
    return (
        name in NOT_STUDENTS
        or NOTEBOOK.search(entry.file_name) is not None
        or _GENERATED.search(entry.file_name) is not None
        or name.startswith("feedback/")
    )


def _is_path(name: str) -> bool:
    """Whether a path can be made in any sandbox, and shown."""
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return False
    parts = name.split("/")
    return (
        len(encoded) <= MAX_PATH
        and len(parts) <= MAX_PARTS
        and not any(part in {"", ".", ".."} or part.startswith("-") for part in parts)
        and not any(unicodedata.category(each)[0] == "C" for each in name)
    )


def _read(entry: Entry, room: int) -> bytes | None:
    """The content; None where it cannot be read, or is larger than it was listed."""
    try:
        content = entry.read(room + 1)
    except (TreeError, UnreadableNotebook):
        return None
    return content if len(content) <= room else None
