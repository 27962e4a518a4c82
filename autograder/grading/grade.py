"""One submission in, one report out: rebuild it, run it in a slot, check it from outside, diagnose it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder import __version__
from autograder.checks.draw import Attempt
from autograder.checks.suite import Check, Suite, digest, find
from autograder.errors import AutograderError, CheckerError, MachineBusy, SandboxError, StudentFailure, UsageError
from autograder.grading.cells import failing_released, forbidden, is_checked, skew_of, unfinished
from autograder.grading.judge import Judge
from autograder.grading.slots import SlotPool
from autograder.grading.verdicts import Run, fail
from autograder.kernel.session import KernelSession
from autograder.model.assignment import Assignment, Runner
from autograder.model.report import CheckResult, Provenance, Report
from autograder.model.submission import Submission, SubmittedFile
from autograder.notebooks import document, files
from autograder.notebooks.rebuild import rebuild
from autograder.notebooks.release import is_released_text
from autograder.sandbox.gpu import Gpus
from autograder.sandbox.interface import SlotSpec
from autograder.sandbox.slot import Slot

RETRIES = 2


@dataclass(frozen=True, slots=True)
class Graded:
    """A report and the notebook it is about: rebuilt and run. None where the submission could not be read."""

    report: Report
    notebook: NotebookNode | None


@dataclass(frozen=True, slots=True)
class Basis:
    """What a verdict rests on, apart from the submission and the sandbox. It imports no checks."""

    assignment: Assignment
    released: NotebookNode
    secret: str
    checks_sha256: str
    files: tuple[SubmittedFile, ...] = field(default=(), kw_only=True)
    """Released beside the notebook: they are in the working folder of each kernel."""

    @classmethod
    def load(cls, assignment: Assignment, root: Path, secret: str) -> Basis:
        """The released notebook and files in `assignments/`, and the digest of the checks in `solutions/`.

        Raises:
            UsageError: not released yet, or no such checks.
        """
        path = root / "assignments" / assignment.name / f"{assignment.name}.ipynb"
        if not path.is_file():
            raise UsageError(f"{assignment.name} is not released: run `autograder release {assignment.name}` first")
        try:
            released = nbformat.read(path, as_version=4)
        except (OSError, ValueError, nbformat.ValidationError) as error:
            raise UsageError(f"{path} cannot be read ({error}): run `autograder release {assignment.name}`") from error
        folder = find(assignment.name, root)
        given = files.released(folder / "notebook.py", path.parent, assignment.limits)
        return cls(assignment, released, secret, digest(folder), files=given)

    def slot_spec(self, image: str | None = None, runtime: str | None = None) -> SlotSpec:
        """The kind of slot that its submissions need."""
        spec = SlotSpec(self.assignment.profile, self.assignment.limits, runtime=runtime)
        return replace(spec, image=image) if image else spec

    def attempt(self, submission: Submission) -> Attempt:
        """What the hidden inputs of `submission` are drawn from."""
        return Attempt(submission.student, self.secret, submission.sha256)

    def provenance(self, submission: Submission, image: str, runner: Runner = "cpu") -> Provenance:
        """What a verdict on `submission` rests on; a GPU, where checks may have other sizes, is told with the image."""
        image += " on a GPU" if runner == "gpu" else ""
        seed = hashlib.sha256(f"{self.secret}\x1f{submission.student}\x1f{submission.assignment}".encode()).hexdigest()
        cells = [(c.cell_type, c.source) for c in self.released.cells if is_released_text(c)]
        told = [cells, *((file.name, hashlib.sha256(file.content).hexdigest()) for file in self.files)]
        released = hashlib.sha256(repr(told if self.files else cells).encode()).hexdigest()
        checks = hashlib.sha256(f"{self.checks_sha256}{released}".encode()).hexdigest()
        return Provenance(submission.sha256, checks, image, seed[:16], __version__)


@dataclass(frozen=True, slots=True)
class Task(Basis):
    """What an assignment's submissions are graded against: its basis, and the checks themselves."""

    suite: Suite

    @classmethod
    def load(cls, assignment: Assignment, root: Path, secret: str) -> Task:
        """The checks in `solutions/` and the released notebook in `assignments/`.

        Raises:
            UsageError: not released yet.
            CheckerError: the checks cannot be imported, or do not fit the released notebook.
        """
        basis = Basis.load(assignment, root, secret)
        suite = Suite.load(assignment.name, root)
        given = {
            cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points)
            for cell in basis.released.cells
            if is_checked(cell)
        }
        if given != suite.cells():
            wrong = sorted(set(given.items()) ^ set(suite.cells().items()))
            raise CheckerError(
                f"{assignment.name}: points of cells and of checks differ: {wrong}; release it again, or mend checks.py"
            )
        if abs((total := sum(given.values())) - assignment.points) > 1e-9:
            told = f"the checks of {assignment.name} sum to {total:g} points, course.toml says {assignment.points:g}"
            raise CheckerError(f"{told}: mend one of them")
        return cls(assignment, basis.released, secret, suite.sha256, suite, files=basis.files)


