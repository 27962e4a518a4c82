"""Grade a class: what is graded is not run again, the rest runs on the cluster, results are kept at once."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import nbformat

from autograder.errors import UsageError
from autograder.gradebook.nbgrader import CourseGradebook
from autograder.gradebook.recording import Standing
from autograder.grading.grade import Basis
from autograder.jobs import work
from autograder.jobs.cluster import client, default_workers
from autograder.jobs.store import Attempt, AttemptStore, key_of
from autograder.model.report import Report, said_by_all
from autograder.model.submission import Submission
from autograder.sandbox.choose import sandbox
from autograder.settings import Settings


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
    interrupted: bool = False
    standing: Standing = field(default_factory=lambda: Standing({}, 0))
    doubts: list[str] = field(default_factory=list)
    """What staff should look at in what was handed in."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to grade a class."""

    sandbox: str = "auto"
    scheduler: str | None = None
    workers: int | None = None
    force: bool = False
    image: str | None = None
    runtime: str | None = None
    slot_lifetime: int | None = None
    """None: as the course says."""
    limits: tuple[str, ...] = ()
    """What goes before the course's own, `NAME=VALUE`; `settings` were read with them."""
    students: tuple[str, ...] = ()
    """Only these; all where it is empty."""


def grade(
    settings: Settings,
    name: str,
    options: Options,
    progress: Progress,
    starting: Callable[[str, int], None] = lambda _told, _total: None,
) -> Cohort:
    """Grade `course/submitted/*/<name>/`, into the store of attempts and nbgrader's gradebook.

    A result is in the store before it is in the gradebook, and in the gradebook before the next one is waited
    for: an end at any moment loses nothing, and the next run goes on where this one stopped.

    Raises:
        UsageError: unknown or unreleased assignment; no submissions, sandbox or scheduler; locked gradebook.
        CheckerError: the assignment's checks cannot be loaded.
    """
    task = Basis.load(settings.assignment(name), settings.root, settings.secret)
    chosen = sandbox(options.sandbox)
    lifetime = options.slot_lifetime or settings.sandbox.slot_lifetime
    setup = work.Setup(str(settings.root), name, chosen.name, options.image, options.runtime, lifetime, options.limits)
    image = chosen.image_id(task.slot_spec(options.image, options.runtime))
    store = AttemptStore(f"sqlite:///{settings.course_folder / 'attempts.db'}")
    book = CourseGradebook(
        settings.course_folder, settings.db_url, course_id=settings.course_id, late=settings.late.method,
        points_per_day=settings.late.points_per_day, wait_seconds=settings.gradebook.wait_seconds,
    )  # fmt: skip
    with book:
        try:
            run = _Run(settings, task, setup, options, store, book, progress)
            return run.all(image, starting)
        finally:
            store.close()


class _Run:
    """One run over a class."""

    def __init__(
        self,
        settings: Settings,
        task: Basis,
        setup: work.Setup,
        options: Options,
        store: AttemptStore,
        book: CourseGradebook,
        progress: Progress,
    ) -> None:
        self.settings, self.task, self.setup, self.options = settings, task, setup, options
        self.store, self.book, self.progress = store, book, progress
        self.cohort = Cohort(setup.assignment)

    def all(self, image: str, starting: Callable[[str, int], None]) -> Cohort:
        """Take from the store what is there, run the rest."""
        submissions = self._submissions()
        self.cohort.total = len(submissions)
        self.book.register(self.setup.assignment, self.task.released, self.task.assignment.due)
        self.book.add_students([submission.student for submission in submissions])
        todo = []
        for submission in submissions:
            key = key_of(submission.student, submission.assignment, self.task.provenance(submission, image))
            attempt = None if self.options.force else self.store.find(key)
            if attempt is None:
                todo.append(submission)
                continue
            self.cohort.reused += 1
            if attempt.recorded:
                self.book.record_time(submission)
            else:
                self._record(submission, attempt)
            self._done(attempt.report, fresh=False)
        if todo:
            where = self.options.scheduler
            told = f"asking {where} for workers" if where else f"starting {self.setup.sandbox} slots"
            starting(f"{told}, {len(todo)} to grade", self.cohort.total)
            self._run(todo)
        self.cohort.reports.sort(key=lambda report: report.student)
        self.cohort.standing = self.book.standing(self.setup.assignment)
        self.cohort.doubts += self._doubts()
        return self.cohort

    def _submissions(self) -> list[Submission]:
        found = []
        for entry in self.book.submissions(self.setup.assignment):
            if not self.options.students or entry.student in self.options.students:
                found.append(work.submission(entry.student, self.task.assignment, entry.path, entry.timestamp))
                if entry.doubt:
                    self.cohort.doubts.append(f"{entry.student}: {entry.doubt}")
        missing = sorted({*self.options.students} - {submission.student for submission in found})
        if missing:
            raise UsageError(
                f"no submission of {', '.join(missing)} for {self.setup.assignment}: expected a folder "
                f"{self.settings.course_folder / 'submitted'}/<student>/{self.setup.assignment}/"
            )
        if not found:
            where = self.settings.course_folder / "submitted" / "<student>" / self.setup.assignment
            raise UsageError(
                f"nothing to grade: expected {self.setup.assignment}.ipynb in {where}/ (nbgrader collect puts it there)"
            )
        return found

    def _doubts(self) -> list[str]:
        """Submissions that could not be read, and folders that no assignment has."""
        unread = [
            f"{report.student}: {told}"
            for report in self.cohort.reports
            if (told := said_by_all(report.checks)) and report.checks[0].verdict == "not_run"
        ]
        known = [assignment.name for assignment in self.settings.assignments]
        return unread + [f"{path}: no assignment has this name" for path in self.book.strangers(known)]

    def _run(self, todo: list[Submission]) -> None:
        from distributed import as_completed

        workers = min(self.options.workers or default_workers(), len(todo))
        with client(self.options.scheduler, workers, work.IMPORTS[self.task.assignment.profile]) as dask:
            gc.freeze()  # what has been imported stays: no later collection need look at it
            by_key: dict[str, Submission] = {}
            futures = []
            for submission in todo:
                future = dask.submit(work.work, self.setup, submission, pure=False)
                by_key[future.key] = submission
                futures.append(future)
            try:
                for future in as_completed(futures):
                    self._finish(by_key[future.key], future)
                    future.release()
            except KeyboardInterrupt:
                self.cohort.interrupted = True
                dask.cancel(futures)

    def _finish(self, submission: Submission, future: Any) -> None:
        """Keep what a worker returned.

        A worker that died three times over a submission is the sandbox's failure.
        """
        from distributed import KilledWorker

        try:
            report_data, notebook = future.result()
            attempt = Attempt(work.report_of(report_data), notebook.decode())
        except KilledWorker as error:
            provenance = self.task.provenance(submission, "")
            told = f"the worker that graded it died again and again: {error}"
            report = Report(submission.student, submission.assignment, "failed", (), provenance, error=told)
            attempt = Attempt(report, json.dumps(self.task.released))
        self._record(submission, attempt)
        self._done(attempt.report, fresh=True)

    def _record(self, submission: Submission, attempt: Attempt) -> None:
        key = self.store.put(replace(attempt, recorded=False))
        if self.book.record(submission, attempt.report, nbformat.from_dict(json.loads(attempt.notebook))):
            self.store.mark_recorded(key)

    def _done(self, report: Report, *, fresh: bool) -> None:
        self.cohort.reports.append(report)
        self.progress(len(self.cohort.reports), self.cohort.total, report, fresh)
