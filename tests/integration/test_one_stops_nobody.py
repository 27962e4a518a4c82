"""Whatever is raised while one submission is graded is that submission's failure: the others are recorded."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from small_course import SmallCourse

from autograder.errors import AssignmentError, BrokenChecksError, CheckerError, SandboxError, StorageError, UsageError
from autograder.gradebook.feedback import annotate
from autograder.gradebook.nbgrader import CourseGradebook
from autograder.grading.grade import Basis
from autograder.jobs import cohort, running
from autograder.jobs.outcome import Cohort
from autograder.jobs.store import AttemptStore
from autograder.model.report import CheckResult, Report
from autograder.model.submission import Submission
from autograder.sandbox.unconfined import Unconfined
from autograder.settings import Settings
from autograder.submissions import collect

STUDENTS = ("ada", "alan", "grace")
SURPRISES = (
    RuntimeError("a surprise"),
    CheckerError("a surprise"),
    UsageError("a surprise"),
    MemoryError("a surprise"),
)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> SmallCourse:
    course = SmallCourse(tmp_path_factory.mktemp("course"), "alpha")
    for student in STUDENTS:
        course.hand_in(student, "alpha")
    return course


@pytest.fixture
def settings(released: SmallCourse, own_solutions: None, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a course whose submissions are graded by a worker that gives all points at once."""
    for path in (released.root / "course").glob("*.db"):
        path.unlink()
    found = Settings.read(released.root)
    basis = Basis.load(found.assignment("alpha"), found.root, found.secret)

    def graded(submission: Submission) -> tuple[Report, str]:
        provenance = basis.provenance(submission, Unconfined().image_id(basis.slot_spec()))
        check = CheckResult("all", "double", 10.0, "pass")
        report = Report(submission.student, "alpha", "graded", (check,), provenance)
        return report, json.dumps(annotate(basis.released, report))

    class Batch:
        def __init__(self, todo: list[Submission]) -> None:
            self.todo = todo

        def finished(self) -> Iterator[tuple[Submission, Callable[[], tuple[Report, str]]]]:
            for submission in self.todo:
                yield submission, lambda submission=submission: worker(submission)  # type: ignore[misc]

        def cancel(self) -> None:
            pass

    def worker(submission: Submission) -> tuple[Report, str]:
        return graded(submission)

    @contextmanager
    def started(
        _machine: Any, _setup: Any, _assignment: Any, todo: list[Submission], _starting: Any
    ) -> Iterator[Batch]:
        yield Batch(todo)

    monkeypatch.setattr(running, "started", started)
    return found


def grade(settings: Settings, **options: Any) -> Cohort:
    return cohort.grade(settings, "alpha", cohort.Options(sandbox="none", **options), lambda *_: None)


def raising(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, error: BaseException) -> None:
    """Let a function raise when it is called for alan."""
    real = getattr(owner, name)

    def called(*arguments: Any, **keywords: Any) -> Any:
        given = [getattr(getattr(each, "report", each), "student", each) for each in arguments]
        if "alan" in given:
            raise error
        return real(*arguments, **keywords)

    monkeypatch.setattr(owner, name, called)


