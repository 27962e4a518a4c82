"""Reports, classes, audits and the doctor's findings as tables. All text from submissions is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from autograder.layout import GAP, Column, print_table
from autograder.model.report import CheckResult, Report, said_by_all

if TYPE_CHECKING:
    from autograder.gradebook.scores import StudentScores
    from autograder.grading.audit import Trial
    from autograder.sandbox.doctor import Finding

MARKS = {"pass": ("✓", "green"), "fail": ("✗", "red"), "not_run": ("-", "yellow")}
COLOURS = {"failed": "red", "queued": "yellow"}
TEXTS = ("student", "what failed")
NO_SCORES: Mapping[str, StudentScores] = MappingProxyType({})
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys: control characters, turns of the direction, line ends of other kinds; and half characters."""


def plain(text: str) -> str:
    """Text without control characters: messages may hold a student's, and terminals obey escape sequences."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of text as lines with aligned columns; nothing is cut, whatever the terminal's width."""
    shown = [[plain(cell) for cell in row] for row in rows]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*shown, strict=True)]
    return [
        (" " * GAP)
        .join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        .rstrip()
        for row in shown
    ]


def print_report(console: Console, report: Report, *, staff: bool = False) -> None:
    """One submission: its score, each cell with its checks, and what to do about those that failed.

    On a terminal each cell has a frame, and messages are wrapped in it. In a file or a pipe no line is ever wrapped.
    """
    if told := said_by_all(report.checks):
        _print(console, _set_in(told, style="red"))
    unread = told and report.checks[0].verdict == "not_run"
    for cell in [] if unread else dict.fromkeys(check.cell for check in report.checks):
        checks = report.cell(cell)
        points, top = sum(c.points for c in checks), sum(c.max_points for c in checks)
        shared = said_by_all(checks) or told
        parts = [part for check in checks for part in _check(check, shared, staff=staff)]
        if shared and shared != told:
            parts.insert(0, _set_in(shared))
        colour = "green" if points == top else "yellow" if points else "red"
        title = Text.assemble((plain(cell), "bold"), "  ", (f"{points:g} / {top:g}", colour))
        if console.is_terminal:
            console.print(Panel(Group(*parts), title=title, title_align="left", border_style="dim", padding=(0, 1)))
        else:
            for part in (title, *parts):
                _print(console, part)
    for repair in report.repairs:
        _print(console, Text(f"repaired: {plain(repair)}", style="yellow"))
    for note in report.notes:
        _print(console, _set_in(note, label="look at: ", style="yellow"))
    if report.status == "failed":
        told = report.error if staff else report.error.partition("\n")[0]
        _print(console, Text(f"not graded: {plain(told)}", style="red"))
    ran = any(check.verdict != "not_run" for check in report.checks)
    if ran and not report.walls:
        _print(console, Text("graded without walls: this notebook could have done anything", style="yellow"))
    score = (f"{report.score:g} of {report.max_score:g} points", "bold")
    walls = f"walls: {', '.join(report.walls) or 'none'}"
    _print(console, Text.assemble(score, f" · {report.assignment} · {report.seconds:.2f} s · {walls}"))


def _print(console: Console, part: Text | Padding) -> None:
    """Print a part of a report: wrapped on a terminal, each of its lines whole in a file or a pipe."""
    if console.is_terminal:
        console.print(part)
        return
    text, indent = (part.renderable, part.left) if isinstance(part, Padding) else (part, 0)
    assert isinstance(text, Text)
    for line in text.split("\n", allow_blank=True):
        console.print(Text(" " * indent).append_text(line), soft_wrap=True)


def _check(check: CheckResult, said: str, *, staff: bool) -> list[Text | Padding]:
    """The lines of one check; `said` has been said already."""
    mark, colour = MARKS[check.verdict]
    lines: list[Text | Padding] = [
        Text.assemble(
            (mark, colour),
            " ",
            check.title or check.name,
            (f"  {check.points:g}/{check.max_points:g}", "dim"),
        )
    ]
    if check.message != said:
        lines.append(_set_in(check.message))
    if check.hint:
        lines.append(_set_in(check.hint, label="hint: ", style="cyan"))
    if staff and check.detail:
        lines.append(Text("\n".join(f"  | {plain(line)}" for line in check.detail.splitlines()), style="dim"))
    return lines


def _set_in(text: str, *, label: str = "", style: str = "default") -> Padding:
    """A message set in, where it is too long for a line too, so that no line of it looks like one of ours."""
    return Padding(Text.assemble((label, f"bold {style}"), (_indented(text), style)), (0, 0, 0, 2))


def _indented(text: str) -> str:
    """A message whose second line and those after it are marked."""
    return plain(text).replace("\n", "\n| ")


