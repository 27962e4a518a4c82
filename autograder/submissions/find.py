"""One student's submission of one assignment: looks through the student's folder, and makes a `Submission` of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from autograder.gradebook.timestamps import timestamp
from autograder.model.assignment import Assignment
from autograder.model.submission import Submission
from autograder.model.wording import one_line
from autograder.notebooks import document
from autograder.notebooks.releases import Releases
from autograder.submissions import candidates as files
from autograder.submissions.beside import beside
from autograder.submissions.candidates import Loaded
from autograder.submissions.choose import choose
from autograder.submissions.tree import Entry, Tree, TreeError, is_litter, of_folder, reason

MAX_CANDIDATES: Final = 30
"""Notebooks of one submission that are compared; where there are more, a person chooses."""


class HeldError(Exception):
    """A submission that cannot be graded before staff do something; it costs the student nothing."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder in which the notebook may lie: `name` is its path below the student's, "" for that itself."""

    name: str
    tree: Tree


@dataclass(slots=True)
class _Found:
    """What may be the notebook, and where everything lies."""

    loaded: list[Loaded] = field(default_factory=list)
    places: dict[str, tuple[_Place, Entry]] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    is_cut: bool = False
    """Whether there are more than `MAX_CANDIDATES`."""

    @property
    def is_enough(self) -> bool:
        """Whether there is no need to look elsewhere: something may be this assignment's notebook."""
        return bool(self.unreadable) or any(each.kind != "other" for each in self.loaded)

    def add(self, place: _Place, entry: Entry, found: Loaded) -> None:
        self.loaded.append(found)
        self.places[found.name] = (place, entry)


def find(student: str, folder: Path, assignment: Assignment, releases: Releases) -> Submission | None:
    """The submission in a student's folder; None where nothing was handed in for this assignment.

    Looks for the notebook in `<assignment>/`; where that has none, in folders whose names differ only in case, blanks
    or marks of a copy; then in the student's folder itself and in folders that are named after no assignment, where
    only notebooks of this assignment count.

    Raises:
        HeldError: it may not be read, or it is not plain which of several notebooks is meant.
    """
    try:
        names = _folders(folder)
    except OSError as error:
        raise HeldError(f"{folder} cannot be read: {reason(error)}, then grade again") from error
    expected = f"{assignment.name}/{assignment.name}.ipynb"
    own = [name for name in names if name == assignment.name]
    alike = [name for name in names if name not in releases.names and files.alike(name, assignment.name)]
    _refuse_links(folder, names, [*own, *alike])
    places: list[_Place] = []
    for group in (own, alike):
        places += [_place(folder, name) for name in group]
        found = _candidates(places, assignment, releases, expected)
        if found.is_enough:
            return _made(student, folder, assignment, releases, found, expected)
    found = _loose(folder, names, assignment, releases, expected) or found
    if found.loaded or found.unreadable:
        return _made(student, folder, assignment, releases, found, expected)
    if not places:
        return None
    return _empty(student, folder, assignment, places)


def _empty(student: str, folder: Path, assignment: Assignment, places: Sequence[_Place]) -> Submission:
    """The submission of folders without a notebook: says what is there.

    Raises:
        HeldError: some of it may not be read.
    """
    for place in places:
        for name, why in place.tree.unreadable.items():
            raise HeldError(f"{folder / place.name / name} cannot be read: {why}, then grade again")
    listed = [
        entry.name for place in places for entry in place.tree.entries if entry.file_name not in files.NOT_STUDENTS
    ]
    special = {name: kind for place in places for name, kind in place.tree.special.items()}
    told = document.nothing_there(f"{assignment.name}.ipynb", listed).message
    if special:
        name, kind = next(iter(special.items()))
        told = f"The notebook could not be read: expected a plain file, found {kind}: {name}. Hand in the file itself."
    moment, warning = timestamp(folder / places[0].name)
    return Submission(student, assignment.name, b"", moment, told, warnings=(warning,) if warning else ())


def _made(
    student: str, folder: Path, assignment: Assignment, releases: Releases, found: _Found, expected: str
) -> Submission:
    """The submission whose notebook is plainly one of those found.

    Raises:
        HeldError: it is not plain which, or the only one may not be read.
    """
    if found.unreadable and (expected in found.unreadable or not any(each.content for each in found.loaded)):
        name, why = next(iter(found.unreadable.items()))
        raise HeldError(f"{folder / name} cannot be read: {why}, then grade again")
    choice = choose(found.loaded, expected)
    if found.is_cut and (choice.chosen is None or choice.chosen.name != expected):
        raise HeldError(
            f"there are more than {MAX_CANDIDATES} notebooks, none as {expected}: keep one, and grade again"
        )
    if choice.chosen is None:
        raise HeldError(f"{choice.ambiguous}, and grade again")
    chosen = choice.chosen
    place, entry = found.places[chosen.name]
    around = beside(
        chosen.tree or _around(place, entry),
        chosen.folder if chosen.tree else entry.folder,
        releases.files(assignment.name),
        entry.name,
    )
    moment, late_warning = timestamp(folder / (place.name or entry.folder))
    unread = [f"{name} cannot be read: {why}" for name, why in {**found.unreadable, **place.tree.unreadable}.items()]
    made = submission_of(student, assignment, chosen)
    return replace(
        made,
        timestamp=moment,
        files=around.files,
        repairs=_lines("" if chosen.told or chosen.tree else choice.repair, *made.repairs, around.note),
        warnings=_lines(late_warning, "" if chosen.told else choice.warning, *made.warnings, *unread, around.warning),
    )