def raising_in_the_worker(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    real = running.started

    @contextmanager
    def started(*arguments: Any) -> Iterator[Any]:
        with real(*arguments) as batch:
            finished = batch.finished

            def with_error() -> Iterator[Any]:
                for submission, result in finished():

                    def fail() -> Any:
                        raise error

                    yield submission, fail if submission.student == "alan" else result

            batch.finished = with_error
            yield batch

    monkeypatch.setattr(running, "started", started)


STAGES: dict[str, Callable[[pytest.MonkeyPatch, BaseException], None]] = {
    "read": lambda patch, error: raising(patch, collect, "find", error),
    "compared": lambda patch, error: raising(patch, AttemptStore, "recorded_report", error),
    "graded": raising_in_the_worker,
    "kept": lambda patch, error: raising(patch, AttemptStore, "put", error),
    "recorded": lambda patch, error: raising(patch, CourseGradebook, "record", error),
}


@pytest.mark.parametrize("error", SURPRISES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("stage", STAGES)
def test_an_error_at_any_stage_is_one_submissions_failure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, stage: str, error: Exception
) -> None:
    with monkeypatch.context() as patch:
        STAGES[stage](patch, error)
        done = grade(settings)
    assert {report.student: report.status for report in done.reports} == {
        "ada": "graded", "alan": "failed", "grace": "graded",
    }  # fmt: skip
    [failed] = [report for report in done.reports if report.status == "failed"]
    assert "a surprise" in failed.error.partition("\n")[0]
    assert (done.total, len(done.reports)) == (3, 3)
    assert set(done.scores) >= {"ada", "grace"}

    done = grade(settings)  # what was wrong is gone
    assert [report.status for report in done.reports] == ["graded"] * 3
    assert {student: held.score for student, held in done.scores.items()} == dict.fromkeys(STUDENTS, 10.0)


def test_an_error_while_the_store_is_read_or_the_gradebook_restored(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    grade(settings)
    with monkeypatch.context() as patch:
        raising(patch, cohort, "key_of", ZeroDivisionError("a surprise"))
        done = grade(settings)
    assert [report.status for report in done.reports] == ["graded", "failed", "graded"]
    assert done.reused == 2
    find = AttemptStore.find
    for owner in (CourseGradebook, AttemptStore):
        with sqlite3.connect(settings.course_folder / "gradebook.db") as book:
            book.execute("update grade set auto_score = 1")
        with monkeypatch.context() as patch:
            if owner is CourseGradebook:
                raising(patch, owner, "record", UsageError("a surprise"))
            else:
                alan = _key(settings, "alan")
                patch.setattr(owner, "find", lambda store, key, alan=alan: 1 / 0 if key == alan else find(store, key))
            done = grade(settings)
        assert [report.status for report in done.reports] == ["graded", "failed", "graded"], owner
        assert {who: held.score for who, held in done.scores.items()} == {"ada": 10.0, "alan": 1.0, "grace": 10.0}
    assert {held.score for held in grade(settings).scores.values()} == {10.0}


def _key(settings: Settings, student: str) -> str:
    """The key of a student's recorded attempt."""
    store = AttemptStore(f"sqlite:///{settings.course_folder / 'attempts.db'}")
    try:
        return store.recorded("alpha")[student].key
    finally:
        store.close()


@pytest.mark.parametrize(
    "error",
    [
        StorageError("locked"),
        AssignmentError("not released there"),
        BrokenChecksError("checks.py"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "read"])
def test_what_concerns_all_submissions_ends_the_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, stage: str, error: BaseException
) -> None:
    STAGES[stage](monkeypatch, error)
    if isinstance(error, KeyboardInterrupt):
        assert grade(settings).interrupted
    else:
        with pytest.raises(type(error)):
            grade(settings)


def test_a_worker_that_dies_is_the_sandboxs_failure(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    raising_in_the_worker(monkeypatch, SandboxError("the worker that graded it died again and again"))
    [failed] = [report for report in grade(settings).reports if report.status == "failed"]
    assert "died again and again" in failed.error


def test_a_dry_run_writes_nothing(released: SmallCourse, settings: Settings) -> None:
    Settings.read(released.root).secret  # noqa: B018 - it is made at first use
    before = released.files()
    done = grade(settings, dry_run=True)
    assert [change.student for change in done.difference.first] == list(STUDENTS)
    assert released.files() == before
    grade(settings)
    before = released.files()
    done = grade(settings, dry_run=True, force=True)
    assert (done.difference.unchanged, done.difference.changed, done.difference.first) == (3, [], [])
    assert released.files() == before


def test_where_the_store_is_lost_the_gradebook_has_the_old_scores(settings: Settings) -> None:
    grade(settings)
    (settings.course_folder / "attempts.db").unlink()
    done = grade(settings, dry_run=True)
    assert (done.difference.unchanged, done.difference.first) == (3, [])
    assert not Path(settings.course_folder / "attempts.db").exists()
