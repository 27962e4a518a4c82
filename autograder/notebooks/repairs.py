"""Say what was repaired in a submission: a line for each kind of repair, however many cells it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from autograder.notebooks.document import FLAGS, MAX_CODE
from autograder.notebooks.match import Piece, Release
from autograder.notebooks.written import Written

MOST_NAMES: Final = 4
MOST_LINES: Final = 10


@dataclass
class Repairs:
    """What was found and what was done about it."""

    release: Release
    pieces: Sequence[Piece]
    stranded: Sequence[int]
    written: Written
    too_long: list[int] = field(default_factory=list)
    parts: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By answer, of how many parts it is made, and in how many cells they stand now."""
    left_out: int = 0
    """Pictures that cannot be shown."""

    def __post_init__(self) -> None:
        self._found: dict[int, list[Piece]] = {}
        for piece in self.pieces:
            if piece.home is not None and self.release.names[piece.home] is not None and not piece.apart:
                self._found.setdefault(piece.home, []).append(piece)

    def for_student(self) -> tuple[str, ...]:
        """The repairs, a sentence or two each."""
        if not self._found:
            return (
                "No cell of this assignment is in the notebook: it is another's, or its cells have lost their names.",
            )
        kinds: tuple[Callable[[], Iterable[str]], ...] = (
            self._lost,
            self._missing,
            self._elsewhere,
            self._merged,
            self._several,
            self._copied,
            self._retyped,
            self._settings,
            self._locked,
            self._long,
            self._beside,
            self._reordered,
        )
        lines = [line for kind in kinds for line in kind()]
        more = len(lines) - MOST_LINES + 1
        return tuple(lines) if more <= 1 else (*lines[: MOST_LINES - 1], f"{more} more repairs were made.")

    def for_staff(self) -> tuple[str, ...]:
        """What a person should look at."""
        lines = []
        if self.stranded:
            lines.append(
                f"{self._names(self.stranded)}: the answer stands further down and needs cells that come between; "
                "it ran where it stands. Confirm the score."
            )
        from_text = [p.home for p in self.pieces if p.how == "definition" and p.home is not None and p.kind != "code"]
        if from_text:
            lines.append(f"{self._names(sorted(set(from_text)))}: the answer's code stood in a text cell.")
        if self.written.manual:
            beside = self.written.documents or [file.name for files in self.written.files.values() for file in files]
            what = (
                f"files were handed in ({', '.join(map(_plain, beside[:3]))})"
                if beside
                else "there are words elsewhere"
            )
            lines.append(
                f"{self._names(self.written.manual)}: no answer in the cell, but {what}. Read it before it gets 0."
            )
        if self.left_out:
            told = "a picture is" if self.left_out == 1 else f"{self.left_out} pictures are"
            lines.append(f"{told} too large to be shown, or no PNG, JPEG, GIF or WebP: look at what was handed in.")
        return tuple(lines)

    def manual(self) -> tuple[str, ...]:
        """The cells whose score a person has to confirm."""
        checked = [self.release.graded(position) for position in self.stranded]
        names = [self.release.names[position] for position in [*checked, *self.written.manual] if position is not None]
        return tuple(dict.fromkeys(name for name in names if name is not None))

    def _lost(self) -> Iterable[str]:
        lost = [
            position
            for position, found in self._found.items()
            if all(piece.how in ("id", "text", "place") for piece in found)
        ]
        if lost:
            yield f"{self._were(lost)} without a name (nbgrader's metadata): recognised by id, text or place."

    def _missing(self) -> Iterable[str]:
        names = self.release.names
        missing = [position for position in range(len(names)) if names[position] and position not in self._found]
        if missing:
            put = "it was put back as it was" if len(missing) == 1 else "they were put back as they were"
            yield f"{self._were(missing)} missing: {put} released."

    def _elsewhere(self) -> Iterable[str]:
        there = self._with(lambda piece: piece.how == "definition")
        if there:
            yield f"{self._were(there)} answered in another cell: that code was taken as the answer."

    def _merged(self) -> Iterable[str]:
        there = self._with(lambda piece: piece.how == "merged")
        if there:
            yield f"{self._were(there)} merged into another cell: the cell was divided again."

    def _several(self) -> Iterable[str]:
        told = [f"{self._names([position])} ({parts})" for position, (parts, _) in self.parts.items()]
        if told:
            cells = _listed(told)
            yield f"Answers in several cells: {cells}. All were run in their order: what is defined last counts."

    def _copied(self) -> Iterable[str]:
        counts = {
            position: len({piece.index for piece in found if piece.how in ("name", "id", "text")})
            for position, found in self._found.items()
            if position not in self.parts
        }
        told = [(self._names([position]), count) for position, count in counts.items() if count > 1]
        if told:
            times = _listed([f"{name} was there {count} times" for name, count in told])
            yield f"{times}: one {'was' if len(told) == 1 else 'of each was'} kept."

    def _retyped(self) -> Iterable[str]:
        types = {position: self._chosen(position).cell.cell_type for position in self._found}
        told = [
            f"{self._names([position])} was a {kind} cell instead of a {self.release.cells[position].cell_type} cell"
            for position, kind in types.items()
            if kind != self.release.cells[position].cell_type and self._chosen(position).how in ("name", "id")
        ]
        if told:
            yield f"{_listed(told)}: changed back."

    def _settings(self) -> Iterable[str]:
        told = []
        for position in self._found:
            chosen = self._chosen(position)
            cell = self.release.cells[position]
            changed = [flag for flag in FLAGS if _flag(chosen.cell, flag) != _flag(cell, flag)]
            if changed and chosen.how == "name":
                told.append(f"{self._names([position])} had other settings ({', '.join(changed)})")
        if told:
            yield f"{_listed(told)}: those of the assignment were used."

    def _locked(self) -> Iterable[str]:
        locked = self.release.is_locked
        kept = {p.extra for p in self.pieces if p.home is None and p.extra is not None and not p.blank}
        touched = {p.home for p in self.pieces if p.home is not None and locked(p.home) and not p.untouched}
        changed = sorted({*kept, *touched} & self._found.keys())
        if not changed:
            return
        verb = "is" if len(changed) == 1 else "are"
        text = "its released text was" if len(changed) == 1 else "their released texts were"
        more = " What you added there was kept in a cell of its own." if kept else ""
        yield f"{self._names(changed)} {verb} locked and had been changed: {text} used.{more}"

    def _long(self) -> Iterable[str]:
        if self.too_long:
            verb = "was" if len(self.too_long) == 1 else "were"
            yield f"{self._names(self.too_long)} {verb} too long: all code may have {MAX_CODE} characters."

    def _beside(self) -> Iterable[str]:
        if self.written.moved:
            names = self._names(self.written.moved)
            yield f"{names} had no answer in its cell: what you wrote beside it was taken as the answer."

    def _reordered(self) -> Iterable[str]:
        order = list(dict.fromkeys(p.home for p in self.pieces if p.home in self._found and p.how in ("name", "id")))
        if order != sorted(order, key=lambda position: position or 0):
            yield "The cells were in another order: they were put back in the order of the assignment."

    def _chosen(self, position: int) -> Piece:
        """The piece by which a cell is described: the first that is as it should be."""
        found = self._found[position]
        answer = self.release.is_answer(position)
        return next((piece for piece in found if piece.untouched != answer), found[0])

    def _with(self, says: Callable[[Piece], bool]) -> list[int]:
        return [position for position, found in sorted(self._found.items()) if any(map(says, found))]

    def _names(self, positions: Sequence[int | None]) -> str:
        return _listed([f"`{self.release.names[position]}`" for position in positions if position is not None])

    def _were(self, positions: Sequence[int]) -> str:
        return f"{self._names(positions)} {'was' if len(positions) == 1 else 'were'}"


def _listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and 3 more`."""
    if len(words) > MOST_NAMES + 1:
        words = [*words[:MOST_NAMES], f"{len(words) - MOST_NAMES} more"]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _flag(cell: object, flag: str) -> object:
    return cell.metadata.get("nbgrader", {}).get(flag) or False  # type: ignore[attr-defined]


def _plain(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:60]
