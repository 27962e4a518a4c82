"""The report of one submission: the contract that scripts and pages rely on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from autograder.errors import Cause

Verdict = Literal["pass", "fail", "not_run"]
Status = Literal["graded", "failed", "queued"]


@dataclass(frozen=True, slots=True)
class Picture:
    """Two images of the same shape (rows of numbers), the value expected and the value found."""

    expected: list[list[float]]
    actual: list[list[float]]
    title: str = ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verdict of one check. `message` and `hint` are for the student; `detail` is for staff alone."""

    name: str
    cell: str
    max_points: float
    verdict: Verdict
    cause: Cause | None = None
    message: str = ""
    hint: str = ""
    title: str = ""
    detail: str = ""
    picture: Picture | None = None

    @property
    def points(self) -> float:
        """Full points for a pass, none otherwise: partial credit comes from many small checks."""
        return self.max_points if self.verdict == "pass" else 0.0

    def contract(self) -> dict[str, Any]:
        """What a report's JSON says of a check: nothing that only staff may see."""
        return {
            "name": self.name,
            "cell": self.cell,
            "points": self.points,
            "max_points": self.max_points,
            "verdict": self.verdict,
            "cause": self.cause,
            "message": self.message,
            "hint": self.hint,
        }


def said_by_all(checks: Sequence[CheckResult]) -> str:
    """The one message that several checks have, and none of them anything else: it need be read once only."""
    messages = {check.message for check in checks}
    return messages.pop() if len(checks) > 1 and len(messages) == 1 else ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a verdict rests on: enough to know whether the same attempt would be graded the same way again."""

    submission_sha256: str
    checks_sha256: str
    image: str
    seed: str
    version: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the grader says about one submission.

    `status` is `failed` when the sandbox or a checker failed, never the student, and `queued` when the submission
    waits for a machine that can run it: such a report costs no points, its `error` says (to staff) what happened.
    """

    student: str
    assignment: str
    status: Status
    checks: tuple[CheckResult, ...]
    provenance: Provenance
    seconds: float = 0.0
    walls: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()
    """What else the student has to know; it costs nothing by itself."""
    warnings: tuple[str, ...] = ()
    """What staff should look at, a line each: what was ambiguous in the submission, and how it was decided."""
    manual: tuple[str, ...] = ()
    """The cells (`grade_id`) whose score a person has to confirm: what was handed in for them is ambiguous."""

    software: str = ""
    """Python and packages that it was graded with: `Python 3.11.7, numpy 2.4.6`."""
    setup_errors: tuple[str, ...] = ()
    """Released cells that the student left as they were and that failed, a line each: see `failing_everywhere`."""

    @property
    def score(self) -> float:
        """Sum of the points of the checks."""
        return sum(check.points for check in self.checks)

    @property
    def max_score(self) -> float:
        """Sum of the points that the checks can give."""
        return sum(check.max_points for check in self.checks)

    def cell(self, name: str) -> tuple[CheckResult, ...]:
        """The checks of one graded cell, in order."""
        return tuple(check for check in self.checks if check.cell == name)

    def contract(self) -> dict[str, Any]:
        """The object that `autograder grade --json` writes for each submission."""
        return {
            "student": self.student,
            "assignment": self.assignment,
            "status": self.status,
            "score": self.score,
            "max_score": self.max_score,
            "seconds": round(self.seconds, 4),
            "walls": list(self.walls),
            "repairs": list(self.repairs),
            "software": self.software,
            "checks": [check.contract() for check in self.checks],
            "provenance": asdict(self.provenance),
        }

    def stored(self) -> dict[str, Any]:
        """Everything, staff details included, as plain data: `from_stored` reads it back."""
        return asdict(self)

    @classmethod
    def from_stored(cls, data: Mapping[str, Any]) -> Report:
        """The report that `stored` wrote."""
        checks = tuple(
            CheckResult(**{**check, "picture": Picture(**check["picture"]) if check["picture"] else None})
            for check in data["checks"]
        )
        return cls(
            **{
                **data,
                "checks": checks,
                "provenance": Provenance(**data["provenance"]),
                "walls": tuple(data["walls"]),
                "repairs": tuple(data["repairs"]),
                "notes": tuple(data.get("notes", ())),
                "warnings": tuple(data.get("warnings", ())),
                "manual": tuple(data.get("manual", ())),
                "software": data.get("software", ""),
                "setup_errors": tuple(data.get("setup_errors", ())),
            }
        )

    def timed(self, seconds: float) -> Report:
        """The same report with the wall-clock seconds it took."""
        return replace(self, seconds=seconds)


def failing_everywhere(reports: Sequence[Report]) -> list[str]:
    """Return the released cells that failed in every submission that ran, a line each: the release may be broken."""
    ran = [report for report in reports if report.status == "graded" and report.software]
    told = {line.partition("`: ")[0]: line for report in ran[:1] for line in report.setup_errors}
    for report in ran[1:]:
        told = {name: told[name] for line in report.setup_errors if (name := line.partition("`: ")[0]) in told}
    many = "the only submission" if len(ran) == 1 else f"each of {len(ran)} submissions"
    return [
        f"the released cell {line} (in {many}): run `autograder audit`, and correct its source"
        for line in told.values()
    ]
