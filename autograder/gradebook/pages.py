"""The students' feedback pages, made by nbgrader's own generator from the graded notebooks, a few at a time."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from autograder.errors import UsageError


def generate(
    course_root: Path,
    db_url: str,
    assignment: str,
    course_id: str,
    students: Sequence[str] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Path]:
    """Make `feedback/<student>/<assignment>/<assignment>.html` for each graded submission; the pages' paths.

    Raises:
        UsageError: nothing is graded yet, or nbgrader cannot make a page.
    """
    graded = sorted(path.parent.name for path in (course_root / "autograded").glob(f"*/{assignment}"))
    chosen = [student for student in graded if not students or student in students]
    missing = sorted({*(students or ())} - {*graded})
    if missing or not chosen:
        what = f"nothing of {', '.join(missing)}" if missing else "nothing"
        raise UsageError(f"{what} is graded yet for {assignment}: run `autograder grade {assignment}` first")
    _make_default_course(db_url)
    processes = min(len(os.sched_getaffinity(0)), len(chosen))
    batches = [chosen[start : start + 5] for start in range(0, len(chosen), 5)]
    done = 0
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(_pages, course_root, db_url, assignment, course_id, batch): batch for batch in batches}
        for future in as_completed(running):
            if wrong := future.result():
                raise UsageError(f"nbgrader could not make the feedback of {wrong[0]}: {wrong[1]}")
            done += len(running[future])
            progress(done, len(chosen))
    return [course_root / "feedback" / student / assignment / f"{assignment}.html" for student in chosen]


def _make_default_course(db_url: str) -> None:
    """Let nbgrader add the row of its default course now: two processes that both find it missing would collide."""
    from nbgrader.api import Gradebook

    with Gradebook(db_url):
        pass


def _pages(
    course_root: Path, db_url: str, assignment: str, course_id: str, students: list[str]
) -> tuple[str, str] | None:
    """Make these students' pages in this process; the first that failed, and why."""
    from nbgrader.converters import GenerateFeedback
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    log = logging.getLogger("autograder.feedback")
    log.setLevel(logging.CRITICAL)
    for student in students:
        config = Config()
        config.CourseDirectory.root = str(course_root)
        config.CourseDirectory.db_url = db_url
        config.CourseDirectory.course_id = course_id
        config.CourseDirectory.assignment_id = assignment
        config.CourseDirectory.student_id = student
        config.GenerateFeedback.exporter_class = "autograder.gradebook.page.FeedbackPage"
        coursedir = CourseDirectory(config=config)
        converter = GenerateFeedback(coursedir=coursedir, config=config, log=log)
        converter.force = True
        try:
            converter.start()
        except (NbGraderException, SystemExit) as error:
            return student, str(error)
    return None
