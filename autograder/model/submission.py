"""One student's work for one assignment, as it was handed in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime


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

    @property
    def sha256(self) -> str:
        """Hex digest of the notebook's bytes, or of why there are none: an attempt is known by it."""
        return hashlib.sha256(self.content or self.unreadable.encode()).hexdigest()
