"""From an assignment's source to the notebook that students get: jupytext, then nbgrader's own generator.

nbgrader generates in an empty temporary course without a database, and changes the working directory while it
does: one release at a time in a process.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from autograder.errors import UsageError
from autograder.model.assignment import Profile
from autograder.notebooks import files

KERNELSPEC: Final = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LAYOUT: Final = ("cell_marker", "lines_to_next_cell", "lines_to_end_of_cell_marker")
"""What jupytext notes of a cell's text; the rest of its metadata is the author's, and Jupyter's to read."""
GRADED_WITH: Final = "graded-with"
"""The id of the cell in which a released notebook says what it is graded with."""
PLAIN: Final = {
    "grade": False, "grade_id": GRADED_WITH, "locked": False, "schema_version": 3, "solution": False, "task": False,
}  # fmt: skip
"""What nbgrader's metadata says of a cell that it does not handle: one that changes or is missing is no repair."""
NAMED: Final[dict[Profile, tuple[str, ...]]] = {
    "python": (),
    "numpy": ("numpy", "matplotlib"),
    "torch": ("numpy", "matplotlib", "torch", "pytorch-lightning"),
}
"""By profile, the packages that this cell names, where the grader has them."""
BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"


@dataclass(frozen=True, slots=True)
class Exercise:
    """One graded cell: what it is worth, and whether a human grades it."""

    cell: str
    points: float
    manual: bool


def model_answer(source: Path) -> NotebookNode:
    """The source notebook itself, answers included, with the cell ids of its release.

    Args:
        source: `solutions/<name>/notebook.py`: jupytext percent text with nbgrader's metadata in its headers.

    Raises:
        UsageError: there is no such file.
    """
    import jupytext

    try:
        text = source.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"no source notebook at {source}: write it, or check the assignment's name") from None
    notebook = nbformat.from_dict(jupytext.reads(text, fmt="py:percent"))
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": {"name": "python"}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell, cell_id in zip(notebook.cells, _cell_ids(notebook.cells), strict=True):
        cell.id = cell_id
        for key in LAYOUT:
            cell.metadata.pop(key, None)
    return notebook


def exercises(source: Path) -> tuple[Exercise, ...]:
    """The graded cells of a source notebook, in order.

    Raises:
        UsageError: there is no such file.
    """
    return tuple(
        Exercise(
            cell=str(flags.get("grade_id")),
            points=float(flags.get("points", 0)),
            manual=bool(flags.get("solution")),
        )
        for cell in model_answer(source).cells
        if (flags := cell.metadata.get("nbgrader", {})).get("grade")
    )


def release(source: Path, destination: Path, points: float = 100.0, profile: Profile = "torch") -> Path:
    """Generate `destination/<name>.ipynb` from `solutions/<name>/notebook.py` and say where it is.

    The files in `solutions/<name>/files/` are copied beside it. The same source always gives the same bytes, but for
    the cell that says which Python and packages it is graded with: those that release it.

    Args:
        source: the source notebook; its folder's name is the assignment's.
        destination: `assignments/<name>/`; made if it is not there. Other files in it are left alone.
        points: what the graded cells must sum to; a cell that a human grades comes on top.
        profile: whose packages the notebook says that it is graded with.

    Raises:
        UsageError: no such source, another sum of points, a notebook that nbgrader refuses, or a file that cannot be
            released.
    """
    content = _generate(source, points, profile)
    target = destination / f"{source.parent.name}.ipynb"
    destination.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    files.release(source, destination)
    return target


def is_stale(source: Path, released: Path, points: float = 100.0) -> bool:
    """Whether the committed notebook `released` is missing or no longer what its source gives.

    With which packages it says that it is graded does not matter.

    Raises:
        UsageError: as `release`.
    """
    if not released.is_file():
        return True
    content, fresh = released.read_bytes(), _generate(source, points)
    return content != fresh and _without_versions(content) != _without_versions(fresh)


def is_released_text(cell: NotebookNode) -> bool:
    """Whether a released cell came from the source: all but the one that says what the notebook is graded with."""
    return bool(cell.get("id") != GRADED_WITH)


def _without_versions(content: bytes) -> str | None:
    """A released notebook without the cell that names versions; None where it is none."""
    try:
        notebook = nbformat.reads(content.decode(), as_version=4)
    except (ValueError, nbformat.ValidationError):
        return None
    notebook.cells = [cell for cell in notebook.cells if is_released_text(cell)]
    return str(nbformat.writes(notebook))


