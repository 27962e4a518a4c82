"""One student's work for one assignment, as it was handed in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """A file that was handed in beside the notebook.

    `name` is its path relative to the notebook's folder, with `/` between its parts (`data/points.csv`).
    """

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Submission:
    """The bytes of a submitted notebook and who handed them in when; where there are none, why."""

    student: str
    assignment: str
    content: bytes = field(repr=False)
    timestamp: datetime | None = None
    """When; None where no time is known: never late."""
    unreadable: str = ""
    """Why there is no notebook to read, for the student."""
    files: tuple[SubmittedFile, ...] = ()
    """What was handed in beside the notebook, sorted by name; limited in number and size by who collected it."""
    repairs: tuple[str, ...] = ()
    """How the notebook was found where it was not under its expected name, a sentence each, for the student."""
    warnings: tuple[str, ...] = ()
    """What staff should look at, a line each: doubtful names, several notebooks, an unusable timestamp."""

    @property
    def sha256(self) -> str:
        """Hex digest of what was handed in, or of why nothing could be read: an attempt is known by it."""
        digest = hashlib.sha256(self.content or self.unreadable.encode())
        for file in self.files:
            digest.update(f"\0{file.name}\0{len(file.content)}\0".encode() + file.content)
        for repair in self.repairs:  # the report repeats them
            digest.update(f"\0{repair}".encode())
        return digest.hexdigest()
