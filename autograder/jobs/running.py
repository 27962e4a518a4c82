"""Submissions on a Dask cluster: where they run, on which GPUs, and what comes back."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from autograder.errors import SandboxError, UsageError
from autograder.jobs import work
from autograder.jobs.cluster import GPU, client, default_workers, has_gpus
from autograder.model.assignment import Assignment
from autograder.model.report import Report
from autograder.model.submission import Submission
from autograder.sandbox import gpu

Result = Callable[[], tuple[Report, str]]
"""Returns the report and the annotated notebook (JSON text) of a submission, or raises what the worker raised."""


class NoGpuError(UsageError):
    """The assignment needs a GPU, and there is none to use: its submissions wait."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where submissions run: this machine with some of its GPUs, or the cluster of a Dask scheduler."""

    scheduler: str | None
    workers: int | None
    names: str
    """Which GPUs may be used: "all", "none", or numbers and UUIDs with commas between."""
    gpus: tuple[gpu.Gpu, ...] = ()
    """Those of this machine, where the assignment can use one."""
    insecure: bool = False
    """Whether the scheduler of another machine may do without TLS."""

    @classmethod
    def of(
        cls, assignment: Assignment, scheduler: str | None, workers: int | None, names: str, *, insecure: bool = False
    ) -> Machine:
        """The machine for one assignment.

        Raises:
            UsageError: there is no GPU of these names.
        """
        found = gpu.chosen(names) if assignment.runner == "gpu" and scheduler is None else ()
        return cls(scheduler, workers, names, found, insecure)

    def told(self, setup: work.Setup, assignment: Assignment) -> str:
        """What is started, in words."""
        if self.scheduler:
            return f"asking {self.scheduler} for workers"
        told = f"starting {setup.sandbox} slots"
        if assignment.runner == "cpu":
            return told
        names = ", ".join(dict.fromkeys(each.name for each in self.gpus))
        if not names:
            return f"{told} (no GPU here: the checks take their CPU size)"
        return f"{told} on {len(self.gpus)} GPU{'s' if len(self.gpus) > 1 else ''} ({names})"


class Batch:
    """Submissions that are being graded."""

    def __init__(self, dask: Any, futures: dict[Any, Submission]) -> None:
        self._dask, self._futures = dask, futures

    def finished(self) -> Iterator[tuple[Submission, Result]]:
        """Each submission as soon as it is graded, or cannot be."""
        from distributed import as_completed

        for future in as_completed(list(self._futures)):
            yield self._futures[future], partial(_result, future)
            future.release()

    def cancel(self) -> None:
        """Give up what is not graded yet."""
        self._dask.cancel(list(self._futures))


@contextmanager
def started(
    machine: Machine,
    setup: work.Setup,
    assignment: Assignment,
    todo: Sequence[Submission],
    starting: Callable[[str], None],
) -> Iterator[Batch]:
    """Start grading `todo`. The workers end with the block.

    Raises:
        NoGpuError: the assignment needs one.
        UsageError: no scheduler, or it has no workers.
    """
    if assignment.needs_gpu and not machine.scheduler and not machine.gpus:
        why = "this machine has none" if machine.names != gpu.NONE else "none may be used"
        raise NoGpuError(f"{assignment.name} needs a GPU, and {why}")
    starting(f"{machine.told(setup, assignment)}, {len(todo)} to grade")
    turns = len(machine.gpus) * setup.slots_per_gpu
    workers = min(machine.workers or turns or default_workers(), len(todo))
    preload = work.IMPORTS[assignment.profile]
    with client(machine.scheduler, workers, preload, gpus=turns > 0, insecure=machine.insecure) as dask:
        gc.freeze()  # what has been imported stays: no later collection need look at it
        routed = turns > 0 or (assignment.runner == "gpu" and has_gpus(dask))
        if assignment.needs_gpu and not routed:
            why = f"no worker of {machine.scheduler} has one (`dask worker ... --resources GPU=1`)"
            raise NoGpuError(f"{assignment.name} needs a GPU, and {why}")
        if routed:
            setup = replace(setup, gpus=machine.names)
        resources = {GPU: 1} if routed else None
        futures = {
            dask.submit(work.work, setup, submission, pure=False, resources=resources): submission
            for submission in todo
        }
        yield Batch(dask, futures)


def _result(future: Any) -> tuple[Report, str]:
    from distributed import KilledWorker

    try:
        report, notebook = future.result()
    except KilledWorker as error:
        raise SandboxError(f"the worker that graded it died again and again: {error}") from error
    return work.report_of(report), notebook.decode()
