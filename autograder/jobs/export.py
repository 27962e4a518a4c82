"""All scores as one table: a row for each student and assignment, a column for each exercise and check."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from autograder.errors import UsageError
from autograder.gradebook.scores import CellScore, GradebookReader, StudentScores
from autograder.jobs.store import AttemptStore
from autograder.model.assignment import Assignment
from autograder.model.report import Report
from autograder.notebooks.releases import Releases
from autograder.settings import Settings
from autograder.submissions.collect import students, submitters

Value = str | float | None
COLUMNS: Final = (
    "student", "assignment", "score", "max", "automatic", "manual", "late_penalty", "timestamp", "status",
)  # fmt: skip
"""What every row has; after them come the exercises (`cell`) and their checks (`cell/check`)."""
FORMULA: Final = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
"""How text begins that a spreadsheet computes, in full-width signs too."""
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ScoresTable:
    """Names of columns, and rows of values by column; what a row lacks is empty."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, Value], ...]


def scores_table(settings: Settings, assignments: Sequence[Assignment]) -> ScoresTable:
    """The scores of `assignments` as the gradebook holds them, with the checks of the recorded attempts.

    Rows are sorted by assignment, in the given order, and by student. An assignment without any submission has none.

    Raises:
        UsageError: there is nothing to export.
        StorageError: the gradebook or the store of attempts cannot be read.
    """
    attempts = settings.course_folder / "attempts.db"
    columns: dict[str, None] = {}
    rows: list[dict[str, Value]] = []
    with ExitStack() as stack:
        book = stack.enter_context(GradebookReader(settings.db_url))
        store = AttemptStore(f"sqlite:///{attempts}" if attempts.is_file() else "sqlite://")
        stack.callback(store.close)
        releases = Releases(settings.root / "assignments", [each.name for each in settings.assignments])
        known = {*students(settings.course_folder, releases), *book.students()}
        for assignment in assignments:
            held = book.scores(assignment.name)
            handed_in = submitters(settings.course_folder, assignment, releases)
            if not held and not handed_in:
                continue
            maximum = sum(book.maximum(assignment.name).values())
            for student in sorted(known | held.keys() | handed_in):
                scores = held.get(student)
                report = store.recorded_report(student, assignment.name) if scores is not None else None
                status = "not_graded" if student in handed_in else "missing"
                row = {"student": student, "assignment": assignment.name, "max": maximum or None, "status": status}
                rows.append(row | _values(scores, report) if scores is not None else row)
                columns |= dict.fromkeys(rows[-1])
    if not rows:
        names = ", ".join(assignment.name for assignment in assignments)
        raise UsageError(f"nothing to export for {names}: run `autograder grade` first")
    return ScoresTable((*COLUMNS, *_ordered([name for name in columns if name not in COLUMNS])), tuple(rows))


def _values(scores: StudentScores, report: Report | None) -> dict[str, Value]:
    """The values of a graded submission, by column."""
    values: dict[str, Value] = {
        "score": scores.score,
        "automatic": scores.automatic,
        "manual": scores.manual if scores.has_manual else None,
        "late_penalty": scores.late,
        "timestamp": _time(scores.timestamp),
        "status": "needs_manual_grading" if scores.waiting else "graded",
    }
    checks: dict[str, Value] = {}
    if report is not None:
        for check in report.checks:
            checks.setdefault(check.cell, None)
            checks[f"{check.cell}/{check.name}"] = check.points
    cells = {name: _points(cell) for name, cell in scores.cells.items()}
    return values | checks | cells


def _points(cell: CellScore) -> float | None:
    """The points of a cell; None of an answer that nobody has read."""
    return None if cell.waiting and cell.manual is None and cell.automatic is None else cell.points


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.replace(tzinfo=UTC).isoformat(timespec="seconds")


def _ordered(names: Sequence[str]) -> list[str]:
    """Each cell before its checks; cells in the order in which they were found."""
    cells = dict.fromkeys(name.partition("/")[0] for name in names)
    position = {cell: number for number, cell in enumerate(cells)}
    return sorted(names, key=lambda name: (position[name.partition("/")[0]], "/" in name))


def as_csv(table: ScoresTable) -> str:
    """The table as text: comma-separated, text quoted, numbers without."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([plain_text(name) for name in table.columns])
    for row in table.rows:
        writer.writerow([_written(row.get(name)) for name in table.columns])
    return file.getvalue()


def _written(value: Value) -> str | float | int:
    if isinstance(value, str):
        return plain_text(value)
    if value is None:
        return ""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def plain_text(text: str) -> str:
    """Text that no spreadsheet computes, without control characters: what looks like a formula begins with `'`."""
    shown = CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return f"'{shown}" if FORMULA.match(text) else shown
