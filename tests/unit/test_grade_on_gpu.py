"""A submission on a GPU: whose turn it is, when its slot is kept, what costs nothing; the kernels are fakes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import pytest
from handed_in import RELEASED, handed_in

from autograder.errors import SandboxError
from autograder.grading import grade
from autograder.grading.grade import Grader, Task
from autograder.kernel.session import Execution
from autograder.model.assignment import Assignment, Limits
from autograder.model.submission import Submission
from autograder.notebooks import document
from autograder.sandbox.interface import GpuShare

CHECKS = """
@check(cell="double", points=6)
def doubles(student, draw):
    \"\"\"Twice the number.\"\"\"
    close(7 if student.runner == "gpu" else 3, 7 if student.double(1) == 2 else 3)

@check(cell="triple", points=4)
def triples(student, draw):
    \"\"\"Three times the number.\"\"\"
    close(student.triple(5), reference.triple(5))
"""
REFERENCE = "def double(x):\n    return 2 * x\ndef triple(x):\n    return 3 * x\n"


class Session:
    """A kernel whose functions double and triple, on whatever the slot has."""

    walls = ()

    def __init__(self, slot, student, limits, files=(), forbidden=()):
        self.versions = {"python": "3.11.7"}
        from autograder.checks.local import LocalTransport

        self.runner = "gpu" if slot.spec.gpu else "cpu"
        self._functions = LocalTransport({"double": lambda x: 2 * x, "triple": lambda x: 3 * x})
        self.bounds = self._functions.bounds

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, given, runs):
        return Execution(given)

    def request(self, message, buffers, seconds):
        return self._functions.request(message, buffers, seconds)


class Pool:
    """Leases slots that remember their spec."""

    def __init__(self):
        self.slots = []
        self.sandbox = SimpleNamespace(image_id=lambda _spec: "image")

    @contextmanager
    def lease(self, spec):
        self.slots.append(SimpleNamespace(spec=spec, worn=False))
        yield self.slots[-1]


class Gpus:
    """Turns on GPUs, one after the other; each may fail, and each releases its memory or does not."""

    def __init__(self, failures=(), released=True):
        self.failures, self.was_released, self.turns = list(failures), released, []

    @contextmanager
    def turn(self, memory_bytes):
        self.turns.append(GpuShare(f"GPU-{len(self.turns)}", (), memory_bytes, 2 * memory_bytes, sole=True))
        yield self.turns[-1]
        if self.failures:
            raise self.failures.pop(0)

    def used(self, share):
        return 0

    def released(self, share, used):
        return self.was_released


@pytest.fixture
def task(write_suite, monkeypatch):
    monkeypatch.setattr(grade, "KernelSession", Session)
    assignment = Assignment("exercise", "Exercise", 10, limits=Limits(gpu_memory_bytes=123), runner="gpu")
    parsed = document.parse(nbformat.writes(RELEASED).encode(), Limits())
    suite = write_suite(CHECKS, "", REFERENCE)
    return Task(assignment, parsed, "secret", suite.sha256, suite)


SUBMISSION = Submission("ada", "exercise", nbformat.writes(handed_in()).encode())


def test_an_assignment_for_gpus_runs_on_one_and_its_checks_know(task):
    pool, gpus = Pool(), Gpus()
    report = Grader(pool, gpus=gpus).grade(task, SUBMISSION).report
    assert (report.status, report.score) == ("graded", 10)
    assert [slot.spec.gpu for slot in pool.slots] == gpus.turns
    assert gpus.turns[0].memory_bytes == 123
    assert report.provenance.image == "image on a GPU"


@pytest.mark.parametrize(("runner", "gpus"), [("gpu", None), ("cpu", Gpus())])
def test_without_a_gpu_or_without_use_for_one_it_runs_on_the_cpu(task, runner, gpus):
    pool = Pool()
    report = Grader(pool, gpus=gpus).grade(
        replace(task, assignment=replace(task.assignment, runner=runner)), SUBMISSION
    )
    assert report.report.cell("double")[0].verdict == "fail"  # it took the CPU's size
    assert [slot.spec.gpu for slot in pool.slots] == [None]
    assert report.report.provenance.image == "image"


def test_a_gpu_that_is_lost_costs_nothing_and_another_is_tried(task):
    pool, gpus = Pool(), Gpus([SandboxError("it is lost")])
    report = Grader(pool, gpus=gpus).grade(task, SUBMISSION).report
    assert (report.status, report.score) == ("graded", 10)
    assert [slot.spec.gpu.uuid for slot in pool.slots] == ["GPU-0", "GPU-1"]


def test_without_a_gpu_that_works_the_attempt_fails_and_costs_nothing(task):
    report = Grader(Pool(), gpus=Gpus([SandboxError("it is lost")] * 3)).grade(task, SUBMISSION).report
    assert (report.status, {check.verdict for check in report.checks}) == ("failed", {"not_run"})
    assert "it is lost" in report.error


@pytest.mark.parametrize("released", [True, False])
def test_a_slot_is_kept_only_if_its_gpus_memory_was_released(task, released):
    pool = Pool()
    assert Grader(pool, gpus=Gpus(released=released)).grade(task, SUBMISSION).report.score == 10
    assert [slot.worn for slot in pool.slots] == [not released]
