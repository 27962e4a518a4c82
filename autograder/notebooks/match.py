"""Which submitted cell is which released one: by its name, its id, its text, where it stands in a merged cell."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal

from nbformat import NotebookNode

from autograder.notebooks import code
from autograder.notebooks.document import grade_id

How = Literal["", "name", "id", "text", "merged", "definition", "place", "beside"]
"""How a piece was recognised; of a student's own cells, not at all."""
SHORTEST: Final = 10
"""Characters of a released cell's text that is looked for within other cells."""
LONGEST: Final = 100_000
"""Characters of a cell in which others are looked for."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that was handed in: a cell, or a part of one.

    Attributes:
        cell: the submitted cell; `kind` and `source` are this piece's own.
        index: of the submitted cell.
        home: position of the released cell that it belongs to; None for a student's own.
        untouched: it is the text of that cell as it was released.
        apart: code that has to stay a cell of its own, before the answer of `home`.
        extra: position of the locked cell to which the student added this text.
    """

    index: int
    cell: NotebookNode
    kind: str
    source: str
    home: int | None = None
    how: How = ""
    untouched: bool = False
    apart: bool = False
    extra: int | None = None

    @property
    def blank(self) -> bool:
        """Whether there is nothing to see in it."""
        return not self.source.strip() and not self.cell.get("attachments")


@dataclass
class Release:
    """What the released notebook says about its cells, by position."""

    notebook: NotebookNode
    names: list[str | None] = field(init=False)

    def __post_init__(self) -> None:
        self.cells: list[NotebookNode] = self.notebook.cells
        self.names = [grade_id(cell) for cell in self.cells]
        self.texts = [normal(cell.source) for cell in self.cells]
        self._flags = [cell.metadata.get("nbgrader", {}) for cell in self.cells]

    def is_answer(self, position: int) -> bool:
        """Whether students fill this cell."""
        return self.names[position] is not None and bool(self._flags[position].get("solution"))

    def is_locked(self, position: int) -> bool:
        """Whether its text is the release's, whatever is handed in."""
        return self.names[position] is not None and not self._flags[position].get("solution")

    def is_code(self, position: int) -> bool:
        """Whether it is a code cell."""
        return bool(self.cells[position].cell_type == "code")

    def is_checked(self, position: int) -> bool:
        """Whether its points come from checks; such a cell does not run."""
        return self.is_locked(position) and bool(self._flags[position].get("grade"))

    def is_written(self, position: int) -> bool:
        """Whether it is a written answer, which a person grades."""
        return self.is_answer(position) and bool(self._flags[position].get("grade"))

    @cached_property
    def runs(self) -> list[int]:
        """Positions of the code cells that run as they were released."""
        return [p for p in range(len(self.cells)) if self.is_code(p) and not (self.is_answer(p) or self.is_checked(p))]

    @cached_property
    def modules(self) -> set[str]:
        """Packages that its cells import."""
        return {name for position in self.runs for name in code.modules(self.cells[position].source)}

    def graded(self, position: int) -> int | None:
        """The checked cell of the exercise that an answer belongs to."""
        later = range(position + 1, len(self.cells))
        return next((each for each in later if self.is_checked(each)), None)

    def exercise(self, checked: int) -> list[int]:
        """The code answers that belong to a checked cell."""
        before = next((each for each in range(checked - 1, -1, -1) if self.is_checked(each)), -1)
        return [each for each in range(before + 1, checked) if self.is_answer(each) and self.is_code(each)]

    def asked(self, position: int) -> dict[str, str]:
        """The names that an answer has to define, each with `def` or `value`.

        They are those of the released stub. A stub without any is asked for what its graded cell uses and no
        released cell defines.
        """
        defined = code.of_release(self.cells[position].source).defined
        if defined:
            return {name: "def" if kind == "def" else "value" for name, kind in defined.items() if kind != "import"}
        checked = self.graded(position)
        if checked is None or self.exercise(checked) != [position]:
            return {}
        return dict.fromkeys(code.of_release(self.cells[checked].source).used - self._given, "value")

    @cached_property
    def _given(self) -> set[str]:
        """Names that released cells define, stubs too."""
        cells = [cell for cell in self.cells if cell.cell_type == "code"]
        return {name for cell in cells for name in code.of_release(cell.source).defined}


