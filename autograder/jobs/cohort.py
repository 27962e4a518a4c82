"""Grade a class: what is graded is not run again, the rest runs on the cluster, results are kept at once."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import cached_property

import nbformat

from autograder.errors import (
    AssignmentError,
    AutograderError,
    BrokenChecksError,
    SandboxError,
    StorageError,
    UsageError,
)
from autograder.gradebook.nbgrader import CourseGradebook
from autograder.gradebook.scores import GradebookReader, StudentScores
from autograder.grading.cells import has_written
from autograder.grading.grade import Basis
from autograder.jobs import restoring, running, work
from autograder.jobs.outcome import Cohort, Options, Progress
from autograder.jobs.plan import expected
from autograder.jobs.store import Attempt, AttemptStore, Kept, key_of
from autograder.model.assignment import Runner
from autograder.model.difference import Difference, OldScores
from autograder.model.report import Report, failing_everywhere, said_by_all
from autograder.model.submission import Submission
from autograder.notebooks.releases import Releases
from autograder.sandbox.choose import sandbox
from autograder.sandbox.interface import Sandbox
from autograder.sandbox.run_folder import sweep
from autograder.settings import Settings
from autograder.submissions.collect import collect, strays, students


def grade(
    settings: Settings,
    name: str,
    options: Options,
    progress: Progress,
    starting: Callable[[str, int], None] = lambda _told, _total: None,
) -> Cohort:
    """Grade `course/submitted/*/<name>/`, into the store of attempts and nbgrader's gradebook.

    A result is in the store before it is in the gradebook, and in the gradebook before the next one is waited
    for: an end at any moment loses nothing, and the next run goes on where this one stopped. Whatever one
    submission raises is that submission's `failed` report.

    Raises:
        AssignmentError: not released, no checks, or other cells than the gradebook has.
        BrokenChecksError: the assignment's checks cannot be loaded.
        StorageError: the store or the gradebook cannot be used.
        UsageError: unknown assignment; no submissions, sandbox or scheduler.
    """
    assignment = settings.assignment(name)
    with _of_the_assignment():
        task = Basis.load(assignment, settings.root, settings.secret)
    chosen = sandbox(options.sandbox)
    lifetime = options.slot_lifetime or settings.sandbox.slot_lifetime
    setup = work.Setup(
        str(settings.root), name, chosen.name, options.image, options.runtime, lifetime, options.limits,
        slots_per_gpu=options.slots_per_gpu or settings.sandbox.slots_per_gpu,
    )  # fmt: skip
    image = chosen.image_id(task.slot_spec(options.image, options.runtime))
    attempts = settings.course_folder / "attempts.db"
    with ExitStack() as stack:
        run: _Run
        if options.dry_run:
            book = stack.enter_context(GradebookReader(settings.db_url))
            store = AttemptStore(f"sqlite:///{attempts}" if attempts.is_file() else "sqlite://")
            stack.callback(store.close)
            run = _Run(settings, task, setup, options, store, book, progress)
        else:
            store = AttemptStore(f"sqlite:///{attempts}")
            stack.callback(store.close)
            opened = stack.enter_context(restoring.gradebook(settings))
            run = _Recorded(settings, task, setup, options, store, opened, progress)
        stack.callback(_sweep, chosen)
        return run.all(image, starting)


@contextmanager
def _of_the_assignment() -> Iterator[None]:
    """What is wrong in the block is wrong with this assignment alone, unless no other could be stored either."""
    try:
        yield
    except (StorageError, AssignmentError):
        raise
    except UsageError as error:
        raise AssignmentError(str(error)) from error


def _sweep(sandbox: Sandbox) -> None:
    """Remove what workers left that Dask killed: it gives them seconds to end, and a busy machine needs more."""
    with suppress(SandboxError):  # an engine that is gone: the next run's start finds its containers
        sandbox.sweep()
    sweep()


class _Run:
    """One run over a class that records nothing: `--dry-run`."""

    def __init__(
        self,
        settings: Settings,
        task: Basis,
        setup: work.Setup,
        options: Options,
        store: AttemptStore,
        book: CourseGradebook | GradebookReader,
        progress: Progress,
    ) -> None:
        self.settings, self.task, self.setup, self.options = settings, task, setup, options
        self.store, self.book, self.progress = store, book, progress
        self.cohort = Cohort(
            setup.assignment, written=has_written(task.released), difference=Difference(setup.assignment)
        )
        self.machine = running.Machine.of(
            task.assignment, options.scheduler, options.workers, options.gpus or settings.sandbox.gpus,
            insecure=options.insecure_scheduler,
        )  # fmt: skip
        self.releases = Releases(settings.root / "assignments", [each.name for each in settings.assignments])

    def all(self, image: str, starting: Callable[[str, int], None]) -> Cohort:
        """Take from the store what is there, run the rest."""
        submissions = self._submissions()
        self._prepare(submissions)
        todo: list[Submission] = []
        graded: list[tuple[Submission, Kept]] = []
        for submission in submissions:
            with self._alone(submission.student, "it could not be taken from the store of attempts"):
                kept = None if self.options.force else self._graded(submission, image)
                if kept is None:
                    todo.append(submission)
                else:
                    self._compare(kept)
                    graded.append((submission, kept))
        unrecorded = self._restore(graded)
        for submission, kept in graded:
            if submission.student in unrecorded:
                self._fail(submission.student, unrecorded[submission.student])
            else:
                self.cohort.reused += 1
                self._done(kept.report, fresh=False)
        if todo:
            self._run(todo, lambda told: starting(told, self.cohort.total))
        self._settle()
        self.cohort.reports.sort(key=lambda report: report.student)
        self.cohort.doubts += self._doubts()
        return self.cohort

    @cached_property
    def _before(self) -> dict[str, StudentScores]:
        """What the gradebook holds when the first submission is compared."""
        return self.book.scores(self.setup.assignment)

    def _prepare(self, submissions: list[Submission]) -> None:
        """Called before anything is graded."""

    def _restore(self, _graded: list[tuple[Submission, Kept]]) -> dict[str, str]:
        """Called with what was graded before; by student, why it could not be recorded."""
        return {}

    def _keep(self, submission: Submission, attempt: Attempt) -> None:
        """Called with each attempt that was graded now."""

    def _settle(self) -> None:
        """Called when everything is graded."""

    @contextmanager
    def _alone(self, student: str, told: str) -> Iterator[None]:
        """Whatever is raised for one submission is its `failed` report: it never ends the run.

        Raises:
            StorageError: nothing can be stored any more.
            AssignmentError, BrokenChecksError: no submission of this assignment can be graded.
        """
        try:
            yield
        except (StorageError, AssignmentError, BrokenChecksError):
            raise
        except AutograderError as error:
            self._fail(student, f"{told}: {error}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it concerns this submission alone
            self._fail(student, f"{told}: {type(error).__name__}: {error}\n{traceback.format_exc()}")

    def _fail(self, student: str, told: str) -> None:
        provenance = self.task.provenance(Submission(student, self.setup.assignment, b""), "")
        report = Report(student, self.setup.assignment, "failed", (), provenance, error=told)
        self._done(report, fresh=False)

    def _graded(self, submission: Submission, image: str) -> Kept | None:
        """The attempt that is there already. What ran on a GPU counts where there is none, but not the reverse."""
        runners: tuple[Runner, ...] = ("cpu",)
        if self.task.assignment.runner == "gpu":
            runners = ("gpu",) if self.machine.gpus else ("gpu", "cpu")
        for runner in runners:
            provenance = self.task.provenance(submission, image, runner)
            kept = self.store.kept(key_of(submission.student, submission.assignment, provenance))
            if kept is not None:
                return kept
        return None

    def _submissions(self) -> list[Submission]:
        """What can be graded. What staff have to look at first is reported as not graded."""
        name, folder = self.setup.assignment, self.settings.course_folder
        found = collect(folder, self.task.assignment, self.releases, self.options.students)
        if not (found.submissions or found.held):
            raise expected(self.settings, [name], found.missing, found.warnings)
        self.cohort.total = len(found.submissions) + len(found.held)
        self.cohort.doubts += [f"{each.student}: {told}" for each in found.submissions for told in each.warnings]
        self.cohort.doubts += [*found.warnings, *strays(folder, self.releases)]
        self.cohort.held = tuple(found.held)
        self.cohort.doubts += [f"{student}: not graded: {why}" for student, why in found.held.items()]
        for student, why in found.held.items():
            self._fail(student, why)
        if not self.options.students:
            known = sorted({*students(folder, self.releases), *self.book.students()})
            here = {submission.student for submission in found.submissions} | found.held.keys()
            self.cohort.students = len(known)
            self.cohort.absent = tuple(student for student in known if student not in here)
        return found.submissions

    def _doubts(self) -> list[str]:
        """Submissions that could not be read, and what their reports warn of."""
        unread = [
            f"{report.student}: {told}"
            for report in self.cohort.reports
            if (told := said_by_all(report.checks)) and report.checks[0].verdict == "not_run"
        ]
        unclear = [f"{report.student}: {warning}" for report in self.cohort.reports for warning in report.warnings]
        broken = [f"{self.setup.assignment}: {told}" for told in failing_everywhere(self.cohort.reports)]
        return broken + unread + unclear

    def _run(self, todo: list[Submission], starting: Callable[[str], None]) -> None:
        try:
            with running.started(self.machine, self.setup, self.task.assignment, todo, starting) as batch:
                try:
                    for submission, result in batch.finished():
                        self._finish(submission, result)
                except KeyboardInterrupt:
                    self.cohort.interrupted = True
                    starting("stopping, the sandboxes take some seconds")
                    batch.cancel()
        except running.NoGpuError as error:
            self._queue(todo, str(error))

    def _queue(self, todo: list[Submission], why: str) -> None:
        """Leave submissions for a machine that can run them: neither the store nor the gradebook hears of it."""
        self.cohort.waiting = why
        for submission in todo:
            provenance = self.task.provenance(submission, "")
            report = Report(submission.student, submission.assignment, "queued", (), provenance, error=why)
            self.cohort.queued += 1
            self._done(report, fresh=False)

    def _finish(self, submission: Submission, result: running.Result) -> None:
        """Keep what a worker returned."""
        with self._alone(submission.student, "it could not be graded"):
            attempt = Attempt(*result())
            with self._alone(submission.student, "it was graded and could not be recorded"):
                self._compare(attempt)
                self._keep(submission, attempt)
                self._done(attempt.report, fresh=True)

    def _compare(self, attempt: Attempt | Kept) -> None:
        """Note what changes; called before an attempt is recorded."""
        if attempt.recorded:
            self.cohort.difference.unchanged += 1
            return
        report = attempt.report
        old: OldScores | None = None
        if (recorded := self.store.recorded_report(report.student, report.assignment)) is not None:
            old = OldScores.of(recorded)
        elif (scores := self._before.get(report.student)) is not None:
            checked = {check.cell for check in report.checks}
            old = OldScores({name: cell.automatic or 0.0 for name, cell in scores.cells.items() if name in checked})
        self.cohort.difference.add(old, report)

    def _done(self, report: Report, *, fresh: bool) -> None:
        self.cohort.reports.append(report)
        self.progress(len(self.cohort.reports), self.cohort.total, report, fresh)


class _Recorded(_Run):
    """One run whose results go into the store of attempts and the gradebook."""

    book: CourseGradebook

    def _prepare(self, submissions: list[Submission]) -> None:
        name, due = self.setup.assignment, self.task.assignment.due
        with _of_the_assignment():
            self.book.register(name, self.task.released, due)
        self.book.add_students([submission.student for submission in submissions])
        restoring.share_extensions(self.store, self.book, name, due)

    def _restore(self, graded: list[tuple[Submission, Kept]]) -> dict[str, str]:
        self.cohort.restored = restoring.restore(self.store, self.book, self.setup.assignment, graded)
        return self.cohort.restored.failed

    def _keep(self, submission: Submission, attempt: Attempt) -> None:
        key = self.store.put(replace(attempt, recorded=False))
        if self.book.record(submission, attempt.report, nbformat.from_dict(json.loads(attempt.notebook))):
            self.store.mark_recorded(key)

    def _settle(self) -> None:
        self.cohort.standing = self.book.standing(self.setup.assignment)
        self.cohort.scores = self.book.scores(self.setup.assignment)
