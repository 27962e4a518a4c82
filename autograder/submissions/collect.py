"""Everything in `course/submitted/`: a class's submissions of one assignment, and what staff should look at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from autograder.errors import UsageError
from autograder.gradebook import names
from autograder.model.assignment import Assignment
from autograder.model.submission import Submission
from autograder.model.wording import one_line
from autograder.notebooks.releases import Releases
from autograder.submissions import candidates as files
from autograder.submissions.find import HeldError, find
from autograder.submissions.tree import LITTER, TreeError, is_litter, of_folder, reason

OURS: Final = frozenset({".example", ".gitkeep", ".gitignore"})
"""Files that this project's own commands, and Git, keep in `submitted/`."""
LITTER_NAMES: Final = LITTER | {".DS_Store", ".ipynb_checkpoints", ".localized", ".Trash", ".git"}


@dataclass(slots=True)
class Collected:
    """A class's submissions of one assignment.

    Attributes:
        submissions: sorted by student.
        held: by student, why a submission cannot be graded before staff do something; it costs nothing.
        missing: of the students that were asked for, those who handed in nothing.
        warnings: what staff should look at in `submitted/` as a whole, a line each.
    """

    submissions: list[Submission] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def collect(course_folder: Path, assignment: Assignment, releases: Releases, only: Sequence[str] = ()) -> Collected:
    """Collect `submitted/*/<assignment>/`; nothing that lies there is raised, and nothing stops the others.

    Args:
        course_folder: the folder that holds `submitted/`.
        assignment: whose submissions.
        releases: the course's released notebooks: they tell which assignment a notebook belongs to.
        only: the students to collect from; all where it is empty.

    Raises:
        UsageError: `submitted/` itself may not be read.
    """
    folder = course_folder / "submitted"
    listed = _Listing.of(folder, releases)
    found = Collected(warnings=listed.warnings)
    wanted = [names.meant(student, listed.students) for student in only]
    for student in listed.students:
        if wanted and student not in wanted:
            continue
        try:
            submission = find(student, folder / student, assignment, releases)
        except HeldError as error:
            found.held[student] = one_line(str(error))
            continue
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no other student's, and costs this one nothing
            found.held[student] = one_line(f"what was handed in could not be looked through: {error!r}")
            continue
        if submission is not None:
            found.submissions.append(submission)
    there = {submission.student for submission in found.submissions} | found.held.keys() | listed.refused
    found.missing = sorted({*wanted} - there)
    return found


def students(course_folder: Path, releases: Releases) -> list[str]:
    """The students with a folder in `submitted/`, sorted; what else lies there is left out.

    Raises:
        UsageError: `submitted/` itself may not be read.
    """
    return _Listing.of(course_folder / "submitted", releases).students


def submitters(course_folder: Path, assignment: Assignment, releases: Releases) -> set[str]:
    """The students who handed in something for an assignment, whether it can be graded or not.

    Raises:
        UsageError: `submitted/` itself may not be read.
    """
    return {
        student
        for student in students(course_folder, releases)
        if _has_handed_in(student, course_folder / "submitted" / student, assignment, releases)
    }


def _has_handed_in(student: str, folder: Path, assignment: Assignment, releases: Releases) -> bool:
    try:
        return (folder / assignment.name).is_dir() or find(student, folder, assignment, releases) is not None
    except (HeldError, OSError):
        return True


def strays(course_folder: Path, releases: Releases) -> list[str]:
    """A line for each folder of a student that holds notebooks and that no assignment's submission is read from.

    Raises:
        UsageError: `submitted/` itself may not be read.
    """
    folder = course_folder / "submitted"
    found = []
    for student in students(course_folder, releases):
        with suppress(OSError, TreeError):  # the student's submission is held for it
            found += _strays_of(folder / student, releases)
    return [one_line(f"{path}: no assignment has this name") for path in found]


def _strays_of(folder: Path, releases: Releases) -> list[Path]:
    with os.scandir(folder) as entries:
        inside = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    unknown = [name for name in inside if not is_litter(name) and name not in releases.names]
    return [folder / name for name in unknown if _is_stray(folder, name, inside, releases)]


def _is_stray(folder: Path, name: str, inside: Sequence[str], releases: Releases) -> bool:
    """Whether a folder holds notebooks, and not one for an assignment whose own folder is missing."""
    lacking = {assignment for assignment in releases.names if assignment not in inside}
    if any(files.alike(name, assignment) for assignment in lacking):
        return False
    notebooks = files.notebooks(of_folder(folder / name).entries)
    for entry in notebooks[:10]:
        content = entry.read(20 * 2**20)
        if any(releases.assignment_of(content, assignment) == assignment for assignment in lacking):
            return False
    return bool(notebooks)


@dataclass(slots=True)
class _Listing:
    """The students' folders in `submitted/`, and a warning for everything else that lies there."""

    students: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, releases: Releases) -> _Listing:
        found = cls()
        try:
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except FileNotFoundError:
            return found
        except OSError as error:
            raise UsageError(f"{folder} cannot be read: {reason(error)}, then grade again") from error
        litter = []
        for entry in entries:
            if entry.name in LITTER_NAMES or entry.name.startswith("._"):
                litter.append(entry.name)
            elif entry.name not in OURS and (told := _trouble(entry, releases)):
                found.refused.add(entry.name)
                found.warnings.append(one_line(f"{folder}: {told}"))
            elif entry.name not in OURS:
                found.students.append(entry.name)
        if litter:
            shown = ", ".join(one_line(name, 40) for name in litter[:5]) + (" ..." if len(litter) > 5 else "")
            found.warnings.append(f"{folder}: {shown}: left out, systems and editors write it")
        found.warnings += [f"{folder}: {told}" for told in names.confusable(found.students)]
        return found


def _trouble(entry: os.DirEntry[str], releases: Releases) -> str:
    """Why an entry of `submitted/` is no student's folder, and what to do; empty where it is one."""
    shown = names.shown(entry.name)
    if entry.is_symlink():
        return f"{shown} is a link, and links are not followed: put the folder itself there"
    if not entry.is_dir(follow_symlinks=False):
        return (
            f"{shown} is no folder: expected <student>/<assignment>/<assignment>.ipynb; move it into a student's folder"
        )
    if entry.name in releases.names:
        return f"{shown} is named as an assignment: expected <student>/{entry.name}/, the student's folder first"
    return names.refusal(entry.name)
