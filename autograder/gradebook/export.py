"""Table of scores that `nbgrader export` writes: nbgrader's own, with quotes where a name holds a comma."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from nbgrader.plugins import CsvExportPlugin

COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score",
)  # fmt: skip


class QuotedCsv(CsvExportPlugin):  # type: ignore[misc]  # nbgrader has no types
    """What `course/nbgrader_config.py` names as the plugin of `nbgrader export`.

    nbgrader's plugin joins values with commas, so that a student called `Lovelace, Ada` moves the scores by a column.
    """

    def export(self, gradebook: Any) -> None:
        """This method is called by `nbgrader export`."""
        written = io.StringIO(newline="")
        table = csv.DictWriter(written, COLUMNS)
        table.writeheader()
        for assignment in gradebook.assignments:
            if self.assignment and assignment.name not in map(str, self.assignment):
                continue
            handed_in = {each.student_id: each for each in gradebook.assignment_submissions(assignment.name)}
            for student in gradebook.students:
                if not self.student or student.id in map(str, self.student):
                    table.writerow(_row(assignment, student, handed_in.get(student.id)))
        path = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", path)
        path.write_text(written.getvalue(), encoding="utf-8", newline="")


def _row(assignment: Any, student: Any, submission: Any) -> dict[str, object]:
    """The values of one row: without a submission all scores are 0, as in nbgrader's table."""
    score = submission.score if submission else 0.0
    penalty = submission.late_submission_penalty if submission else 0.0
    values = (
        assignment.name, assignment.duedate, submission.timestamp if submission else None, student.id,
        student.last_name, student.first_name, student.email, score, penalty, max(0.0, score - penalty),
        assignment.max_score,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))
