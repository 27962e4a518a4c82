"""Untrusted names inside messages: one line, without characters that a terminal obeys or that show nothing."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 1_000


def one_line(text: str, longest: int = LONGEST) -> str:
    """`text` with escapes in place of line ends, control characters and characters that cannot be shown; cut."""
    cut = text if len(text) <= longest else f"{text[:longest]}..."
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in cut)
