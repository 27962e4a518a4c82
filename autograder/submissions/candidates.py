"""Files that may be a submission's notebook: reads each, and says which assignment it belongs to."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Final, Literal

from autograder.model.assignment import Assignment
from autograder.notebooks import document
from autograder.notebooks.recognise import recognised
from autograder.notebooks.recover import recovered
from autograder.notebooks.releases import Releases
from autograder.submissions import tree as trees
from autograder.submissions.tree import Entry, Tree, TreeError

NOTEBOOK: Final = re.compile(r"\.ipynb(\.txt|\.json|\.bin|\.zip)?$", re.IGNORECASE)
EXPORT: Final = re.compile(
    r"\.(py|html?|pdf|zip|docx?|odt|rtf|txt|md|json|webloc|url|gz|tgz|tar|7z|rar)$", re.IGNORECASE
)
NOT_STUDENTS: Final = frozenset({"timestamp.txt", "submission_secret.txt", "user_info.json", "grading.log"})
"""What nbgrader and the grader write into a submission's folder."""
_COPY = re.compile(r"([\s_-]*(\(\d+\)|copy\s*\d*|kopie\s*\d*|copia\s*\d*))+$")
_EXTENSIONS = re.compile(r"(\.(ipynb|txt|json|bin|zip|py|html?|pdf))+$")

Kind = Literal["ours", "other", "unnamed", "broken"]
"""A notebook with cells of this assignment; of another; with no known cell; a file that cannot be read as one."""


def alike(name: str, assignment: str) -> bool:
    """Whether a file's or a folder's name is the assignment's but for case, blanks, extensions and marks of a copy."""
    return _key(name) == _key(assignment)


def begins_alike(name: str, assignment: str) -> bool:
    """Whether a file's name begins as the assignment's does (`convolution-final.ipynb`)."""
    return _key(name).startswith(_key(assignment))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A candidate that was read.

    Attributes:
        name: its path, as staff and students know it.
        kind: see `Kind`.
        content: the notebook's bytes; empty where it is none.
        told: why there is no notebook, for the student.
        other: the assignment that it belongs to, where that is another.
        is_worked: whether anything was done in it, as far as can be seen.
        repairs: how it was recovered, for the student.
        warnings: what staff should look at.
        tree: the archive that it came from, where it did.
        folder: its folder in `tree`.
        digest: of what was handed in.
        is_recognised: whether `told` begins with what the file seems to be.
    """

    name: str
    kind: Kind
    content: bytes
    told: str = ""
    other: str = ""
    is_worked: bool = True
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tree: Tree | None = None
    folder: str = ""
    digest: str = ""
    is_recognised: bool = False


def load(
    entry: Entry, name: str, assignment: Assignment, releases: Releases, *, compare: bool, packed: bool = False
) -> Loaded:
    """Read a candidate and recover the notebook in it.

    Args:
        entry: the file.
        name: what to call it.
        assignment: what it was handed in for.
        releases: the course's released notebooks.
        compare: whether there are others, so that it matters what was done in it.
        packed: whether it is in an archive.

    Raises:
        TreeError: it may not or cannot be read.
    """
    try:
        content = entry.read(assignment.limits.notebook_bytes + 1)
        document.check_size(content, assignment.limits)
    except document.UnreadableNotebook as error:
        return Loaded(name, "broken", b"", error.message, is_worked=False)
    return loaded(content, name, assignment, releases, compare=compare, packed=packed)


def loaded(
    content: bytes,
    name: str,
    assignment: Assignment,
    releases: Releases,
    *,
    compare: bool = False,
    packed: bool = False,
) -> Loaded:
    """As `load`, of bytes that were read; what is `packed` in an archive is not opened as another."""
    digest = hashlib.sha256(content).hexdigest()
    if not packed and content.startswith(b"PK\x03\x04") and recognised(content).startswith("an archive"):
        return _from_archive(content, name, assignment, releases, digest)
    made = recovered(content)
    told, is_worked, known = "", True, False
    kind: Kind = "unnamed"
    belongs = releases.assignment_of(made.content, assignment.name)
    try:
        if compare:
            notebook = document.parse(made.content, assignment.limits)
            is_worked = not releases.is_untouched(notebook, assignment.name)
    except document.UnreadableNotebook as error:
        kind, is_worked, told, known = "broken", False, error.message, bool(recognised(made.content))
    other = ""
    if belongs == assignment.name and kind != "broken":
        kind = "ours"
    elif belongs is not None and belongs != assignment.name:
        kind, other, told = "other", belongs, _other(belongs, assignment.name)
    return Loaded(
        name, kind, made.content, told, other, is_worked, made.repairs, made.warnings,
        digest=digest, is_recognised=known,
    )  # fmt: skip


def notebooks(entries: list[Entry]) -> list[Entry]:
    """The entries that are named as notebooks are."""
    return [entry for entry in entries if NOTEBOOK.search(entry.file_name)]


def exports(entries: list[Entry], assignment: str) -> list[Entry]:
    """The entries that a notebook may have been exported or packed to, those named as the assignment first."""
    found = [
        entry
        for entry in entries
        if (EXPORT.search(entry.file_name) or "." not in entry.file_name) and entry.file_name not in NOT_STUDENTS
    ]
    return sorted(found, key=lambda entry: (not begins_alike(entry.file_name, assignment), entry.name))


def _from_archive(content: bytes, name: str, assignment: Assignment, releases: Releases, digest: str) -> Loaded:
    """The only notebook of a zip archive, or the only one that has the assignment's name."""
    try:
        tree = trees.of_archive(content)
        inside = [entry for entry in notebooks(tree.entries) if not entry.file_name.lower().endswith(".zip")]
        named = [entry for entry in inside if entry.file_name == f"{assignment.name}.ipynb"]
        chosen = inside if len(inside) == 1 else named
        if len(chosen) != 1:
            listed = (
                f"{len(inside)} notebooks ({', '.join(entry.name for entry in inside[:3])})"
                if inside
                else "no notebook"
            )
            raise document.not_a_notebook(f"an archive (zip) with {listed}", f"{assignment.name}.ipynb")
        found = load(chosen[0], f"{name}: {chosen[0].name}", assignment, releases, compare=True, packed=True)
    except document.UnreadableNotebook as error:
        return Loaded(name, "broken", b"", error.message, is_worked=False, digest=digest, is_recognised=True)
    except TreeError as error:
        wrong = document.not_a_notebook(f"an archive (zip) that cannot be read ({error})", f"{assignment.name}.ipynb")
        return Loaded(name, "broken", b"", wrong.message, is_worked=False, digest=digest, is_recognised=True)
    if found.kind == "broken":
        return replace(found, digest=digest, is_recognised=True)
    repair = f"Your file was an archive (zip): `{chosen[0].file_name}` was taken out of it."
    repairs = (repair, *found.repairs)
    return replace(found, repairs=repairs, tree=tree, folder=chosen[0].folder, digest=digest)


def _other(found: str, expected: str) -> str:
    return (
        f"This is the notebook of `{found}`, handed in for `{expected}`: hand in {expected}.ipynb for `{expected}`, "
        f"and {found}.ipynb for `{found}`."
    )


def _key(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold().strip()
    return re.sub(r"[\W_]+", "", _COPY.sub("", _EXTENSIONS.sub("", folded)))