def graded_with(profile: Profile) -> str:
    """Return the sentence by which a released notebook says what it is graded with."""
    named = []
    for name in NAMED[profile]:
        try:
            major, minor, *_ = importlib.metadata.version(name).split(".")
        except importlib.metadata.PackageNotFoundError:
            continue
        named.append(f"{name} {major}.{minor}")
    python = ".".join(platform.python_version_tuple()[:2])
    return f"*Graded with {', '.join([f'Python {python}', *named])}.*"


def leaks(source: Path, released: Path) -> tuple[str, ...]:
    """Lines of a model answer that a released notebook shows, though the source has them in answers alone.

    Raises:
        UsageError: one of the two files is missing.
    """
    private, public = set[str](), set[str]()
    for cell in model_answer(source).cells:
        for line, hidden in _lines(cell):
            (private if hidden else public).add(line)
    if not released.is_file():
        raise UsageError(f"no released notebook at {released}: release the assignment first")
    shown = nbformat.reads(released.read_text(encoding="utf-8"), as_version=4).cells
    return tuple(
        line
        for cell in shown
        for line in map(str.strip, cell.source.splitlines())
        if BEGIN in line or END in line or (line in private and line not in public)
    )


def _lines(cell: NotebookNode) -> Iterator[tuple[str, bool]]:
    """The non-empty lines of a source cell, each with whether it belongs to the answer.

    A solution cell without a marked region is all answer, as for nbgrader.
    """
    flags = cell.metadata.get("nbgrader", {})
    inside = whole = bool(flags.get("solution")) and BEGIN not in cell.source
    for line in map(str.strip, cell.source.splitlines()):
        if BEGIN in line or END in line:
            inside = BEGIN in line
        elif line:
            yield line, inside or whole


def _cell_ids(cells: list[NotebookNode]) -> Iterator[str]:
    """An id for each cell, made from the last named cell before it, so that an edit changes few of them."""
    anchor, distance = "", 0
    for cell in cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        anchor, distance = (name, 0) if name else (anchor, distance + 1)
        yield hashlib.sha256(f"{anchor}/{distance}".encode()).hexdigest()[:12]


def _generate(source: Path, points: float, profile: Profile = "torch") -> bytes:
    found = sum(exercise.points for exercise in exercises(source) if not exercise.manual)
    if found != points:
        raise UsageError(
            f"the graded cells of {source} sum to {found:g} points, expected {points:g}: "
            "mend the points in the cell headers"
        )
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        # nbgrader works on absolute paths that hold no link
        notebook = _run_nbgrader(Path(folder).resolve(), source.parent.name, model_answer(source), source)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    notebook.cells.append(new_markdown_cell(graded_with(profile), id=GRADED_WITH, metadata={"nbgrader": PLAIN}))
    text: str = nbformat.writes(notebook)
    return (text.rstrip("\n") + "\n").encode()


def _run_nbgrader(course: Path, name: str, notebook: NotebookNode, source: Path) -> NotebookNode:
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    folder = course / "source" / name
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    log, errors = _quiet_log()
    config = Config()
    config.SaveCells.enabled = False  # with `no_database`: what `nbgrader generate_assignment --no-db` sets
    config.GenerateAssignment.no_database = True
    where = CourseDirectory(root=str(course), assignment_id=name, log=log)
    try:
        GenerateAssignment(coursedir=where, config=config, log=log).start()
    except NbGraderException:
        raise UsageError(
            f"nbgrader could not release {source}: {_reason(errors)}; mend the cell and release again"
        ) from None
    return nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)


def _reason(errors: list[str]) -> str:
    """The exception that nbgrader logged first: of its traceback, the line that is no frame."""
    for error in errors:
        heading, *lines = error.splitlines()
        if heading.startswith("Traceback"):
            return next(line for line in lines if line and not line[0].isspace())
    return errors[0].splitlines()[0] if errors else "it gave no reason"


def _quiet_log() -> tuple[logging.Logger, list[str]]:
    """A logger that prints nothing and the list its errors go to: only there nbgrader says why it failed."""
    errors: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            errors.append(record.getMessage())

    log = logging.Logger("nbgrader-release")  # noqa: LOG001 - outside the tree: nobody else's handler sees it
    log.addHandler(Collect(level=logging.ERROR))
    return log, errors
