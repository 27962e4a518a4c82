"""Files beside a notebook: those that an assignment is released with, and which of them a sandbox takes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.errors import UsageError
from autograder.inside.files import MOST_FILES, is_safe
from autograder.model.assignment import Limits
from autograder.model.submission import SubmittedFile
from autograder.notebooks.document import MAX_CODE

FOLDER = "files"
"""In `solutions/<name>/`: what lies beside the released notebook. Nothing else of that folder is released."""
IGNORED = ("__pycache__",)
"""Folders that programs leave; what is hidden is passed over too."""


def of_source(source: Path) -> dict[str, Path]:
    """Return the files of `solutions/<name>/files/` by their names, which are relative paths with `/`.

    Args:
        source: the source notebook, `solutions/<name>/notebook.py`.

    Raises:
        UsageError: a link, something that is no plain file, a name that no sandbox takes, or too many files.
    """
    folder = source.parent / FOLDER
    found = dict(sorted(_walk(folder))) if folder.is_dir() else {}
    for name, path in found.items():
        if path.is_symlink() or not path.is_file():
            raise UsageError(f"{path} is no plain file: only those can be released")
        if not is_safe(name):
            raise UsageError(f"{path} cannot be released under this name: use letters, digits, `-`, `_` and `.`")
        if name == f"{source.parent.name}.ipynb":
            raise UsageError(f"{path} has the name of the released notebook: give it another one")
    if len(found) > MOST_FILES:
        raise UsageError(f"{folder} holds {len(found)} files: at most {MOST_FILES} can be released")
    return found


def release(source: Path, destination: Path) -> None:
    """Copy the files of a source notebook beside its released one, in the folder `destination`.

    Raises:
        UsageError: as `of_source`; a file of the release is in the way.
    """
    for name, path in of_source(source).items():
        target = destination / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        except OSError as error:
            raise UsageError(f"{target} cannot be written ({error.strerror}): move away what lies there") from error


def stale(source: Path, destination: Path) -> tuple[list[str], list[str]]:
    """Return the names of files that are not in `destination` as `release` puts them there, and of those too many.

    Raises:
        UsageError: as `of_source`.
    """
    wanted = of_source(source)
    there = dict(_walk(destination)) if destination.is_dir() else {}
    there.pop(f"{source.parent.name}.ipynb", None)
    differing = [
        name
        for name, path in wanted.items()
        if name not in there or not there[name].is_file() or there[name].read_bytes() != path.read_bytes()
    ]
    return differing, sorted(there.keys() - wanted.keys())


def released(source: Path, destination: Path, limits: Limits) -> tuple[SubmittedFile, ...]:
    """Return the files that an assignment was released with, as they lie beside its released notebook.

    Raises:
        UsageError: as `of_source`; one was not released, or together they take more than half of `limits.disk_bytes`.
    """
    found = []
    for name in of_source(source):
        path = destination / name
        if not path.is_file():
            raise UsageError(f"{path} is missing: run `autograder release {source.parent.name}`")
        found.append(SubmittedFile(name, path.read_bytes()))
    size = sum(len(file.content) for file in found)
    if size > limits.disk_bytes // 2:
        raise UsageError(
            f"the files of {source.parent.name} take {size / 2**20:.1f} MiB, and a submission may use "
            f"{limits.disk_bytes / 2**20:g} MiB with its own files: raise disk_mb, or release less"
        )
    return tuple(found)


def admitted(
    given: Iterable[SubmittedFile], handed_in: Iterable[SubmittedFile], limits: Limits
) -> tuple[tuple[SubmittedFile, ...], tuple[str, ...]]:
    """Return the files that a submission's kernels get, and a line for the student on each kind that was left out.

    The released ones, `given`, come first: no other replaces them. Those that were handed in follow while they are not
    too many, have names that lead nowhere else, and leave half of `limits.disk_bytes` free. Modules are read for
    forbidden shortcuts, and may have `MAX_CODE` characters together.
    """
    taken = {file.name: file for file in given}
    room, code = limits.disk_bytes // 2 - sum(len(file.content) for file in taken.values()), MAX_CODE
    replaced, unsafe, excess = [], [], []
    for file in handed_in:
        script = len(file.content) if file.name.endswith(".py") else 0
        if not is_safe(file.name):
            unsafe.append(file.name)
        elif file.name in taken:
            replaced += [file.name] if taken[file.name].content != file.content else []
        elif len(taken) >= MOST_FILES or len(file.content) > room or script > code:
            excess.append(file.name)
        else:
            taken[file.name] = file
            room -= len(file.content)
            code -= script
    most = f"{MOST_FILES} files of {limits.disk_bytes // 2**21} MiB, and modules of {MAX_CODE} characters"
    told = [
        f"{_listed(names)} {'was' if len(names) == 1 else 'were'} {what}"
        for names, what in (
            (replaced, "handed in changed: the released text or data was used."),
            (unsafe, "left out: a file's name may have no hidden part, and no special characters."),
            (excess, f"left out: with a notebook at most {most} can be graded."),
        )
        if names
    ]
    return tuple(taken.values()), tuple(told)


def _listed(names: list[str]) -> str:
    """The first of some names, printable and short, for a message."""
    shown = ["".join(each if each.isprintable() else "?" for each in name[:60]) for name in names[:3]]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(f"`{name}`" for name in shown) + more


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """All that is no folder in `folder`, by relative path, sorted; nothing hidden, and no link is followed."""
    for top, names, files in os.walk(folder, followlinks=False):
        links = [name for name in names if stat.S_ISLNK(Path(top, name).lstat().st_mode)]
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in {*IGNORED, *links})
        for name in sorted([*files, *links]):
            if not name.startswith("."):
                path = Path(top, name)
                yield path.relative_to(folder).as_posix(), path
