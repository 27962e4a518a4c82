"""Find written answers that stand beside the answer's cell: a person reads them, they are never an automatic 0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from autograder.model.submission import SubmittedFile
from autograder.notebooks import code
from autograder.notebooks.match import Piece, Release, anchored
from autograder.notebooks.pictures import kind_of

DOCUMENTS: Final = (".pdf", ".docx", ".doc", ".odt", ".rtf", ".txt", ".md", ".tex", ".heic", ".heif", ".tif", ".tiff")
"""Files that may hold a written answer and that are not shown in a notebook."""
_COLAB = re.compile(r"^\s*<a href=\"https://colab\.research\.google\.com/[^\n]*</a>\s*$")


@dataclass
class Written:
    """What became of the written answers.

    Attributes:
        pieces: all pieces, those beside an empty answer with it as their `home`.
        moved: positions of answers that were found beside their cell.
        manual: positions of answers that are empty while words or files of the student's own may be meant for them.
        files: by position the pictures among the submitted files that nothing shows, to be shown there.
        documents: the names of submitted files that may hold an answer and cannot be shown.
    """

    pieces: list[Piece]
    moved: list[int] = field(default_factory=list)
    manual: list[int] = field(default_factory=list)
    files: dict[int, list[SubmittedFile]] = field(default_factory=dict)
    documents: list[str] = field(default_factory=list)


def collected(release: Release, pieces: Sequence[Piece], files: Sequence[SubmittedFile]) -> Written:
    """The pieces, words beside an empty written answer with it as their `home`.

    Words are markdown and raw cells, and code cells that hold no code, between the last cell that runs or is
    answered before the question and the next released cell after the answer. Words elsewhere are left where they
    are; then, and where a file may be the answer, a person has to decide.
    """
    found = Written(list(pieces))
    given = {
        piece.home
        for piece in pieces
        if not (piece.blank if not piece.untouched else not piece.cell.get("attachments"))
    }
    empty = [each for each in range(len(release.cells)) if release.is_written(each) and each not in given]
    if not empty:
        return found
    for position in empty:
        if release.is_code(position):
            continue
        first, last = _around(release, position)
        for number, (piece, anchor) in enumerate(list(anchored(found.pieces))):
            place = anchor if piece.extra is None else piece.extra
            if first < place <= last and _is_words(piece, near=True):
                found.pieces[number] = replace(piece, home=position, how="beside", extra=None)
                found.moved.append(position)
    found.moved = sorted(set(found.moved))
    empty = [position for position in empty if position not in found.moved]
    shown = "\n".join(piece.source for piece in pieces if not piece.untouched)
    pictures = [file for file in files if kind_of(file.content) and _name(file) not in shown]
    found.documents = [file.name for file in files if file.name.lower().endswith(DOCUMENTS)]
    if pictures and len(empty) == 1 and not release.is_code(empty[0]):
        found.files[empty[0]] = pictures
    if pictures or found.documents or any(_is_words(piece, near=False) for piece in found.pieces):
        found.manual = empty
    return found


def _around(release: Release, position: int) -> tuple[int, int]:
    """Behind which released cells words are near an answer: after the first number, up to the second.

    They are the texts that ask for it, the answer, and at the notebook's end the texts after it.
    """
    cells = range(len(release.cells))
    other = [each for each in cells if each != position and (release.is_code(each) or release.is_answer(each))]
    before = [each for each in other if each < position]
    return before[-1] if before else -1, position if len(before) < len(other) else len(cells)


def _name(file: SubmittedFile) -> str:
    return file.name.rpartition("/")[2]


def _is_words(piece: Piece, *, near: bool) -> bool:
    """Whether it is a student's own and says something; `near` an answer, words in a code cell count too."""
    if piece.home is not None or piece.blank or _COLAB.match(piece.source):
        return False
    if piece.kind == "code":
        return near and piece.extra is None and code.is_words(piece.source)
    if piece.cell.get("attachments") and near:
        return True
    lines = [line.strip() for line in piece.source.splitlines()]
    return any(line and not line.startswith("#") and line.strip("-=*_ ") for line in lines)


def words(piece: Piece) -> str:
    """The text of a written answer that stood in a cell of another type."""
    if piece.kind != "code":
        return piece.source
    lines = piece.source.splitlines()
    if all(not line.strip() or line.lstrip().startswith("#") for line in lines):
        return "\n".join(line.lstrip().removeprefix("#").removeprefix(" ") for line in lines)
    return piece.source