def print_class(
    console: Console,
    reports: Sequence[Report],
    scores: Mapping[str, StudentScores] = NO_SCORES,
    *,
    written: bool = False,
) -> None:
    """A class: each student's score, how many checks passed, and why the others failed; no word is ever cut.

    An assignment whose points all come from checks has a column `score`. One with written questions has three instead:
    `auto`, the points of the checks; `manual`, what people added or took off, and how many answers wait; `total`, the
    final score. So has one whose gradebook holds manual points. `late` is there where lateness costs somebody points.

    Args:
        console: where to print.
        reports: one a row.
        scores: what the gradebook holds, by student.
        written: whether the assignment has questions that people grade.
    """
    held = {report.student: scores.get(report.student) for report in reports if report.status == "graded"}
    manual = written or any(each is not None and (each.has_manual or each.waiting) for each in held.values())
    late = any(each is not None and each.late for each in held.values())
    names = ["student", *(["auto", "manual"] if manual else ["score"])]
    names += [*(["late"] if late else []), *(["total"] if manual else []), "checks", "s", "what failed"]
    columns = [Column(name, "text" if name in TEXTS else "number") for name in names]
    rows = [_row(report, held.get(report.student)) for report in reports]
    print_table(console, columns, [[row.get(name, Text()) for name in names] for row in rows])


def _row(report: Report, held: StudentScores | None) -> dict[str, Text]:
    """The cells of a row, by column."""
    passed = sum(check.verdict == "pass" for check in report.checks)
    colour = COLOURS.get(report.status, "green" if report.score == report.max_score else "default")
    score = Text(f"{report.score:g}" if report.status == "graded" else report.status, style=colour)
    row = {
        "student": Text(plain(report.student)),
        "score": score,
        "auto": score,
        "checks": Text(f"{passed}/{len(report.checks)}"),
        "s": Text(f"{report.seconds:.2f}"),
        "what failed": Text(_failures(report)),
    }
    if held is not None:
        waiting = [f"{held.waiting} to read"] if held.waiting else []
        row["manual"] = Text(", ".join([*([f"{held.manual:g}"] if held.has_manual else []), *waiting]), style="yellow")
        row["late"] = Text(f"-{held.late:g}" if held.late else "", style="yellow")
        row["total"] = Text(f"{held.score:g}")
    return row


def _failures(report: Report) -> str:
    """Why checks failed, cell by cell, the missing last."""
    if report.status != "graded":
        return plain(report.error.splitlines()[0] if report.error else "")
    if said_by_all(report.checks) and report.checks[0].verdict == "not_run":
        return "unreadable, see below"
    by_cell: dict[str, set[str]] = {}
    for check in report.checks:
        if check.verdict != "pass":
            by_cell.setdefault(check.cell, set()).add(check.cause or check.verdict)
    news = sorted(by_cell.items(), key=lambda item: item[1] == {"missing"})
    return ", ".join(f"{cell} ({'/'.join(sorted(causes))})" for cell, causes in news)


def print_audit(console: Console, assignment: str, trials: Sequence[Trial]) -> None:
    """The mutation table of an assignment."""
    rows = []
    for trial in trials:
        label = trial.name if trial.mistake is None else f"{trial.mistake.of}: {trial.name}"
        killers = trial.killed_by
        told = ", ".join(killers[:3]) + (f" and {len(killers) - 3} more" if len(killers) > 3 else "")
        verdict = Text(trial.verdict, style="green" if trial.verdict == "ok" else "red")
        rows.append([Text(label), Text(f"{trial.report.score:g}"), verdict, Text(told)])
    console.print(Text(f"{assignment}: the grader, graded", style="italic"), soft_wrap=True)
    columns = [Column("submission"), Column("score", "number"), Column("verdict"), Column("killed by")]
    print_table(console, columns, rows)
    mistakes = [trial for trial in trials if trial.mistake is not None]
    killed = sum(bool(trial.killed_by) for trial in mistakes)
    hinted = sum(trial.verdict == "ok" for trial in mistakes)
    console.print(
        f"mutation score {killed}/{len(mistakes)} killed, {hinted}/{len(mistakes)} with their own hint\n",
        highlight=False,
        soft_wrap=True,
    )


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print what `doctor` found: on a terminal a line for each part of a finding, elsewhere one for a finding."""
    marks = {True: Text("stands", "green"), False: Text("missing", "yellow"), None: Text("-", "dim")}
    between = Text("\n" if console.is_terminal else "; ")
    rows = []
    for finding in findings:
        parts = [Text(plain(finding.found))]
        if finding.stops:
            parts.append(Text(f"against: {finding.stops}", "dim"))
        if finding.advice:
            parts.append(Text(f"to do: {plain(finding.advice)}", "yellow"))
        rows.append([marks[finding.stands], Text(finding.wall), between.join(parts)])
    print_table(console, [Column("state"), Column("wall"), Column("what was found")], rows)
