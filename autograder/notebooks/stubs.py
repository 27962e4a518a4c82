"""Take released stubs out of answers: a stub that was restored never shadows a working definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autograder.notebooks import code
from autograder.notebooks.match import Piece, Release, is_released, normal


def without_stubs(release: Release, pieces: Sequence[Piece], reader: code.Reader) -> list[Piece]:
    """The pieces; released stubs within answers are taken out where what is left defines what they do.

    What is nothing but the stub, after a cell was divided, is `untouched`.
    """
    bare = [_without_stub(release, piece) for piece in pieces]
    changed = {piece.home for piece, rest in zip(pieces, bare, strict=True) if rest is not piece}
    defined: dict[int | None, set[str]] = {position: set() for position in changed}
    for rest in bare:
        if rest.home in changed and not rest.untouched:
            defined[rest.home] |= reader.read(rest.source).defined.keys()
    answered = {
        position for position in changed if position is not None and release.asked(position).keys() <= defined[position]
    }
    return [
        rest if rest.untouched or rest.home in answered else piece for piece, rest in zip(pieces, bare, strict=True)
    ]


def _without_stub(release: Release, piece: Piece) -> Piece:
    """The piece without the released stubs in it."""
    position = piece.home
    if position is None or piece.untouched or not (release.is_answer(position) and release.is_code(position)):
        return piece
    if is_released(release, position, normal(piece.source)):
        return replace(piece, untouched=True)
    stub = release.texts[position].split("\n")
    if not release.asked(position) or stub[-1] not in piece.source:
        return piece
    lines = [line.rstrip() for line in piece.source.splitlines()]
    kept: list[str] = []
    place = 0
    while place < len(lines):
        is_stub = lines[place : place + len(stub)] == stub
        kept.append("" if is_stub else lines[place])
        place += len(stub) if is_stub else 1
    return replace(piece, source="\n".join(kept).strip("\n")) if len(kept) < len(lines) else piece
