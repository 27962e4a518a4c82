"""Options and arguments that several commands have, and the files that they write."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from autograder.access import Access, write
from autograder.errors import UsageError
from autograder.sandbox.choose import option_help

NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="assignments; all of the course where none is named", show_default=False),
]
StudentsOption = Annotated[list[str] | None, typer.Option("--student", help="only this student; may be repeated")]
SandboxOption = Annotated[
    str,
    typer.Option("--sandbox", help=option_help()),
]
ImageOption = Annotated[
    str | None, typer.Option("--image", help="the image of docker sandboxes (default: autograder:latest)")
]
RuntimeOption = Annotated[str | None, typer.Option("--runtime", help="the container runtime, e.g. runsc for gVisor")]
GpusOption = Annotated[
    str | None,
    typer.Option(
        "--gpus",
        help='for assignments with runner = "gpu": all, none, or numbers and UUIDs with commas between '
        "(default: as course.toml says)",
    ),
]
LimitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="NAME=VALUE",
        help="for this run, in place of what course.toml says: call_seconds=20, memory_mb=4096; may be repeated",
    ),
]


def examples(*lines: tuple[str, str]) -> str:
    """The epilog of a command's help: commands to try, each with what it does."""
    return "\n\n".join(["[bold]Examples[/]", *(f"[cyan]{command}[/]  {told}" for command, told in lines)])


def expect_folder(path: Path | None) -> None:
    """Check before the work that its result can be written after it.

    Raises:
        UsageError: there is no such folder.
    """
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written (no folder {path.parent}): make it, or choose another file")


def write_text(path: Path, text: str, access: Access) -> None:
    """Write a file that only those of `access` may read.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        write(path, text, access)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}): choose another file; what was graded is kept"
        ) from error


def write_json(path: Path, data: Any, access: Access) -> None:
    """Write plain data as JSON, as `write_text` does.

    Raises:
        UsageError: the file cannot be written.
    """
    write_text(path, json.dumps(data, indent=1) + "\n", access)


class JsonTarget:
    """Where `--json` writes: one list into a file, or a file for each assignment into a folder.

    A folder is a path that ends with a slash, which is made if it is missing, or one that is a folder already.

    Raises:
        UsageError: the path's parent folder is missing.
    """

    def __init__(self, given: str | None, access: Access) -> None:
        self._access = access
        self._path = Path(given) if given else None
        expect_folder(self._path)
        self._is_folder = bool(given) and (str(given).endswith((os.sep, "/")) or Path(str(given)).is_dir())
        self._all: list[Any] = []
        self._added = False

    def add(self, assignment: str, data: Sequence[Any]) -> None:
        """Write or keep the list of one assignment.

        Raises:
            UsageError: its file cannot be written.
        """
        self._all += data
        self._added = True
        if self._path is None or not self._is_folder:
            return
        try:
            self._path.mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self._path} cannot be made ({error.strerror}): choose another folder") from error
        write_json(self._path / f"{assignment}.json", data, self._access)

    def close(self) -> None:
        """Write the one list of all assignments that were added; nothing where none was.

        Raises:
            UsageError: the file cannot be written.
        """
        if self._path is not None and not self._is_folder and self._added:
            write_json(self._path, self._all, self._access)
