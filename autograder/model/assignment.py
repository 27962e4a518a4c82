"""What an assignment is: its name, its points, the sandbox profile its code runs in, and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Profile = Literal["python", "numpy", "torch"]
"""What a sandbox has warm and what is importable there: each profile has what the one before it has."""

Runner = Literal["cpu", "gpu"]
"""What a submission runs on; its checks choose their sizes by it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one submission may use.

    Times are in seconds, without those in which the code waits for a processor (docs/settings.md); sizes are in bytes.
    """

    cell_seconds: float = 30.0
    call_seconds: float = 10.0
    total_seconds: float = 300.0
    memory_bytes: int = 2 * 2**30
    processes: int = 64
    disk_bytes: int = 256 * 2**20
    output_bytes: int = 1 * 2**20
    answer_bytes: int = 64 * 2**20
    answer_depth: int = 24
    answer_parts: int = 100_000
    notebook_bytes: int = 20 * 2**20
    gpu_memory_bytes: int = 8 * 2**30


@dataclass(frozen=True, slots=True)
class Assignment:
    """One assignment of the course.

    `points` is what its checks sum to; a hand-graded question comes on top.
    """

    name: str
    title: str
    points: float = 100.0
    profile: Profile = "numpy"
    due: datetime | None = None
    forbidden: tuple[str, ...] = ()
    """Dotted names a solution may not use (`numpy.convolve`, `scipy`): modules and attributes alike."""
    limits: Limits = field(default_factory=Limits)
    runner: Runner = "cpu"
    """`gpu`: on a GPU where there is one, on the CPU at the checks' CPU size elsewhere."""
    needs_gpu: bool = False
    """Submissions wait where there is no GPU."""