class Grader:
    """Grades submissions one after the other with slots from `pool`."""

    def __init__(
        self, pool: SlotPool, image: str | None = None, runtime: str | None = None, gpus: Gpus | None = None
    ) -> None:
        """`gpus` are for the assignments that can use one; without them those run at their CPU size."""
        self.pool = pool
        self._image = image
        self._runtime = runtime
        self._gpus = gpus
        self._images: dict[SlotSpec, str] = {}

    def grade(self, task: Task, submission: Submission) -> Graded:
        """The report of one submission.

        Never raises for the student's, the sandbox's or the checker's failure.
        """
        started = time.monotonic()
        spec = task.slot_spec(self._image, self._runtime)
        empty = Report(submission.student, submission.assignment, "failed", (), task.provenance(submission, ""))
        try:
            if spec not in self._images:  # each asks the engine
                self._images[spec] = self.pool.sandbox.image_id(spec)
            provenance = task.provenance(submission, self._images[spec], self._runner(task))
        except SandboxError as error:
            return self._failed(task, empty, started, task.released, str(error))
        empty = replace(empty, provenance=provenance)
        try:
            submitted = _parse(submission, task.assignment)
        except document.UnreadableNotebook as error:
            results = tuple(_not_run(item, error) for item in task.suite.checks)
            seconds = time.monotonic() - started
            unread = replace(empty, status="graded", checks=results, repairs=submission.repairs, seconds=seconds)
            return Graded(unread, None)
        rebuilt = rebuild(task.released, submitted, submission.files)
        handed, left_out = files.admitted(task.files, submission.files, task.assignment.limits)
        for attempt in range(RETRIES + 1):
            try:
                run = self._run(task, spec, task.attempt(submission), rebuilt.notebook, handed)
                break
            except SandboxError as error:
                if attempt == RETRIES or (attempt and isinstance(error, MachineBusy)):  # each takes minutes
                    told = f"the sandbox failed {attempt + 1} times: {error}"
                    return self._failed(task, empty, started, rebuilt.notebook, told)
            except CheckerError as error:
                return self._failed(task, empty, started, rebuilt.notebook, str(error))
        skew = skew_of(document.python_version(submitted), run.versions.get("python", ""))
        try:
            results = run.results(task.suite, task.attempt(submission), skew)
        except AutograderError as error:
            return self._failed(task, empty, started, rebuilt.notebook, str(error))
        report = replace(
            empty,
            status="graded",
            checks=results,
            walls=run.walls,
            repairs=(*submission.repairs, *rebuilt.repairs),
            warnings=(*rebuilt.warnings, *run.judged.warnings),
            manual=(*rebuilt.manual, *(name for name in run.judged.manual if name not in rebuilt.manual)),
            notes=(*left_out, *unfinished(run.execution, skew), *run.judged.notes),
            software=run.software,
            setup_errors=failing_released(task.released, run.execution),
            seconds=time.monotonic() - started,
        )
        return Graded(report, run.execution.notebook)

    def _run(
        self, task: Task, spec: SlotSpec, attempt: Attempt, notebook: NotebookNode, given: Sequence[SubmittedFile]
    ) -> Run:
        """What needs the kernel: the cells and the checks. The slot is free again when this returns."""
        own = [file for file in given if file not in task.files]
        bans = forbidden(notebook, task.assignment.forbidden, task.released, own)
        with (
            self._lease(task, spec) as slot,
            KernelSession(slot, attempt.student, task.assignment.limits, given, task.assignment.forbidden) as session,
        ):
            execution = session.run(notebook, lambda cell: not is_checked(cell))
            judged = Judge(task.suite, session, attempt).judge(execution, bans)
        return Run(execution, judged, session.walls, session.versions)

    def _runner(self, task: Basis) -> Runner:
        return "gpu" if self._gpus and task.assignment.runner == "gpu" else "cpu"

    @contextmanager
    def _lease(self, task: Task, spec: SlotSpec) -> Iterator[Slot]:
        """A slot; with a GPU, where the submission runs on one: then it is kept only if the GPU is as it was before.

        Raises:
            SandboxError: no slot could be started, or the GPU is lost or in use.
        """
        if self._gpus is None or self._runner(task) == "cpu":
            with self.pool.lease(spec) as slot:
                yield slot
            return
        with self._gpus.turn(task.assignment.limits.gpu_memory_bytes) as share:
            used = self._gpus.used(share)
            with self.pool.lease(replace(spec, gpu=share)) as slot:
                yield slot
                slot.worn = slot.worn or not self._gpus.released(share, used)

    @staticmethod
    def _failed(task: Task, empty: Report, started: float, notebook: NotebookNode, error: str) -> Graded:
        results = tuple(CheckResult(c.name, c.cell, c.points, "not_run", title=c.title) for c in task.suite.checks)
        report = replace(empty, checks=results, error=error, seconds=time.monotonic() - started)
        return Graded(report, notebook)


def _parse(submission: Submission, assignment: Assignment) -> NotebookNode:
    if submission.unreadable:
        raise document.UnreadableNotebook("type", submission.unreadable)
    return document.parse(submission.content, assignment.limits)


def _not_run(item: Check, failure: StudentFailure) -> CheckResult:
    return replace(fail(item, failure), verdict="not_run")
