"""Comparison of what `make grade` made of the example class with what the class's script predicts.

`python -m solutions.example_check` exits with 1 and one line for each difference unless every student of every
assignment has the predicted verdicts and hints, was run in a sandbox, and has a feedback page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autograder.grading.grade import Task
from autograder.sandbox.choose import strongest_first
from autograder.settings import Settings
from solutions.example_class import Student, make

REPORTS = ("build", "reports")
"""Where `make grade` writes `<assignment>.json`."""


def differences(students: Sequence[Student], reports: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each difference between the predictions and `reports`, which are as `--json` writes them."""
    found = {report["student"]: report for report in reports}
    lines = [f"{name}: graded, but not in the class" for name in found.keys() - {each.name for each in students}]
    for student in students:
        who = f"{student.name} ({student.kind})"
        report = found.get(student.name)
        if report is None or report["status"] != "graded":
            lines.append(f"{who}: not graded")
            continue
        verdicts = {check["name"]: (check["verdict"], check["cause"]) for check in report["checks"]}
        hints = {check["hint"] for check in report["checks"] if check["hint"]}
        predicted, hinted = student.predict()
        lines += [
            f"{who}: {name}: predicted {predicted.get(name)}, found {verdicts.get(name)}"
            for name in sorted(predicted.keys() | verdicts.keys())
            if predicted.get(name) != verdicts.get(name)
        ]
        if hints != hinted:
            lines.append(f"{who}: hints {sorted(hints ^ hinted)}")
    return lines


def _missing(settings: Settings, assignment: str, students: Sequence[Student]) -> list[str]:
    """Return a line for each student without a feedback page."""
    pages = {each.name: settings.course_folder / "feedback" / each.name / assignment for each in students}
    return [f"{name}: no page" for name, folder in pages.items() if not (folder / f"{assignment}.html").is_file()]


def _unconfined(reports: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each student whose notebook was run without a sandbox: an unreadable one is not run at all."""
    run = [report for report in reports if any(check["verdict"] != "not_run" for check in report["checks"])]
    return [f"{each['student']}: no sandbox" for each in run if not set(strongest_first()) & set(each["walls"])]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--students", type=int, default=40)
    options = parser.parse_args()
    settings = Settings.read()
    different = 0
    for assignment in settings.assignments:
        file = settings.root.joinpath(*REPORTS, f"{assignment.name}.json")
        reports = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
        task = Task.load(assignment, settings.root, settings.secret)
        students = make(task, options.seed, options.students)
        lines = differences(students, reports) + _missing(settings, assignment.name, students) + _unconfined(reports)
        print(f"{assignment.name}: {len(students)} students, {len(lines)} differences from what is predicted")
        for line in lines:
            print(f"  {assignment.name}: {line}")
        different += len(lines)
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
