"""Read an untrusted notebook: caps on its size, only the fields that grading needs, one failure for all else.

nbformat's own reader validates and copies everything, outputs and metadata of any depth included. Grading
throws those away, so they are not looked at here: what a student can put there can do no harm.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import itertools
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from nbformat import NotebookNode

from autograder.errors import StudentFailure, UsageError
from autograder.model.assignment import Limits
from autograder.model.wording import one_line
from autograder.notebooks.recognise import SAVED_AGAIN, is_cut_short, recognised

MAX_CELLS: Final = 2_000
MAX_CODE: Final = 200_000
"""Characters of code in all cells: the grader analyses them, and syntax trees are a thousand times as large."""
MAX_LINES: Final = 5_000
"""Statements of code in all cells, their parts aside: each is analysed by itself."""
FEW_LINES: Final = 500
"""Lines of a cell of which the statements are not counted."""
FLAGS: Final = ("grade", "solution", "locked", "task", "points")
"""What nbgrader's metadata says about a cell, besides its `grade_id`."""
CUT_SHORT: Final = "A download or an upload was interrupted, or the disk was full. " + SAVED_AGAIN

PICTURES: Final = ("image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp")
"""Media types of attachments that are kept."""
MAX_ATTACHMENTS: Final = 40
"""Attachments of a cell."""

_PYTHON = re.compile(r"3\.\d{1,3}(\.\d{1,3})?", re.ASCII)
_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TYPES = {"code": "code", "markdown": "markdown", "raw": "raw", "heading": "markdown", "html": "markdown"}
_ADVICE = "Open it in Jupyter, save it, and hand it in again."


class UnreadableNotebook(StudentFailure):
    """What was handed in is not a notebook that can be graded. Its cause is always `type`."""


def open_plain(path: Path) -> BinaryIO:
    """Open a regular file for reading; a link is not followed, and nothing is waited for.

    Raises:
        UnreadableNotebook: it is a link, a folder or a special file.
        OSError: it is not there, or may not or cannot be read.
    """
    try:
        # O_NONBLOCK: opening a pipe must not wait for somebody to write into it
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link; a socket
            raise _unreadable("a plain file", "a link or a special file") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _unreadable("a plain file", "a folder or a special file")
    return os.fdopen(descriptor, "rb")


def read(path: Path, limits: Limits) -> bytes:
    """The bytes of a submitted notebook file; a link is never followed.

    Raises:
        UnreadableNotebook: no such file, not a plain file, or larger than `limits.notebook_bytes`.
        UsageError: the file is there and may not or cannot be read.
    """
    try:
        with open_plain(path) as file:
            content = file.read(limits.notebook_bytes + 1)
    except FileNotFoundError:
        raise nothing_there(path.name, sorted(other.name for other in path.parent.glob("*.ipynb"))) from None
    except PermissionError:
        raise UsageError(f"{path} may not be read: let the grader's user read it, then grade again") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    check_size(content, limits)
    return content


def nothing_there(expected: str, found: Sequence[str]) -> UnreadableNotebook:
    """The failure of a submission without a notebook; `found` are the files that are there."""
    names = ", ".join(one_line(name, 60) for name in found[:3]) + (" ..." if len(found) > 3 else "")
    told = f"only {names}" if found else "no notebook at all"
    return UnreadableNotebook(
        "type",
        f"There is nothing to grade: expected a file named {expected}, found {told}. Name it so, and hand it in again.",
    )


def not_a_notebook(
    recognised: str, expected: str = "a notebook (.ipynb)", advice: str = SAVED_AGAIN
) -> UnreadableNotebook:
    """The failure of a file that is known to be something else, which is the first thing that its student reads."""
    return UnreadableNotebook("type", f"What you handed in is {recognised}: expected {expected}. {advice}")


