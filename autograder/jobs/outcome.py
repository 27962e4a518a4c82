"""What is asked of a run over a class, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from autograder.gradebook.rows import Standing
from autograder.gradebook.scores import StudentScores
from autograder.jobs.restoring import Restored
from autograder.model.difference import Difference
from autograder.model.report import Report


class Progress(Protocol):
    """Told of each submission as it is done."""

    def __call__(self, done: int, total: int, report: Report, fresh: bool) -> None:
        """`fresh` says whether it was run now, or taken from the store."""


@dataclass(slots=True)
class Cohort:
    """A class of submissions of one assignment, and what came of it.

    `interrupted` when Ctrl-C ended it early.
    """

    assignment: str
    reports: list[Report] = field(default_factory=list)
    total: int = 0
    reused: int = 0
    queued: int = 0
    interrupted: bool = False
    standing: Standing = field(default_factory=lambda: Standing({}, 0))
    scores: dict[str, StudentScores] = field(default_factory=dict)
    """What the gradebook holds in the end, by student."""
    waiting: str = ""
    """Why some are `queued`."""
    restored: Restored = field(default_factory=Restored)
    """What the gradebook lacked of submissions that were graded before."""
    doubts: list[str] = field(default_factory=list)
    """What staff should look at in what was handed in."""
    held: tuple[str, ...] = ()
    """Students whose submission waits for staff, because it is not plain what was handed in: nothing went wrong."""
    absent: tuple[str, ...] = ()
    """Students of the course without a submission. Not looked for where only some students are graded."""
    students: int = 0
    """How many students the course has, `absent` included."""
    written: bool = False
    """Whether the assignment has questions that people grade."""
    difference: Difference = field(default_factory=lambda: Difference(""))
    """What changed against the scores before this run."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to grade a class. None is as the course says, or as is usual."""

    sandbox: str = "auto"
    scheduler: str | None = None
    workers: int | None = None
    force: bool = False
    image: str | None = None
    runtime: str | None = None
    slot_lifetime: int | None = None
    gpus: str | None = None
    """Which: "all", "none", or numbers and UUIDs with commas between."""
    slots_per_gpu: int | None = None
    limits: tuple[str, ...] = ()
    """What goes before the course's own, `NAME=VALUE`; `settings` were read with them."""
    students: tuple[str, ...] = ()
    """Only these; all where it is empty."""
    dry_run: bool = False
    """Grade, and write nothing: neither the store of attempts nor the gradebook."""
    insecure_scheduler: bool = False
    """Whether the scheduler of another machine may do without TLS."""
