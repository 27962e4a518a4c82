"""Make a submission gradable: the student's answers, by name, in a fresh copy of the released notebook."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.model.submission import SubmittedFile
from autograder.notebooks import code
from autograder.notebooks.answers import recovered
from autograder.notebooks.document import MAX_CODE
from autograder.notebooks.match import Piece, Release, anchored, normal, pieces
from autograder.notebooks.pictures import Album
from autograder.notebooks.repairs import Repairs
from autograder.notebooks.written import Written, collected, words

PLACEHOLDER = "YOUR ANSWER HERE"
"""nbgrader's text of an empty written answer; other texts hold a template and are kept above what was found."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A notebook that can be graded, and a line for the student on each kind of thing that had to be repaired."""

    notebook: NotebookNode
    repairs: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    """What staff should look at: see `Report.warnings`."""
    manual: tuple[str, ...] = ()
    """The cells whose score a person has to confirm: see `Report.manual`."""


def rebuild(released: NotebookNode, submitted: NotebookNode, files: Sequence[SubmittedFile] = ()) -> Rebuilt:
    """Put the answers of `submitted` into a copy of `released`, which decides everything else.

    - The text, type, order, points and locks of every released cell are the release's, however often, where
      and as what it was handed in. Only the source of a solution cell is the student's.
    - A cell is known by its name, its id or its text; cells that were merged are divided (`match`). An answer that
      is missing or untouched is looked for by what it defines (`answers`), a written one by where it stands
      (`written`).
    - Of several cells for one answer all that differ run, in the notebook's order: what Python defined last
      counts. Released stubs among them are dropped. Parts that depend on nothing else become one cell.
    - A released cell that nbgrader does not handle is the student's to edit: its source is kept.
    - A cell that the student added stays behind the released cell that it followed, without its metadata. So
      does what was added to a locked cell, as a cell of its own.
    - Text becomes code again (an answer whose cell was retyped) as long as `MAX_CODE` holds for all code.
    - Outputs are dropped. Pictures that a student's text shows become attachments of its cell.

    `submitted` is what `document.parse` returned, `files` what was handed in beside it. Neither notebook is changed.
    """
    release = Release(released)
    found, stranded = recovered(release, pieces(release, submitted))
    written = collected(release, found, files)
    homes, added = _places(written.pieces)
    repairs = Repairs(release, written.pieces, stranded, written)
    made = _Assembly(release, repairs, _Room(submitted), Album(files), written)
    cells = made.added(added.get(-1, ()))
    for position in range(len(release.cells)):
        cells += made.released(position, homes.get(position, ()))
        cells += made.added(added.get(position, ()))
    _name_added(cells)
    repairs.left_out = made.album.left_out
    notebook = NotebookNode(cells=cells, metadata=copy.deepcopy(released.metadata), nbformat=4, nbformat_minor=5)
    return Rebuilt(notebook, repairs.for_student(), repairs.for_staff(), repairs.manual())


def _places(found: Iterable[Piece]) -> tuple[dict[int, list[Piece]], dict[int, list[Piece]]]:
    """The pieces of each released cell, and the student's own behind each of them, -1 for the notebook's start."""
    homes: dict[int, list[Piece]] = {}
    added: dict[int, list[Piece]] = {}
    for piece, anchor in anchored(found):
        if piece.home is None:
            added.setdefault(anchor, []).append(piece)
        else:
            homes.setdefault(piece.home, []).append(piece)
    return homes, added


class _Room:
    """How much text may still become code: what is handed in as text was not counted when it was parsed."""

    def __init__(self, submitted: NotebookNode) -> None:
        self._left = MAX_CODE - sum(len(cell.source) for cell in submitted.cells if cell.cell_type == "code")

    def takes(self, piece: Piece) -> bool:
        """Whether the text of a piece may stand in a code cell: there is room, or it was code."""
        if piece.kind == "code" and piece.cell.cell_type == "code":
            return True
        if len(piece.source) > self._left:
            return False
        self._left -= len(piece.source)
        return True


