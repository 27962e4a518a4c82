"""Take released stubs out of answers: a stub that was restored never shadows a working definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from autograder.notebooks import code
from autograder.notebooks.match import Piece, Release, is_released, normal


def without_stubs(release: Release, pieces: Sequence[Piece], reader: code.Reader) -> list[Piece]:
    """The pieces; released stubs within code of the student's are taken out where something else defines what they do.

    A stub may stand in any cell, such as another exercise's answer that it was merged with. What is nothing but the
    stub, after a cell was divided, is `untouched`.
    """
    stubs = {
        position: release.texts[position].split("\n")
        for position in range(len(release.cells))
        if release.is_answer(position) and release.is_code(position) and release.asked(position)
    }
    marked = [_marked(release, piece) for piece in pieces]
    held = [_held(piece, stubs) for piece in marked]
    if not any(held):
        return marked
    defined: set[str] = set()
    for piece, positions in zip(marked, held, strict=True):
        if not piece.untouched and piece.kind == "code":
            defined |= reader.read(_without(piece, [stubs[position] for position in positions]).source).defined.keys()
    answered = {position for position in stubs if release.asked(position).keys() <= defined}
    return [
        _without(piece, [stubs[position] for position in positions if position in answered])
        for piece, positions in zip(marked, held, strict=True)
    ]


def _marked(release: Release, piece: Piece) -> Piece:
    """The piece, `untouched` where it is a released answer cell as it was released."""
    position = piece.home
    if position is None or piece.untouched or not (release.is_answer(position) and release.is_code(position)):
        return piece
    return replace(piece, untouched=True) if is_released(release, position, normal(piece.source)) else piece


def _held(piece: Piece, stubs: Mapping[int, list[str]]) -> list[int]:
    """The answer cells whose stubs are in the piece."""
    if piece.untouched or piece.kind != "code":
        return []
    lines = [line.rstrip() for line in piece.source.splitlines()]
    return [position for position, stub in stubs.items() if stub[0] in piece.source and _places(lines, stub)]


def _places(lines: Sequence[str], stub: list[str]) -> list[int]:
    """Where a stub begins among the lines."""
    return [place for place, line in enumerate(lines) if line == stub[0] and lines[place : place + len(stub)] == stub]


def _without(piece: Piece, stubs: Sequence[list[str]]) -> Piece:
    """The piece without these stubs."""
    if not stubs:
        return piece
    lines = [line.rstrip() for line in piece.source.splitlines()]
    for stub in stubs:
        for place in _places(lines, stub):
            lines[place : place + len(stub)] = [""] * len(stub)
    return replace(piece, source="\n".join(lines).strip("\n"))