def parse(content: bytes, limits: Limits) -> NotebookNode:
    """A notebook of format 4 with the cells of `content`: types, sources, ids, nbgrader metadata and pictures alone.

    Of its own metadata only the version of Python that wrote it is kept: see `python_version`.

    Notebooks of format 3 are upgraded. Every cell gets an id that is unique in the notebook.

    Raises:
        UnreadableNotebook: not JSON in UTF-8, not a notebook, too large, too many cells, or not Unicode.
    """
    check_size(content, limits)
    document = _load(content)
    cells: list[NotebookNode] = []
    taken: set[str] = set()
    code = lines = 0
    for number, raw in enumerate(_raw_cells(document), start=1):
        if number > MAX_CELLS:
            raise _unreadable(f"at most {MAX_CELLS} cells", "more")
        cell = _cell(raw, number)
        code += len(cell.source) if cell.cell_type == "code" else 0
        lines += lines_of(cell.source) if cell.cell_type == "code" else 0
        if code > MAX_CODE:
            raise _unreadable(f"at most {MAX_CODE} characters of code", "more")
        if lines > MAX_LINES:
            raise _unreadable(f"at most {MAX_LINES} lines of code", "more")
        stem, suffixes = cell.id[:50], itertools.count(number)
        while cell.id in taken:
            cell.id = f"{stem}-{next(suffixes)}"
        taken.add(cell.id)
        cells.append(cell)
    return NotebookNode(cells=cells, metadata=_notebook_metadata(document), nbformat=4, nbformat_minor=5)


def lines_of(source: str) -> int:
    """Return how many statements a source has at most: its lines and semicolons.

    Of a long one that is plain Python, the statements: data in a text may have many lines.
    """
    lines = source.count("\n") + source.count("\r") + source.count(";") + 1
    if lines > FEW_LINES:
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            return len(ast.parse(source).body)
    return lines


def python_version(notebook: NotebookNode) -> str:
    """Return the version of Python that a notebook was written with (`3.13.1`); empty where it does not say so."""
    return str(notebook.metadata.get("language_info", {}).get("version", ""))


def _notebook_metadata(document: dict[str, Any]) -> NotebookNode:
    metadata = document.get("metadata")
    language = metadata.get("language_info") if isinstance(metadata, dict) else None
    version = language.get("version") if isinstance(language, dict) and language.get("name") == "python" else None
    if not isinstance(version, str) or not _PYTHON.fullmatch(version):
        return NotebookNode()
    return NotebookNode(language_info=NotebookNode(name="python", version=version))


def grade_id(cell: NotebookNode) -> str | None:
    """The name that nbgrader knows this cell by; None for a cell that it does not handle."""
    flags = cell.metadata.get("nbgrader", {})
    if not any(flags.get(flag) for flag in ("grade", "solution", "locked", "task")):
        return None
    name = flags.get("grade_id")
    return str(name) if name else None


def cells_by_grade_id(notebook: NotebookNode) -> dict[str, list[NotebookNode]]:
    """The cells that nbgrader handles, by name, in the order of the notebook; a copy shares the name."""
    named: dict[str, list[NotebookNode]] = {}
    for cell in notebook.cells:
        name = grade_id(cell)
        if name is not None:
            named.setdefault(name, []).append(cell)
    return named


