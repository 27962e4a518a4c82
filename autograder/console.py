"""What the commands say beside their tables: notes, progress, what there is to do after a class was graded."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from autograder.gradebook.names import in_list
from autograder.table import plain

if TYPE_CHECKING:
    from autograder.jobs.outcome import Cohort
    from autograder.jobs.restoring import Restored
    from autograder.model.report import Report

GPU_ADVICE = "run the same command where there is one, or name its Dask cluster with --scheduler"
LOST = "the gradebook lacks this submission, and the store of attempts too: `autograder grade` grades it again"
for _stream in (sys.stdout, sys.stderr):
    if isinstance(_stream, TextIOWrapper):  # a name that this terminal's encoding lacks must not end the run
        _stream.reconfigure(errors="backslashreplace")
MANY = 20
"""So many names are listed in a line; all of them are in the table, or in what `autograder export` writes."""
out = Console()
err = Console(stderr=True)


def say(told: str) -> None:
    """A line to standard output: never broken by us, and what it quotes is no markup."""
    out.print(Text(plain(told)), soft_wrap=True)


def note(label: str, told: str, colour: str = "red") -> None:
    """A line to standard error: never broken by us, and what it quotes is no markup."""
    err.print(Text.assemble((f"{label}: ", colour), plain(told)), soft_wrap=True)


_warned: set[str] = set()


def warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """In place of Python's two lines, one of which is code; the same warning once in a command."""
    if str(message) not in _warned:
        _warned.add(str(message))
        note("warning", str(message), "yellow")


def tell(done: Cohort, unheeded: str, prefix: str = "") -> bool:
    """What there is to say below the table.

    Args:
        done: the class.
        unheeded: an option that counts for what is graded now alone.
        prefix: what notes begin with, where there are several assignments.

    Returns:
        Whether something could not be graded; what waits for staff to look at it is no failure.
    """
    failed = [report for report in done.reports if report.status == "failed" and report.student not in done.held]
    graded = len(done.reports) - len(failed) - len(done.held) - done.queued
    say(f"{graded} of {done.total} graded ({graded - done.reused} now, {done.reused} before)")
    tell_restored(done.restored)
    if done.reused and unheeded:
        told = f"{prefix}{unheeded} changed nothing for the {done.reused} graded before: --force grades them again"
        note("look at", told, "yellow")
    if done.waiting:
        queued = f"{prefix}{count(done.queued, 'submission')} of {done.total}"
        note("queued", f"{queued}: {done.waiting}; {GPU_ADVICE}", "yellow")
    if any(report.student in done.standing.penalties for report in done.reports):
        say("late: points that the gradebook takes off the score for lateness")
    if done.standing.unread:
        say(f"{count(done.standing.unread, 'answer')} to read in formgrader")
    if done.absent:
        told = f"{len(done.absent)} of {count(done.students, 'student')} have not handed in: {listed(done.absent)}"
        say(told)
    for doubt in done.doubts:
        note("look at", f"{prefix}{doubt}", "yellow")
    for reason, students in _by_reason(failed).items():
        note("not graded", f"{prefix}{listed(students)}: {reason}")
    return bool(failed)


def tell_restored(restored: Restored) -> bool:
    """What the gradebook lacked and has again, a line for each kind. Returns whether all could be written."""
    for line in restored.lines():
        say(line)
    for student in restored.lost:
        note("look at", f"{student}: {LOST}", "yellow")
    return not restored.failed


def _by_reason(failed: Sequence[Report]) -> dict[str, list[str]]:
    """Who was not graded, by the first line of the reason."""
    found: dict[str, list[str]] = {}
    for report in failed:
        found.setdefault(report.error.partition("\n")[0], []).append(report.student)
    return found


def listed(names: Sequence[str]) -> str:
    """Students' names with commas between, in quotes where one holds a comma; of many the first, and how many more."""
    told = ", ".join(map(in_list, names[:MANY]))
    return told if len(names) <= MANY else f"{told} and {len(names) - MANY} more"


@contextmanager
def progress(name: str) -> Iterator[tuple[Any, Any]]:
    """A bar with rate and time left, both of what is run now; where there is no terminal, a line now and then."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TextColumn("elapsed"), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        # it starts when something is run: what comes from the store before that has no rate
        task = bar.add_task(name, total=None, start=False, rate="")

        def advance(done: int, total: int, report: Any, fresh: bool) -> None:
            del report
            bar.update(task, completed=done, total=total, description=name)
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            bar.update(task, rate=f"{speed:.1f}/s" if speed else "")
            if not err.is_terminal and (done == total or (fresh and done % max(1, total // 10) == 0)):
                err.print(f"{name}: {done}/{total}", highlight=False, soft_wrap=True)

        def starting(told: str, total: int | None = None) -> None:
            bar.reset(task, description=f"{name}: {told}", total=total, completed=int(bar.tasks[0].completed))
            if not err.is_terminal:
                err.print(f"{name}: {told}", highlight=False, soft_wrap=True)

        yield advance, starting


def count(number: int, noun: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
