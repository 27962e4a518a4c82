"""Grade a class: what is graded is not run again, the rest runs on the cluster, results are kept at once."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import nbformat

from autograder.errors import SandboxError, UsageError
from autograder.gradebook.names import shown
from autograder.gradebook.nbgrader import CourseGradebook
from autograder.gradebook.rows import Standing
from autograder.grading.grade import Basis
from autograder.jobs import restoring, work
from autograder.jobs.cluster import GPU, client, default_workers, has_gpus
from autograder.jobs.store import Attempt, AttemptStore, Kept, key_of
from autograder.model.assignment import Runner
from autograder.model.report import Report, said_by_all
from autograder.model.submission import Submission
from autograder.notebooks.releases import Releases
from autograder.sandbox import gpu
from autograder.sandbox.choose import sandbox
from autograder.sandbox.interface import Sandbox
from autograder.sandbox.slot import sweep
from autograder.settings import Settings
from autograder.submissions.collect import collect, strays


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
    waiting: str = ""
    """Why some are `queued`."""
    restored: restoring.Restored = field(default_factory=restoring.Restored)
    """What the gradebook lacked of submissions that were graded before."""
    doubts: list[str] = field(default_factory=list)
    """What staff should look at in what was handed in."""


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
    setup = work.Setup(
        str(settings.root), name, chosen.name, options.image, options.runtime, lifetime, options.limits,
        slots_per_gpu=options.slots_per_gpu or settings.sandbox.slots_per_gpu,
    )  # fmt: skip
    image = chosen.image_id(task.slot_spec(options.image, options.runtime))
    store = AttemptStore(f"sqlite:///{settings.course_folder / 'attempts.db'}")
    book = restoring.gradebook(settings)
    with book:
        try:
            run = _Run(settings, task, setup, options, store, book, progress)
            return run.all(image, starting)
        finally:
            store.close()
            _sweep(chosen)


def _sweep(sandbox: Sandbox) -> None:
    """Remove what workers left that Dask killed: it gives them seconds to end, and a busy machine needs more."""
    with suppress(SandboxError):  # an engine that is gone: the next run's start finds its containers
        sandbox.sweep()
    sweep()


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
        self.held: dict[str, str] = {}
        """By student, why a submission waits for staff."""
        self.gpus: tuple[gpu.Gpu, ...] = ()
        """Of this machine, where submissions may run on one and here."""
        if task.assignment.runner == "gpu" and options.scheduler is None:
            self.gpus = gpu.chosen(self._names())

    def all(self, image: str, starting: Callable[[str, int], None]) -> Cohort:
        """Take from the store what is there, run the rest."""
        submissions = self._submissions()
        self.cohort.total = len(submissions) + len(self.held)
        self._hold()
        self.book.register(self.setup.assignment, self.task.released, self.task.assignment.due)
        self.book.add_students([submission.student for submission in submissions])
        restoring.share_extensions(self.store, self.book, self.setup.assignment, self.task.assignment.due)
        todo, graded = [], []
        for submission in submissions:
            kept = None if self.options.force else self._graded(submission, image)
            if kept is None:
                todo.append(submission)
            else:
                graded.append((submission, kept))
        self.cohort.restored = restoring.restore(self.store, self.book, self.setup.assignment, graded)
        for _, kept in graded:
            self.cohort.reused += 1
            self._done(kept.report, fresh=False)
        if todo:
            self._run(todo, lambda told: starting(told, self.cohort.total))
        self.cohort.reports.sort(key=lambda report: report.student)
        self.cohort.standing = self.book.standing(self.setup.assignment)
        self.cohort.doubts += self._doubts()
        return self.cohort

    def _graded(self, submission: Submission, image: str) -> Kept | None:
        """The attempt that is there already. What ran on a GPU counts where there is none, but not the reverse."""
        runners: tuple[Runner, ...] = ("cpu",)
        if self.task.assignment.runner == "gpu":
            runners = ("gpu",) if self.gpus else ("gpu", "cpu")
        for runner in runners:
            provenance = self.task.provenance(submission, image, runner)
            kept = self.store.kept(key_of(submission.student, submission.assignment, provenance))
            if kept is not None:
                return kept
        return None

    def _submissions(self) -> list[Submission]:
        name, folder = self.setup.assignment, self.settings.course_folder
        releases = Releases(self.settings.root / "assignments", [each.name for each in self.settings.assignments])
        found = collect(folder, self.task.assignment, releases, self.options.students)
        if found.missing:
            raise UsageError(
                f"no submission of {', '.join(map(shown, found.missing))} for {name}: expected a folder "
                f"{folder / 'submitted'}/<student>/{name}/"
            )
        if not (found.submissions or found.held):
            where = folder / "submitted" / "<student>" / name
            also = "".join(f"; {warning}" for warning in found.warnings[:3])
            raise UsageError(
                f"nothing to grade: expected {name}.ipynb in {where}/ (nbgrader collect puts it there){also}"
            )
        self.held = found.held
        self.cohort.doubts += [f"{each.student}: {told}" for each in found.submissions for told in each.warnings]
        self.cohort.doubts += [*found.warnings, *strays(folder, releases)]
        return found.submissions

    def _hold(self) -> None:
        """Report the submissions that wait for staff as not graded; the store and the gradebook are not changed."""
        for student, why in self.held.items():
            handed_in = Submission(student, self.setup.assignment, b"", unreadable=why)
            provenance = self.task.provenance(handed_in, "")
            self._done(Report(student, self.setup.assignment, "failed", (), provenance, error=why), fresh=False)

    def _doubts(self) -> list[str]:
        """Submissions that could not be read, and what their reports warn of."""
        unread = [
            f"{report.student}: {told}"
            for report in self.cohort.reports
            if (told := said_by_all(report.checks)) and report.checks[0].verdict == "not_run"
        ]
        unclear = [f"{report.student}: {warning}" for report in self.cohort.reports for warning in report.warnings]
        return unread + unclear

    def _names(self) -> str:
        return self.options.gpus or self.settings.sandbox.gpus

    def _run(self, todo: list[Submission], starting: Callable[[str], None]) -> None:
        from distributed import as_completed

        where, needed = self.options.scheduler, self.task.assignment.needs_gpu
        if needed and not where and not self.gpus:
            self._queue(todo, "this machine has none" if self._names() != gpu.NONE else "none may be used")
            return
        told = f"asking {where} for workers" if where else f"starting {self.setup.sandbox} slots{self._on()}"
        starting(f"{told}, {len(todo)} to grade")
        turns = len(self.gpus) * self.setup.slots_per_gpu
        workers = min(self.options.workers or turns or default_workers(), len(todo))
        with client(where, workers, work.IMPORTS[self.task.assignment.profile], gpus=turns > 0) as dask:
            gc.freeze()  # what has been imported stays: no later collection need look at it
            routed = turns > 0 or (self.task.assignment.runner == "gpu" and has_gpus(dask))
            if needed and not routed:
                self._queue(todo, f"no worker of {where} has one (`dask worker ... --resources GPU=1`)")
                return
            setup = replace(self.setup, gpus=self._names()) if routed else self.setup
            resources = {GPU: 1} if routed else None
            by_key: dict[str, Submission] = {}
            futures = []
            for submission in todo:
                future = dask.submit(work.work, setup, submission, pure=False, resources=resources)
                by_key[future.key] = submission
                futures.append(future)
            try:
                for future in as_completed(futures):
                    self._finish(by_key[future.key], future)
                    future.release()
            except KeyboardInterrupt:
                self.cohort.interrupted = True
                starting("stopping, the sandboxes take some seconds")
                dask.cancel(futures)

    def _on(self) -> str:
        if self.task.assignment.runner == "cpu":
            return ""
        names = ", ".join(dict.fromkeys(each.name for each in self.gpus))
        if not names:
            return " (no GPU here: the checks take their CPU size)"
        return f" on {len(self.gpus)} GPU{'s' if len(self.gpus) > 1 else ''} ({names})"

    def _queue(self, todo: list[Submission], why: str) -> None:
        """Leave submissions for a machine that can run them: neither the store nor the gradebook hears of it."""
        self.cohort.waiting = f"{self.setup.assignment} needs a GPU, and {why}"
        for submission in todo:
            provenance = self.task.provenance(submission, "")
            report = Report(
                submission.student, submission.assignment, "queued", (), provenance, error=self.cohort.waiting
            )
            self.cohort.queued += 1
            self._done(report, fresh=False)

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