def _load(content: bytes) -> dict[str, Any]:
    if not content.strip(b" \t\r\n\0"):
        raise _unreadable("a notebook", "an empty file")
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        _recognise(content)
        raise _unreadable("text in UTF-8", f"another encoding, at byte {error.start}") from None
    except json.JSONDecodeError as error:
        _recognise(content)
        if is_cut_short(content):
            raise not_a_notebook("the beginning of a notebook, cut off in its middle", advice=CUT_SHORT) from None
        raise _unreadable("JSON", f"a mistake at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets nested thousands deep
        raise _unreadable("a notebook", "JSON nested too deep or with endless numbers") from None
    if not isinstance(document, dict):
        raise _unreadable("a notebook, a JSON object", f"a JSON {_kind(document)}")
    if "nbformat" not in document:
        _recognise(content)
    return document


def _recognise(content: bytes) -> None:
    """Say what a file seems to be, if that is known, in place of what is wrong with its JSON."""
    if told := recognised(content):
        raise not_a_notebook(told)


def _raw_cells(document: dict[str, Any]) -> Iterator[Any]:
    version = document.get("nbformat")
    if version == 4:
        holders = [document]
    elif version == 3 and isinstance(document.get("worksheets"), list):
        holders = document["worksheets"]
    else:
        raise _unreadable("a notebook of format 4", _format(version))
    for holder in holders:
        if not isinstance(holder, dict) or not isinstance(holder.get("cells"), list):
            raise _unreadable("a notebook with a list of cells", "none")
        yield from holder["cells"]


def _cell(raw: Any, number: int) -> NotebookNode:
    if not isinstance(raw, dict):
        raise _unreadable(f"cell {number} to be a JSON object", f"a JSON {_kind(raw)}")
    given_type = raw.get("cell_type")
    if not isinstance(given_type, str) or given_type not in _TYPES:
        raise _unreadable(f"cell {number} to be code, markdown or raw", "another type")
    source = _source(raw.get("source", raw.get("input")), number)  # format 3 called the source of a code cell `input`
    if given_type == "heading":
        level = raw.get("level")
        source = f"{'#' * (level if isinstance(level, int) and 1 <= level <= 6 else 1)} {source}"
    given_id = raw.get("id")
    known = isinstance(given_id, str) and _CELL_ID.fullmatch(given_id)
    cell = NotebookNode(
        cell_type=_TYPES[given_type],
        id=given_id if known else f"cell-{number}",
        metadata=_metadata(raw.get("metadata")),
        source=source,
    )
    if cell.cell_type == "code":
        cell.update(outputs=[], execution_count=None)
    if attachments := _attachments(raw.get("attachments")):
        cell.attachments = attachments
    return cell


def _attachments(value: Any) -> NotebookNode:
    """Of a cell's attachments, those that say they are pictures, as they were given: nobody has looked at them yet."""
    kept = NotebookNode()
    for name, given in itertools.islice(value.items(), MAX_ATTACHMENTS) if isinstance(value, dict) else ():
        for kind in PICTURES if isinstance(given, dict) else ():
            data = given.get(kind)
            if isinstance(data, list) and all(isinstance(line, str) for line in data):
                data = "".join(data)
            if isinstance(data, str) and data.isascii():
                kept[name] = NotebookNode({kind: data})
                break
    return kept


def _source(value: Any, number: int) -> str:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    if not isinstance(value, str):
        raise _unreadable(f"cell {number} to have text as its source", f"a JSON {_kind(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _unreadable(f"cell {number} to be Unicode text", "half of a surrogate pair") from None
    return value


def _metadata(value: Any) -> NotebookNode:
    """Of a cell's metadata, nbgrader's name and flags where they are plain values."""
    flags = value.get("nbgrader") if isinstance(value, dict) else None
    if not isinstance(flags, dict):
        return NotebookNode()
    plain = {key: flags[key] for key in FLAGS if isinstance(flags.get(key), bool | int | float)}
    if isinstance(flags.get("grade_id"), str):
        plain["grade_id"] = flags["grade_id"]
    return NotebookNode(nbgrader=NotebookNode(plain))


def check_size(content: bytes, limits: Limits) -> None:
    """Refuse a file that is too large.

    Raises:
        UnreadableNotebook: it is larger than `limits.notebook_bytes`.
    """
    if len(content) > limits.notebook_bytes:
        mebibytes = limits.notebook_bytes / 2**20
        raise UnreadableNotebook(
            "type",
            f"The notebook could not be graded: expected at most {mebibytes:g} MiB, found a larger file. "
            "Clear its outputs, save it, and hand it in again.",
        )


def _format(version: object) -> str:
    if not isinstance(version, int) or isinstance(version, bool) or not 0 <= version < 100:
        return "JSON with no notebook format"
    return f"format {version}, which {'IPython wrote until 2013' if version < 4 else 'is newer than this grader knows'}"


def _kind(value: Any) -> str:
    kinds = {dict: "object", list: "list", str: "string", bool: "truth value", type(None): "null"}
    return kinds.get(type(value), "number")


def _unreadable(expected: str, found: str) -> UnreadableNotebook:
    return UnreadableNotebook("type", f"The notebook could not be read: expected {expected}, found {found}. {_ADVICE}")
