"""A warm process with a warm slot: how long one submission takes, where that goes, and what an idle slot holds.

`python -m benchmarks.warm ASSIGNMENT SANDBOX` prints it as JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest import mock

import nbformat

from autograder.gradebook import feedback
from autograder.gradebook.nbgrader import CourseGradebook
from autograder.grading.grade import Graded, Grader, Task
from autograder.grading.slots import SlotPool
from autograder.jobs import work
from autograder.jobs.store import Attempt, AttemptStore
from autograder.model.submission import Submission
from autograder.sandbox.choose import sandbox
from autograder.sandbox.slot import Slot
from autograder.settings import Settings
from benchmarks import processes
from benchmarks.breakdown import Clock
from benchmarks.processes import BenchmarkError

TIMES: Final = 20
LIFETIMES: Final = (1, 2, 5, 10)
WARM_UP: Final = 3


class Warm:
    """A grader that has graded before, with its gradebook and store open."""

    def __init__(self, settings: Settings, name: str, pool: SlotPool) -> None:
        self.settings = settings
        self.task = Task.load(settings.assignment(name), settings.root, settings.secret)
        self.paths = sorted(settings.course_folder.glob(f"submitted/*/{name}/{name}.ipynb"))
        self.grader = Grader(pool)

    def grade(self, path: Path, grader: Grader | None = None) -> tuple[Submission, Graded]:
        """From the file to the report."""
        submission = work.submission(path.parents[1].name, self.task.assignment, path)
        graded = (grader or self.grader).grade(self.task, submission)
        if graded.report.status == "failed":
            raise BenchmarkError(f"not graded: {graded.report.error}")
        return submission, graded

    def latencies(self) -> list[float]:
        """Seconds from file to report, for each of TIMES submissions in a row."""
        found = []
        for number in range(WARM_UP + TIMES):
            started = time.perf_counter()
            self.grade(self.paths[number % len(self.paths)])
            found.append(time.perf_counter() - started)
        return found[WARM_UP:]

    def lifetimes(self) -> dict[int, float]:
        """Seconds a submission, by how many a slot serves: with what it takes to start and to remove slots."""
        found = {}
        for lifetime in LIFETIMES:
            with SlotPool(self.grader.pool.sandbox, lifetime) as pool:
                grader, started = Grader(pool), time.perf_counter()
                for number in range(max(LIFETIMES)):
                    self.grade(self.paths[number % len(self.paths)], grader)
                found[lifetime] = (time.perf_counter() - started) / max(LIFETIMES)
        return found

    def breakdown(self, zygote: int) -> dict[str, Any]:
        """Seconds a submission, from the file to the gradebook: of each step here, of the kernels, of the zygote."""
        assignment = self.task.assignment
        store = AttemptStore("sqlite:///" + str(self.settings.course_folder / "warm.db"))
        book = CourseGradebook(self.settings.course_folder, self.settings.db_url, course_id=self.settings.course_id)
        with book, _kernels() as kernels:
            book.register(assignment.name, self.task.released, assignment.due)
            before = processes.cpu_seconds(zygote, children=False)
            with Clock().watching() as clock:
                for number in range(TIMES):
                    submission, graded = self.grade(self.paths[number % len(self.paths)])
                    notebook = feedback.annotate(graded.notebook or self.task.released, graded.report)
                    key = store.put(Attempt(graded.report, json.dumps(notebook)))
                    book.record(submission, graded.report, nbformat.from_dict(notebook))
                    store.mark_recorded(key)
            forking = processes.cpu_seconds(zygote, children=False) - before
        store.close()
        return {
            "wall": {step: seconds / TIMES for step, seconds in clock.wall.items()},
            "cpu": {step: seconds / TIMES for step, seconds in clock.cpu.items()},
            "kernels": sum(kernels) / TIMES,
            "zygote": forking / TIMES,
        }


@contextmanager
def _kernels() -> Iterator[list[float]]:
    """The CPU seconds of each kernel that ends in the block, as its zygote tells."""
    found: list[float] = []
    end = Slot.end

    def noting(slot: Slot, name: str) -> dict[str, Any]:
        ended = end(slot, name)
        found.append(float(ended["cpu"]))
        return ended

    with mock.patch.object(Slot, "end", noting):
        yield found


def main() -> None:
    """The command."""
    name, kind = sys.argv[1:]
    with SlotPool(sandbox(kind)) as pool:
        warm = Warm(Settings.read(), name, pool)
        spec = warm.task.slot_spec()
        with pool.lease(spec) as slot:
            (zygote,) = processes.zygotes(os.environ["AUTOGRADER_RUN"])
            idle = {"resident": slot.resident, **processes.memory(zygote)}
        latency = statistics.median(warm.latencies())
        steps = warm.breakdown(zygote)
        lifetimes = warm.lifetimes()
    found = {"idle": idle, "latency": latency, "breakdown": steps, "lifetimes": lifetimes}
    print(json.dumps({"sandbox": pool.sandbox.name, **found}))


if __name__ == "__main__":
    main()