@dataclass
class _Assembly:
    """Makes the cells of the rebuilt notebook."""

    release: Release
    repairs: Repairs
    room: _Room
    album: Album
    written: Written

    def __post_init__(self) -> None:
        self._reader = code.Reader(self.release.modules)

    def released(self, position: int, found: Sequence[Piece]) -> list[NotebookNode]:
        """A released cell with the student's answer in it; code that has to stay apart, in cells around it."""
        cell = _fresh(self.release.cells[position])
        if self.release.is_locked(position):
            return [cell]
        if cell.cell_type != "code":
            self._write(cell, position, found)
            return [cell]
        working = [piece for piece in _distinct(found) if not piece.untouched]
        taken = [piece for piece in working if self.room.takes(piece)]
        if len(taken) < len(working):
            self.repairs.too_long.append(position)
        if not taken:
            return [cell]
        if self.release.names[position] is None or len(taken) == 1:
            cell.source = _as_code(taken[0])
            return [cell]
        groups = self._groups(taken)
        asked = self.release.asked(position).keys()
        answers = [
            number
            for number, (text, apart) in enumerate(groups)
            if not apart and not asked.isdisjoint(self._reader.read(text).defined)
        ]
        joined = [number for number, (_, apart) in enumerate(groups) if not apart]
        main = (answers or joined or [0])[-1]
        self.repairs.parts[position] = (len(taken), len(groups))
        cells = [_own_cell("code", text) for text, _ in groups]
        cell.source = groups[main][0]
        cells[main] = cell
        return cells

    def added(self, found: Iterable[Piece]) -> list[NotebookNode]:
        """Copies of cells that the student added, without metadata: no tag or flag of theirs means anything."""
        cells = []
        for piece in found:
            if piece.kind != "markdown":
                kind = "raw" if piece.kind == "code" and not self.room.takes(piece) else piece.kind
                cells.append(_own_cell(kind, piece.source))
                continue
            source, attachments = self.album.shown(piece.source, piece.cell.get("attachments", {}))
            cells.append(_own_cell("markdown", source, attachments))
        return cells

    def _groups(self, parts: Sequence[Piece]) -> list[tuple[str, bool]]:
        """The texts of an answer's cells in order, each with whether it must stay apart from the others."""
        groups: list[tuple[str, bool]] = []
        for piece in parts:
            text = _as_code(piece)
            before, apart = groups[-1] if groups else ("", True)
            if apart or piece.apart:
                groups.append((text, piece.apart))
            elif code.continues(text, before) or code.completes(before, text):
                groups[-1] = (f"{before}\n{text}", False)
            elif self._joins(before, text):
                groups[-1] = (f"{before.rstrip()}\n\n\n{text.lstrip(chr(10))}", False)
            else:
                groups.append((text, False))
        return groups

    def _joins(self, before: str, after: str) -> bool:
        """Whether two parts are the same in one cell as in two: the first cannot fail or be replaced by the second."""
        if code.has_cell_magic(before) or code.has_cell_magic(after) or code.is_indented(after):
            return False
        first, second = self._reader.read(before), self._reader.read(after)
        future = any(statement.key.startswith("ImportFrom(module='__future__'") for statement in second.statements)
        inert = all(statement.inert for statement in first.statements)
        return (
            first.parses and second.parses and inert and not future and first.defined.keys().isdisjoint(second.defined)
        )

    def _write(self, cell: NotebookNode, position: int, found: Sequence[Piece]) -> None:
        """Put words and pictures into a text cell that is the student's to fill or to edit."""
        texts: list[str] = []
        attachments: dict[str, dict[str, str]] = {}
        own = [piece for piece in _distinct(found, blank=True) if not piece.untouched]
        if self.release.names[position] is None:
            own = own[:1] or list(found[:1])
        own += [piece for piece in found if piece.untouched and piece.cell.get("attachments")]
        for piece in own:
            source = "" if piece.untouched and self.release.names[position] is not None else words(piece)
            loose = self.release.is_answer(position) and not source.strip()
            text, kept = self.album.shown(source, piece.cell.get("attachments", {}), loose=loose)
            attachments |= kept
            texts.append(text)
        if files := self.written.files.get(position):
            text, kept = self.album.shown("", {}, files)
            attachments |= kept
            texts.append(text)
        if not own and not texts:
            return
        filled = [text for text in texts if text.strip()]
        if len(texts) == 1:
            filled = texts
        beside = bool(filled) and all(piece.how == "beside" or piece.untouched for piece in own)
        if (
            beside
            and self.release.is_answer(position)
            and self.release.texts[position].strip() not in ("", PLACEHOLDER)
        ):
            filled = [self.release.cells[position].source, "---", *filled]
        cell.source = "\n\n".join(filled)
        if attachments:
            cell.attachments = NotebookNode(attachments)


def _distinct(found: Sequence[Piece], *, blank: bool = False) -> list[Piece]:
    """The pieces that differ in more than blanks, the later of two that are alike; empty ones only if all are."""
    last = {normal(piece.source): number for number, piece in enumerate(found)}
    kept = [piece for number, piece in enumerate(found) if last[normal(piece.source)] == number]
    filled = [
        piece for piece in kept if not (piece.blank if blank else not piece.source.strip()) and not piece.untouched
    ]
    return filled or kept


def _as_code(piece: Piece) -> str:
    """The piece as the source of a code cell."""
    if piece.kind == "code":
        return piece.source
    return code.fenced(piece.source) or piece.source


def _fresh(original: NotebookNode) -> NotebookNode:
    """A copy without outputs and attachments."""
    cell = copy.deepcopy(original)
    cell.pop("attachments", None)
    if cell.cell_type == "code":
        cell.update(outputs=[], execution_count=None)
    return cell


def _own_cell(kind: str, source: str, attachments: Mapping[str, Mapping[str, str]] | None = None) -> NotebookNode:
    made = NotebookNode(cell_type=kind, id="", metadata=NotebookNode(), source=source)
    if kind == "code":
        made.update(outputs=[], execution_count=None)
    if attachments:
        made.attachments = NotebookNode(attachments)
    return made


def _name_added(cells: list[NotebookNode]) -> None:
    """Give each added cell an id that no released cell has."""
    taken = {cell.id for cell in cells}
    number = 0
    for cell in cells:
        while not cell.id:
            number += 1
            if f"added-{number}" not in taken:
                cell.id = f"added-{number}"
