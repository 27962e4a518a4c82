"""What an attack is: a hostile submission, what its honest part deserves, and what the report must say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from textwrap import dedent

POINTS = {"scale": 40.0, "smooth": 40.0, "spell": 20.0}
"""What each exercise of `vault` gives."""


@dataclass(frozen=True)
class Attack:
    """One hostile submission of `vault`. What is not replaced is answered honestly.

    Attributes:
        line: of the list in docs/security.md.
        name: a few words, for the table; unique.
        scale, smooth, spell: source text in place of that exercise's answer.
        first: source text of a cell that is added before the exercises.
        last: source text of a cell that is added after them.
        file: a whole file instead; or a function that changes the honest notebook (as plain data) into one.
        deserves: points of its honest part; left out, those of the exercises that are not replaced.
        says: a pattern (regular expression) by exercise, which the message of one of its failed checks must match.
        repaired: a pattern that one of the report's repairs must match.
        not_on: by sandbox, why the attack is none there.
    """

    line: int
    name: str
    scale: str = ""
    smooth: str = ""
    spell: str = ""
    first: str = ""
    last: str = ""
    file: bytes | Callable[[dict], dict | bytes] | None = None
    deserves: float | None = None
    says: Mapping[str, str] = field(default_factory=dict)
    repaired: str = ""
    not_on: Mapping[str, str] = field(default_factory=dict)

    @property
    def answers(self) -> dict[str, str]:
        """The replaced answers, by exercise."""
        return {name: dedent(getattr(self, name)) for name in POINTS if getattr(self, name)}

    @property
    def honest_points(self) -> float:
        """What it deserves."""
        if self.deserves is not None:
            return self.deserves
        return sum(points for name, points in POINTS.items() if name not in self.answers)
