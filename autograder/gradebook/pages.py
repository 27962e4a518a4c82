"""The students' feedback pages, made by nbgrader's own generator from the graded notebooks, a few at a time."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path


def graded(course_root: Path, assignment: str) -> list[str]:
    """The students with a graded notebook for an assignment, sorted."""
    notebooks = (course_root / "autograded").glob(f"*/{assignment}/{assignment}.ipynb")
    return sorted(path.parent.parent.name for path in notebooks)


def generate(
    course_root: Path,
    db_url: str,
    assignment: str,
    course_id: str,
    students: Sequence[str] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    mode: int = 0o600,
) -> tuple[list[Path], dict[str, str]]:
    """Make `feedback/<student>/<assignment>/<assignment>.html` for each of `students`; for all who are graded if None.

    Args:
        mode: of a page and the files beside it.

    Returns:
        The pages, and why there is none for some students.
    """
    students = graded(course_root, assignment) if students is None else students
    _make_default_course(db_url)
    processes = max(1, min(len(os.sched_getaffinity(0)), len(students)))
    batches = [list(students[start : start + 5]) for start in range(0, len(students), 5)]
    done, failed = 0, dict[str, str]()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running = {
            pool.submit(_pages, course_root, db_url, assignment, course_id, batch, mode): batch for batch in batches
        }
        for future in as_completed(running):
            try:
                failed |= future.result()
            except BrokenProcessPool as error:
                failed |= dict.fromkeys(running[future], f"the process that made the page died: {error}")
            done += len(running[future])
            progress(done, len(students))
    made = [course_root / "feedback" / student / assignment / f"{assignment}.html" for student in students]
    return [path for path, student in zip(made, students, strict=True) if student not in failed], failed


def _make_default_course(db_url: str) -> None:
    """Let nbgrader add the row of its default course now: two processes that both find it missing would collide."""
    from nbgrader.api import Gradebook

    with Gradebook(db_url):
        pass


def _pages(
    course_root: Path, db_url: str, assignment: str, course_id: str, students: list[str], mode: int
) -> dict[str, str]:
    """Make these students' pages in this process; who has none, and why."""
    from nbgrader.converters import GenerateFeedback
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    log = logging.getLogger("autograder.feedback")
    log.setLevel(logging.CRITICAL)
    failed = {}
    for student in students:
        config = Config()
        config.CourseDirectory.root = str(course_root)
        config.CourseDirectory.db_url = db_url
        config.CourseDirectory.course_id = course_id
        config.CourseDirectory.assignment_id = assignment
        config.CourseDirectory.student_id = student
        config.GenerateFeedback.permissions = int(f"{mode:o}")  # nbgrader reads its decimal digits as octal ones
        config.GenerateFeedback.exporter_class = "autograder.gradebook.page.FeedbackPage"
        try:
            coursedir = CourseDirectory(config=config)
            converter = GenerateFeedback(coursedir=coursedir, config=config, log=log)
            converter.force = True
            converter.start()
        except (NbGraderException, SystemExit) as error:
            failed[student] = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it concerns this student's page alone
            failed[student] = f"{type(error).__name__}: {error}"
    return failed
