"""Tasks whose submissions run on a GPU, for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from autograder.grading.grade import Task
from autograder.model.assignment import Limits

LIMITS = Limits(cell_seconds=60, call_seconds=20, total_seconds=300, memory_bytes=8 * 2**30, gpu_memory_bytes=2 * 2**30)


def for_gpu(task: Task, **limits: Any) -> Task:
    """The task as one whose submissions run on a GPU, where there is one."""
    assignment = replace(task.assignment, profile="torch", runner="gpu", limits=replace(LIMITS, **limits))
    return replace(task, assignment=assignment)
