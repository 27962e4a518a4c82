"""Find code that answers an exercise in another cell than the exercise's own, by what it defines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from autograder.notebooks import code
from autograder.notebooks.match import Piece, Release, normal
from autograder.notebooks.stubs import without_stubs

MOST_STEPS: Final = 20_000
"""Comparisons of two cells to see what has to move along with an answer: more are made in hostile notebooks only."""
MOST_WORDS: Final = 200_000
"""Characters of text cells that are searched for code."""
MOST_PARTS: Final = 40
"""Cells that one answer may be collected from."""


def recovered(release: Release, pieces: Sequence[Piece]) -> tuple[list[Piece], list[int]]:
    """The pieces, those that answer an exercise with it as their `home`; and the answers that had to stay elsewhere.

    - What was added to a locked cell becomes a piece of its own.
    - An answer that is missing or untouched is looked for in the student's own cells, in cells of other answers
      and in locked cells, by the names that its stub defines.
    - Where an answer is missing and one code cell stands in its place, that cell is the answer.
    - Cells that an answer needs, and that stood between its parts, move with it. Where it needs what released
      cells further down define, it stays where it is, and a person has to look.
    """
    reader = code.Reader(release.modules)
    found = [part for piece in pieces for part in _with_extra(release, piece, reader)]
    wanted = _wanted(release, found, reader)
    if wanted:
        found = list(_claimed(release, found, wanted, reader))
    found = _placed(release, found)
    found, stranded = _gathered(release, found, reader)
    return without_stubs(release, [piece for piece in found if not _is_empty_extra(piece)], reader), stranded


def _is_empty_extra(piece: Piece) -> bool:
    return piece.extra is not None and piece.home is None and piece.blank


def _with_extra(release: Release, piece: Piece, reader: code.Reader) -> Iterator[Piece]:
    """The piece; if it is a changed locked cell, also what the student added there."""
    if piece.extra is not None and piece.home is None and piece.kind == "code":
        text = _added_code(release, piece.extra, piece, reader)  # the rest of a merged cell
        yield replace(piece, source=text)
        return
    yield piece
    if piece.home is None or piece.untouched or not release.is_locked(piece.home):
        return
    if release.is_code(piece.home):
        text = _added_code(release, piece.home, piece, reader)
    else:
        text = _added_words(release.texts[piece.home], piece.source)
    if text.strip() or piece.cell.get("attachments"):
        kind = release.cells[piece.home].cell_type
        yield replace(piece, kind=kind, source=text, home=None, how="", extra=piece.home)


def _added_code(release: Release, position: int, piece: Piece, reader: code.Reader) -> str:
    """The statements of a changed locked cell that the release does not have and that do not undo it.

    Of a checked cell, which does not run: imports and definitions, and what stands before the last of those that
    an exercise asks for.
    """
    released = code.of_release(release.cells[position].source)
    found = reader.read(piece.source)
    keys = {statement.key for statement in released.statements}
    added = [statement for statement in found.statements if statement.key not in keys]
    if release.is_checked(position):
        asked = {name for answer in release.exercise(position) for name in release.asked(answer)}
        ends = [i for i, each in enumerate(added) if any(each.defined.get(name) == "def" for name in asked)]
        needed = set(range(ends[-1] + 1)) if ends else set()
        added = [
            each
            for number, each in enumerate(added)
            if number in needed or set(each.defined.values()) & {"def", "import"}
        ]
    else:
        added = [
            each
            for each in added
            if not any(name in released.defined and kind != "import" for name, kind in each.defined.items())
        ]
    return _text_of(piece.source, added)


def _text_of(source: str, statements: Sequence[code.Statement]) -> str:
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("\n".join(lines[each.first - 1 : each.last]) for each in statements)


def _added_words(released: str, text: str) -> str:
    """The lines that were added to a text; none if it was written anew."""
    known = set(released.splitlines())
    lines = normal(text).splitlines()
    kept = len(known & set(lines))
    if kept < 0.8 * len(known):
        return ""
    return "\n".join(line for line in lines if line not in known or not line).strip("\n")


def _wanted(release: Release, pieces: Sequence[Piece], reader: code.Reader) -> dict[str, list[int]]:
    """The names that answers without a definition have to define, each with the positions of those answers."""
    texts: dict[int, list[str]] = {}
    for piece in pieces:
        if piece.home is not None and not piece.untouched:
            texts.setdefault(piece.home, []).append(piece.source)
    wanted: dict[str, list[int]] = {}
    for position in range(len(release.cells)):
        if not (release.is_answer(position) and release.is_code(position)):
            continue
        asked = release.asked(position)
        if not any(_defines(text, asked, reader) for text in texts.get(position, ())):
            for name in asked:
                wanted.setdefault(name, []).append(position)
    return wanted


def _defines(text: str, asked: Mapping[str, str], reader: code.Reader) -> bool:
    """Whether a text defines one of the names; where nothing is asked for, whether there is any."""
    if not asked:
        return bool(text.strip())
    names = "|".join(map(re.escape, asked))
    definition = rf"^[ \t]*(?:async[ \t]+def|def|class)[ \t]+(?:{names})\b|^(?:{names})\b[^=\n]*=(?!=)"
    if re.search(definition, text, re.MULTILINE):
        return True
    return not asked.keys().isdisjoint(reader.read(text).defined)


def _claimed(
    release: Release, pieces: Sequence[Piece], wanted: Mapping[str, Sequence[int]], reader: code.Reader
) -> Iterator[Piece]:
    """The pieces; those that define what is wanted with the answer they are, divided where they are several."""
    mentioned = re.compile(rf"\b(?:{'|'.join(map(re.escape, wanted))})\b")
    counts: dict[int, int] = {}
    last, left = -1, MOST_WORDS
    for piece in pieces:
        if piece.home is not None:
            last = piece.home
        elif piece.extra is not None:
            last = piece.extra
        own = piece.home if piece.home is not None and release.is_answer(piece.home) else None
        locked = piece.home is not None and own is None
        if piece.untouched or locked or (own is not None and not release.is_code(own)):
            yield piece
            continue
        source = piece.source
        if piece.kind != "code" and own is None:
            left -= len(source)
            source = "" if left < 0 else source
            source = code.fenced(source) or ("" if piece.kind == "markdown" and "def " not in source else source)
        if not mentioned.search(source):
            yield piece
            continue
        parts = list(_divided(release, replace(piece, source=source), wanted, reader, last))
        targets = {part.home for part in parts} - {None, own}
        if not targets or any(counts.get(each or 0, 0) >= MOST_PARTS for each in targets):
            yield piece
            continue
        for target in targets:
            counts[target or 0] = counts.get(target or 0, 0) + 1
        if piece.kind != "code" and own is None:
            yield piece  # the text stays; its code is run as well
            parts = [replace(part, how="definition", cell=_bare(part)) for part in parts]
        yield from parts


def _bare(piece: Piece) -> object:
    return type(piece.cell)({key: value for key, value in piece.cell.items() if key != "attachments"})


def _divided(
    release: Release, piece: Piece, wanted: Mapping[str, Sequence[int]], reader: code.Reader, last: int
) -> Iterator[Piece]:
    """A piece of code, divided before each statement that answers another exercise than what stands before it."""
    found = reader.read(piece.source)
    own = piece.home
    owned = set() if own is None else release.asked(own).keys()
    target = own
    starts: list[tuple[int, int | None]] = []
    for statement in found.statements:
        answered: list[int | None] = [own] if owned & statement.defined.keys() else []
        answered += [
            min(wanted[name], key=lambda position: abs(position - last))
            for name, kind in statement.defined.items()
            if name in wanted and _fits(release, wanted[name], name, kind, alone=own is None)
        ]
        if answered and answered[0] != target:
            first = statement.first if target is not None or starts else 1
            target = answered[0]
            starts.append((first, target))
    if not starts:
        yield piece
        return
    lines = piece.source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cuts = [(_with_comments(lines, line), home) for line, home in starts]
    if cuts[0][0] > 1:
        cuts.insert(0, (1, own))
    for number, (line, home) in enumerate(cuts):
        end = cuts[number + 1][0] - 1 if number + 1 < len(cuts) else len(lines)
        text = "\n".join(lines[line - 1 : end]).strip("\n")
        if home == own:
            yield replace(piece, source=text)
        elif text.strip():
            yield replace(piece, source=text, home=home, how="definition" if own is None else "merged")


def _fits(release: Release, positions: Sequence[int], name: str, kind: str, *, alone: bool) -> bool:
    """Whether a statement that binds a wanted name answers for it, and does not only use the name for a variable."""
    if any(release.asked(position).get(name) == "value" for position in positions):
        return kind != "import"
    return kind == "def" or (alone and kind == "call")


def _with_comments(lines: Sequence[str], line: int) -> int:
    """The first line of the comments right above a line."""
    while line > 1 and lines[line - 2].startswith("#"):
        line -= 1
    return line


def _placed(release: Release, pieces: list[Piece]) -> list[Piece]:
    """The pieces; a single code cell in the place of an answer that is not there at all is that answer."""
    found = {piece.home for piece in pieces if piece.home is not None}
    missing = [
        position
        for position in range(len(release.cells))
        if release.is_answer(position) and release.is_code(position) and position not in found
    ]
    if not missing:
        return pieces
    before, group = -1, list[int]()
    for number in range(len(pieces) + 1):
        piece = pieces[number] if number < len(pieces) else None
        if piece is not None and piece.home is None:
            if piece.kind == "code" and piece.source.strip() and piece.extra is None:
                group.append(number)
            continue
        after = len(release.cells) if piece is None or piece.home is None else piece.home
        places = [position for position in missing if before < position < after]
        if len(group) == len(places) == 1:
            pieces[group[0]] = replace(pieces[group[0]], home=places[0], how="place")
        before, group = (after if piece is not None else before), []
    return pieces


def _gathered(release: Release, pieces: list[Piece], reader: code.Reader) -> tuple[list[Piece], list[int]]:
    """The pieces, with what answers need of the cells in between moved along; the answers that could not move."""
    homes: dict[int, list[int]] = {}
    for number, piece in enumerate(pieces):
        if piece.home is not None and release.is_answer(piece.home) and release.is_code(piece.home):
            homes.setdefault(piece.home, []).append(number)
    stranded: list[int] = []
    steps = MOST_STEPS
    for position, numbers in homes.items():
        working = [number for number in numbers if not pieces[number].untouched]
        below = next(
            (n for n, piece in enumerate(pieces) if piece.home is not None and piece.home > position), numbers[0]
        )
        between = range(working[-1] if working else 0, min(numbers[0], below), -1)
        steps -= 2 * len(between)
        if not between or steps < 0:
            continue
        moved = _needed(release, pieces, position, between, reader)
        if moved is not None:
            for number in moved:
                pieces[number] = replace(pieces[number], home=position, how="definition", apart=True)
        elif elsewhere := [number for number in working if pieces[number].how in ("definition", "place")]:
            stranded.append(position)
            for number in elsewhere:
                pieces[number] = replace(pieces[number], home=None, how="")
    return pieces, stranded


def _needed(
    release: Release, pieces: Sequence[Piece], position: int, between: range, reader: code.Reader
) -> list[int] | None:
    """Which of the student's own cells between the parts of an answer it needs; None if it needs released ones.

    `between` counts downwards from the last part.
    """
    needed: set[str] = set()
    moved: list[int] = []
    for number in between:
        piece = pieces[number]
        if piece.home == position:
            needed |= reader.read(piece.source).used if not piece.untouched else frozenset()
        elif piece.home is None and piece.kind == "code" and needed & reader.read(piece.source).defined.keys():
            moved.append(number)
            needed |= reader.read(piece.source).used
        elif piece.home in release.runs and needed & _defined_by(release, piece.home) and piece.home > position:
            return None
    return moved


def _defined_by(release: Release, position: int) -> set[str]:
    return set(code.of_release(release.cells[position].source).defined)