def submission_of(student: str, assignment: Assignment, chosen: Loaded, moment: datetime | None = None) -> Submission:
    """The submission of one file, wherever it lies; where it is no notebook of the assignment, why."""
    content = b"" if chosen.told else chosen.content
    warnings = _lines(*(f"{chosen.name}: {warning}" for warning in chosen.warnings))
    return Submission(
        student, assignment.name, content, moment, chosen.told, repairs=_lines(*chosen.repairs), warnings=warnings
    )


def _lines(*told: str) -> tuple[str, ...]:
    """What is to be said, a line each: file names in it are untrusted."""
    return tuple(one_line(each) for each in told if each)


def _folders(folder: Path) -> dict[str, os.DirEntry[str]]:
    """The folders (and links) in a student's folder, by name."""
    with os.scandir(folder) as entries:
        found = {entry.name: entry for entry in entries if not is_litter(entry.name)}
    return {
        name: found[name]
        for name in sorted(found)
        if found[name].is_symlink() or found[name].is_dir(follow_symlinks=False)
    }


def _refuse_links(folder: Path, names: dict[str, os.DirEntry[str]], chosen: Sequence[str]) -> None:
    for name in chosen:
        if names[name].is_symlink():
            raise HeldError(f"{folder / name} is a link, and links are not followed: put the folder itself there")


def _place(folder: Path, name: str) -> _Place:
    try:
        return _Place(name, of_folder(folder / name))
    except TreeError as error:
        raise HeldError(f"{folder / name} cannot be read: {error}, then grade again") from error


def _candidates(places: Sequence[_Place], assignment: Assignment, releases: Releases, expected: str) -> _Found:
    """The notebooks in these folders; where there are none, what a notebook may have been exported to."""
    for kind in ("notebooks", "exports"):
        found = _Found()
        entries = [
            (place, entry)
            for place in places
            for entry in (
                files.notebooks(place.tree.entries)
                if kind == "notebooks"
                else files.exports(place.tree.entries, assignment.name)
            )
        ]
        entries = _expected_first(entries, expected)
        for place, entry in entries[:MAX_CANDIDATES]:
            name = _path(place, entry)
            try:
                compare = len(entries) > 1 or kind == "exports"
                found.add(place, entry, files.load(entry, name, assignment, releases, compare=compare))
            except TreeError as error:
                found.unreadable[name] = str(error)
        found.is_cut = len(entries) > MAX_CANDIDATES
        if kind == "exports":
            found = _plain_exports(found)
        if found.loaded or found.unreadable:
            return found
    return _Found()


def _plain_exports(found: _Found) -> _Found:
    """Of exports those that a notebook was recovered from; else the first that says what it seems to be."""
    recovered = [
        each for each in found.loaded if each.kind in {"ours", "other"} or (each.kind == "unnamed" and each.repairs)
    ]
    known = [each for each in found.loaded if each.is_recognised]
    kept = recovered or known[:1]  # those that are named as the assignment come first
    return _Found(kept, found.places, {} if kept else found.unreadable)


def _loose(
    folder: Path, names: dict[str, os.DirEntry[str]], assignment: Assignment, releases: Releases, expected: str
) -> _Found | None:
    """This assignment's notebooks outside of any assignment's folder; None where there are none."""
    others = {
        name for name in names if name in releases.names or any(files.alike(name, each) for each in releases.names)
    }
    try:
        tree = of_folder(folder, skipped=lambda name: name in others)
    except TreeError:
        return None
    found = _candidates([_Place("", tree)], assignment, releases, expected)
    mine = [
        each
        for each in found.loaded
        if each.kind == "ours"
        or (each.kind in {"unnamed", "broken"} and files.alike(each.name.rpartition("/")[2], assignment.name))
    ]
    unreadable = {
        name: why
        for name, why in found.unreadable.items()
        if files.begins_alike(name.rpartition("/")[2], assignment.name)
    }
    return _Found(mine, found.places, unreadable) if mine or unreadable else None


def _expected_first(entries: list[tuple[_Place, Entry]], expected: str) -> list[tuple[_Place, Entry]]:
    return sorted(entries, key=lambda each: _path(*each) != expected)


def _path(place: _Place, entry: Entry) -> str:
    return f"{place.name}/{entry.name}" if place.name else entry.name


def _around(place: _Place, notebook: Entry) -> Tree:
    """The files that belong to a notebook: to one in the student's own folder none of folders with other notebooks."""
    if place.name or notebook.folder:
        return place.tree
    taken = {entry.name.partition("/")[0] for entry in files.notebooks(place.tree.entries) if entry.folder}
    return Tree([entry for entry in place.tree.entries if entry.name.partition("/")[0] not in taken])
