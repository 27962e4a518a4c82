"""How fast grading is here: start of a slot, fork of a kernel, a call, a class. `make bench` runs it."""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np

from autograder.checks.record import Record, recording
from autograder.checks.student import Student
from autograder.grading.grade import Task
from autograder.jobs import cohort
from autograder.jobs.cluster import default_workers
from autograder.kernel.session import KernelSession
from autograder.model.assignment import Limits
from autograder.sandbox import choose
from autograder.sandbox.interface import Sandbox, SlotSpec
from autograder.sandbox.slot import Slot
from autograder.settings import Settings
from solutions import example_class

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 20
MEGABYTES = 8


def main() -> None:
    """Measure and print, a line at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--assignment", default="convolution", help="which one the class is graded on")
    options = parser.parse_args()
    sandbox = choose.sandbox(options.sandbox)
    python = platform.python_version()
    print(f"{sandbox.name}, {default_workers()} cores, {platform.machine()}, Python {python}")
    for profile in ("python", "numpy", "torch"):
        measure_slot(sandbox, SlotSpec(profile))
    measure_class(sandbox, options.assignment, options.students)


def measure_slot(sandbox: Sandbox, spec: SlotSpec) -> None:
    """Measure a slot of one profile: its start, forks of a kernel in it, calls of a student's function."""
    cell = nbformat.v4.new_code_cell("def same(x):\n    return x")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    array = np.zeros(MEGABYTES * 2**20 // 8)
    began = time.perf_counter()
    slot = Slot(sandbox, spec)
    try:
        slot.wait()
        say(f"{spec.profile}: start of a slot", time.perf_counter() - began)

        def submission() -> None:
            with KernelSession(slot, "bench", Limits()) as session:
                session.run(notebook)

        say(f"{spec.profile}: a kernel forked, one cell run, all cleaned up", median(submission))
        with KernelSession(slot, "bench", Limits()) as session, recording(Record()):
            session.run(notebook)
            student = Student("bench", session)
            say(f"{spec.profile}: a call with a number", median(lambda: student.same(1)))
            say(f"{spec.profile}: a call with {MEGABYTES} MiB each way", median(lambda: student.same(array)))
    finally:
        slot.close()


def measure_class(sandbox: Sandbox, assignment: str, students: int) -> None:
    """Grade the example class in a course of its own, then once more with nothing to do."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        for name in ("solutions", "assignments"):
            (root / name).symlink_to(ROOT / name)
        (root / "course").mkdir()
        (root / "course" / "course.toml").write_bytes((ROOT / "course" / "course.toml").read_bytes())
        settings = Settings.read(root)
        task = Task.load(settings.assignment(assignment), root, settings.secret)
        example_class.write(root / "course" / "submitted", task, example_class.make(task, students=students))
        for what in ("first time", "nothing changed"):
            began = time.perf_counter()
            done = cohort.grade(settings, assignment, cohort.Options(sandbox=sandbox.name), lambda *_: None)
            seconds = time.perf_counter() - began
            rate = f"{done.total / seconds:.1f} submissions/s"
            say(f"{assignment}: a class of {done.total}, {what}", seconds, rate)


def median(action: Callable[[], object]) -> float:
    """Median of REPEATS runs, in seconds, after one that does not count."""
    action()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def say(what: str, seconds: float, more: str = "") -> None:
    """One figure."""
    shown = f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
    print(f"  {what:<60} {shown:>10}  {more}", flush=True)


if __name__ == "__main__":
    main()