def normal(text: str) -> str:
    """A source without what editors change unasked: line ends, trailing blanks, blank lines around it."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def is_released(release: Release, position: int, text: str) -> bool:
    """Whether a text (`normal`) is that of a released cell; of code answers, its comments aside."""
    released = release.texts[position]
    if text == released:
        return True
    if not (release.is_answer(position) and release.is_code(position)) or len(text) > 2 * len(released) + 1000:
        return False
    bare = _bare(released)
    return bool(bare) and _bare(text) == bare


def _bare(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def anchored(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, int]]:
    """The pieces, each with the released cell that it stands behind, -1 at the start; a copy further down is none."""
    seen: set[int] = set()
    last = -1
    for piece in pieces:
        if piece.home is not None and (piece.home not in seen or piece.home > last):
            last = piece.home
            seen.add(last)
        yield piece, last


def pieces(release: Release, submitted: NotebookNode) -> list[Piece]:
    """The submitted cells in their order, each with the released cell that it is; merged cells are cut in pieces."""
    known = _identified(release, submitted.cells)
    found = {piece.home for piece in known}
    missing = {position for position in range(len(release.cells)) if position not in found}
    return [part for piece in known for part in _cut(release, piece, missing)]


def _identified(release: Release, cells: Sequence[NotebookNode]) -> list[Piece]:
    by_name = {name: position for position, name in enumerate(release.names) if name is not None}
    by_id = {cell.get("id", ""): position for position, cell in enumerate(release.cells)}
    by_text: dict[str, list[int]] = {}
    for position, text in enumerate(release.texts):
        by_text.setdefault(text, []).append(position)
    names = [by_name.get(cell.metadata.get("nbgrader", {}).get("grade_id")) for cell in cells]
    here = set(names)
    taken: set[int] = set()
    made: list[Piece] = []
    for index, (cell, named) in enumerate(zip(cells, names, strict=True)):
        text = normal(cell.source)
        known = by_id.get(cell.id)
        if known in here or (known in taken and release.names[known or 0] is None):
            known = None  # another cell has the name; a plain cell is the student's to copy
        home, how = (named, "name") if named is not None else (known, "id" if known is not None else "")
        if home is None or not is_released(release, home, text):
            alike = [
                position
                for position in by_text.get(text, ())
                if release.names[position] is not None
                or (named is None and position not in taken and release.cells[position].cell_type == cell.cell_type)
            ]
            alike.sort(key=lambda position: (position in taken, release.cells[position].cell_type != cell.cell_type))
            if alike and text:
                home, how = alike[0], "text"
        if home is not None:
            taken.add(home)
        untouched = home is not None and is_released(release, home, text)
        made.append(Piece(index, cell, cell.cell_type, cell.source, home, how, untouched))  # type: ignore[arg-type]
    return made


def _cut(release: Release, piece: Piece, missing: set[int]) -> list[Piece]:
    """The pieces of a cell into which others were merged: released texts in it are found, the rest is divided.

    What is found is taken from `missing`.
    """
    if piece.untouched or len(piece.source) > LONGEST:
        return [piece]
    blocks = _blocks(release, piece, missing)
    if not blocks:
        return [piece]
    missing.difference_update(position for position, _, _ in blocks)
    lines = piece.source.splitlines()
    cuts = [(-1, 0, 0), *blocks, (len(release.cells), len(lines), len(lines))]
    made: list[Piece] = []
    rest: list[Piece] = []
    for (before, _, start), (after, end, _) in itertools.pairwise(cuts):
        text = "\n".join(lines[start:end]).strip("\n")
        if text.strip():
            home = _between(release, piece, before, after, missing)
            made.append(replace(piece, source=text, home=home, how="merged" if home is not None else "", extra=None))
            if home is None and piece.home is not None and release.is_locked(piece.home):
                made[-1] = replace(made[-1], extra=piece.home)
            rest.append(made[-1])
            missing.discard(-1 if home is None else home)
        if after < len(release.cells):
            released = release.cells[after]
            how: How = piece.how if after == piece.home else "merged"
            made.append(replace(piece, kind=released.cell_type, source=released.source, home=after, how=how))
            made[-1] = replace(made[-1], untouched=True)
    own = [part for part in rest if part.home == piece.home]
    if piece.home is not None and not own and all(part.home != piece.home for part in made):
        made.append(replace(piece, source=release.cells[piece.home].source, untouched=True))
    return [replace(part, how=piece.how) if part.home == piece.home else part for part in made]


def _blocks(release: Release, piece: Piece, missing: set[int]) -> list[tuple[int, int, int]]:
    """Where the texts of missing cells, and of the piece's own, stand in it: position, first line, line after."""
    wanted: dict[str, list[int]] = {}
    for position in {*missing, *([] if piece.home is None else [piece.home])}:
        text = release.texts[position]
        if len(text) >= SHORTEST and (release.names[position] is not None):
            wanted.setdefault(text.split("\n", 1)[0], []).append(position)
    lines = [line.rstrip() for line in piece.source.splitlines()]
    found: list[tuple[int, int, int]] = []
    line, seen = 0, set[int]()
    while line < len(lines):
        for position in sorted(wanted.get(lines[line], ()), key=lambda each: -len(release.texts[each])):
            block = release.texts[position].split("\n")
            if position not in seen and lines[line : line + len(block)] == block:
                found.append((position, line, line + len(block)))
                seen.add(position)
                line += len(block) - 1
                break
        line += 1
    only_own = [position for position, _, _ in found] == [piece.home]
    return [] if only_own and piece.home is not None and release.is_answer(piece.home) else found


def _between(release: Release, piece: Piece, before: int, after: int, missing: set[int]) -> int | None:
    """The answer to which text of a merged cell belongs that stands between two released texts."""
    own = piece.home if piece.home is not None and release.is_answer(piece.home) else None
    first = before
    if before < 0:
        if own is not None:
            return own
        # what stands above the first released text belongs to that text's exercise, or to the cell just before
        first = next((each for each in range(after - 1, -1, -1) if release.is_checked(each)), -1)
    if own is not None and first <= own < after:
        return own
    answers = [each for each in range(first + 1, min(after, len(release.cells))) if release.is_answer(each)]
    open_answers = [each for each in answers if each in missing]
    return open_answers[0] if len(open_answers) == 1 else None
