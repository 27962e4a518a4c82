"""Make a submission gradable: the student's answers, by name, in a fresh copy of the released notebook."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.notebooks.document import FLAGS, MAX_CODE, grade_id


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A notebook that can be graded, and a line for the student on each thing that had to be repaired."""

    notebook: NotebookNode
    repairs: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    """What staff should look at: see `Report.warnings`."""
    manual: tuple[str, ...] = ()
    """The cells whose score a person has to confirm: see `Report.manual`."""


def rebuild(released: NotebookNode, submitted: NotebookNode) -> Rebuilt:
    """Put the answers of `submitted` into a copy of `released`, which decides everything else.

    - The text, type, order, points and locks of every released cell are the release's, however often, where
      and as what it was handed in. Only the source of a solution cell is the student's.
    - Of a solution cell that was copied, the first copy that holds an answer counts.
    - A released cell that nbgrader does not handle is the student's to edit: its source is kept.
    - A cell that the student added stays behind the released cell that it followed, without its metadata.
    - Text becomes code again (an answer whose cell was retyped) as long as `MAX_CODE` holds for all code.
    - Outputs and attachments are dropped.

    `submitted` is what `document.parse` returned. Neither notebook is changed.
    """
    places = _Places(released, submitted)
    repairs: list[str] = []
    room = _Room(submitted)
    cells = _added(places.added.get(None, []))
    for position, original in enumerate(released.cells):
        cells.append(_answered(original, places.found.get(position, []), repairs, room))
        cells += _added(places.added.get(position, []))
    if not any(grade_id(released.cells[position]) for position in places.found):
        repairs = [
            "No cell of this assignment is in the notebook: it is another's, or its cells have lost their names."
        ]
    if places.reordered:
        repairs.append("The cells were in another order: they were put back in the order of the assignment.")
    _name_added(cells)
    metadata = copy.deepcopy(released.metadata)
    return Rebuilt(NotebookNode(cells=cells, metadata=metadata, nbformat=4, nbformat_minor=5), tuple(repairs))


class _Places:
    """Which submitted cells are which released ones (by position), and what was added behind each of them."""

    def __init__(self, released: NotebookNode, submitted: NotebookNode) -> None:
        self.found: dict[int, list[NotebookNode]] = {}
        self.added: dict[int | None, list[NotebookNode]] = {}
        self._by_name: dict[str, int] = {}
        self._by_id: dict[str, int] = {}
        self._by_text: dict[tuple[str, str], int] = {}
        for position, cell in enumerate(released.cells):
            name = grade_id(cell)
            if name is not None:
                self._by_name[name] = position
            else:
                self._by_id[cell.get("id", "")] = position
                self._by_text[cell.cell_type, cell.source] = position
        last: int | None = None
        for cell in submitted.cells:
            place = self._position(cell)
            if place is None:
                self.added.setdefault(last, []).append(cell)
            else:
                self.found.setdefault(place, []).append(cell)
                last = place

    @property
    def reordered(self) -> bool:
        """Whether the cells that nbgrader handles came in another order, each taken where it came first."""
        order = [position for position in self.found if position in self._by_name.values()]
        return order != sorted(order)

    def _position(self, cell: NotebookNode) -> int | None:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in self._by_name:
            return self._by_name[name]
        # a plain cell: some editors give all cells new ids, so an unchanged text is known as well
        for position in (self._by_id.get(cell.id), self._by_text.get((cell.cell_type, cell.source))):
            if position is not None and position not in self.found:
                return position
        return None


class _Room:
    """How much text may still become code: what is handed in as text was not counted when it was parsed."""

    def __init__(self, submitted: NotebookNode) -> None:
        self._left = MAX_CODE - sum(len(cell.source) for cell in submitted.cells if cell.cell_type == "code")

    def takes(self, handed_in: NotebookNode, cell: NotebookNode) -> bool:
        """Whether the text of one may stand in the other: there is room, or it does not become code by that."""
        if cell.cell_type != "code" or handed_in.cell_type == "code":
            return True
        if len(handed_in.source) > self._left:
            return False
        self._left -= len(handed_in.source)
        return True


def _answered(original: NotebookNode, found: list[NotebookNode], repairs: list[str], room: _Room) -> NotebookNode:
    """A copy of a released cell with the student's answer in it; what was repaired is added to `repairs`."""
    cell = _fresh(original)
    name = grade_id(cell)
    if name is None:
        if found and room.takes(found[0], cell):
            cell.source = found[0].source
        return cell
    if not found:
        repairs.append(f"`{name}` was missing: it was put back as it was released.")
        return cell
    is_answer = bool(cell.metadata.nbgrader.get("solution"))
    # of an answer the first copy that somebody wrote, of a locked cell the first that nobody touched
    good = (copied for copied in found if _same_text(copied.source, cell.source) != is_answer)
    chosen = next(good, found[0])
    if len(found) > 1:
        kept = "the first one with an answer was graded" if is_answer else "one was kept"
        repairs.append(f"`{name}` was there {len(found)} times: {kept}.")
    if chosen.cell_type != cell.cell_type:
        repairs.append(f"`{name}` was a {chosen.cell_type} cell: it was made a {cell.cell_type} cell again.")
    changed = [flag for flag in FLAGS if _flag(chosen, flag) != _flag(cell, flag)]
    if changed:
        repairs.append(f"`{name}` had other settings ({', '.join(changed)}): those of the assignment were used.")
    if is_answer and room.takes(chosen, cell):
        cell.source = chosen.source
    elif is_answer:
        repairs.append(f"`{name}` was too long: all code may have {MAX_CODE} characters. Its released text was used.")
    elif not _same_text(chosen.source, cell.source):
        repairs.append(f"`{name}` is locked and had been changed: its released text was used.")
    return cell


def _fresh(original: NotebookNode) -> NotebookNode:
    """A copy without outputs and attachments."""
    cell = copy.deepcopy(original)
    cell.pop("attachments", None)
    if cell.cell_type == "code":
        cell.update(outputs=[], execution_count=None)
    return cell


def _flag(cell: NotebookNode, flag: str) -> object:
    return cell.metadata.get("nbgrader", {}).get(flag) or False


def _same_text(one: str, other: str) -> bool:
    """Whether two sources differ at most in line ends and trailing spaces, which editors change unasked."""
    return [line.rstrip() for line in one.rstrip().splitlines()] == [
        line.rstrip() for line in other.rstrip().splitlines()
    ]


def _added(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Copies of cells that the student added, without metadata: no tag or flag of theirs means anything."""
    copies = []
    for cell in cells:
        copied = NotebookNode(cell_type=cell.cell_type, id="", metadata=NotebookNode(), source=cell.source)
        if cell.cell_type == "code":
            copied.update(outputs=[], execution_count=None)
        copies.append(copied)
    return copies


def _name_added(cells: list[NotebookNode]) -> None:
    """Give each added cell an id that no released cell has."""
    taken = {cell.id for cell in cells}
    number = 0
    for cell in cells:
        while not cell.id:
            number += 1
            if f"added-{number}" not in taken:
                cell.id = f"added-{number}"
