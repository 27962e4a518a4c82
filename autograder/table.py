"""Reports, classes and audits as tables on a terminal. All text from submissions is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from autograder.model.report import CheckResult, Report, said_by_all

if TYPE_CHECKING:
    from autograder.grading.audit import Trial

MARKS = {"pass": ("✓", "green"), "fail": ("✗", "red"), "not_run": ("-", "yellow")}
COLOURS = {"failed": "red", "queued": "yellow"}
COLUMNS = ("student", "score", "late", "checks", "s", "what failed")
NO_PENALTIES: Mapping[str, float] = MappingProxyType({})
NUMBERS = 40
"""Columns that names and numbers usually take."""
GAP = 2  # between two columns
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
    """One submission: its score, each cell with its checks, and what to do about those that failed."""
    if told := said_by_all(report.checks):
        console.print(_set_in(told, style="red"))
    unread = told and report.checks[0].verdict == "not_run"
    for cell in [] if unread else dict.fromkeys(check.cell for check in report.checks):
        checks = report.cell(cell)
        points, top = sum(c.points for c in checks), sum(c.max_points for c in checks)
        shared = said_by_all(checks) or told
        parts = [part for check in checks for part in _check(check, shared, staff=staff)]
        if shared and shared != told:
            parts.insert(0, _set_in(shared))
        colour = "green" if points == top else "yellow" if points else "red"
        title = f"[bold]{cell}[/]  [{colour}]{points:g} / {top:g}[/]"
        console.print(Panel(Group(*parts), title=title, title_align="left", border_style="dim", padding=(0, 1)))
    for repair in report.repairs:
        console.print(Text(f"repaired: {plain(repair)}", style="yellow"))
    for note in report.notes:
        console.print(_set_in(note, label="look at: ", style="yellow"))
    if report.status == "failed":
        told = report.error if staff else report.error.partition("\n")[0]
        console.print(Text(f"not graded: {plain(told)}", style="red"))
    ran = any(check.verdict != "not_run" for check in report.checks)
    if ran and not report.walls:
        console.print(Text("graded without walls: this notebook could have done anything", style="yellow"))
    console.print(
        f"[bold]{report.score:g} of {report.max_score:g} points[/] · {report.assignment} · "
        f"{report.seconds:.2f} s · walls: {', '.join(report.walls) or 'none'}",
        highlight=False,
    )


def _check(check: CheckResult, said: str, *, staff: bool) -> list[RenderableType]:
    """The lines of one check; `said` has been said already."""
    mark, colour = MARKS[check.verdict]
    lines: list[RenderableType] = [
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


def print_class(console: Console, reports: Sequence[Report], penalties: Mapping[str, float] = NO_PENALTIES) -> None:
    """A class: each student's score, how many checks passed, and why the others failed; no number is ever cut.

    Args:
        console: where to print.
        reports: one a row.
        penalties: points that lateness costs, by student; where it costs nobody anything there is no column for it.
    """
    room = console.width - NUMBERS
    rows = [_row(report, penalties.get(report.student, 0.0), room) for report in reports]
    names: tuple[str, ...] = COLUMNS
    if not any(row[2].plain for row in rows):
        names = tuple(name for name in COLUMNS if name != "late")
        rows = [[*row[:2], *row[3:]] for row in rows]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, width in zip(names, _widths(names, rows, console.width), strict=True):
        justify: Literal["left", "right"] = "left" if name in {"student", "what failed"} else "right"
        table.add_column(name, justify=justify, overflow="ellipsis", no_wrap=True, max_width=width)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _row(report: Report, penalty: float, room: int) -> list[Text]:
    passed = sum(check.verdict == "pass" for check in report.checks)
    colour = COLOURS.get(report.status, "green" if report.score == report.max_score else "default")
    return [
        Text(plain(report.student)),
        Text(f"{report.score:g}" if report.status == "graded" else report.status, style=colour),
        Text(f"-{penalty:g}" if penalty and report.status == "graded" else "", style="yellow"),
        Text(f"{passed}/{len(report.checks)}"),
        Text(f"{report.seconds:.2f}"),
        Text(_failures(report, room)),
    ]


def _widths(names: Sequence[str], rows: Sequence[list[Text]], room: int) -> list[int]:
    """How wide each column may be in `room` columns: left alone, rich cuts all alike, scores too."""
    columns = zip(names, *rows, strict=True)
    student, *numbers, reason = (max(cell_len(str(cell)) for cell in column) for column in columns)
    room -= sum(numbers) + GAP * (len(names) - 1)
    student = min(student, max(len(names[0]), room - len(names[-1])))
    return [student, *numbers, min(reason, max(1, room - student))]


def _failures(report: Report, room: int) -> str:
    """Why checks failed, cell by cell, the missing last; where there is no room and one cause, how many cells."""
    if report.status != "graded":
        return plain(report.error.splitlines()[0] if report.error else "")
    if said_by_all(report.checks) and report.checks[0].verdict == "not_run":
        return "unreadable, see below"
    by_cell: dict[str, set[str]] = {}
    for check in report.checks:
        if check.verdict != "pass":
            by_cell.setdefault(check.cell, set()).add(check.cause or check.verdict)
    # where there is no room for all, what is not there is the least news
    news = sorted(by_cell.items(), key=lambda item: item[1] == {"missing"})
    told = ", ".join(f"{cell} ({'/'.join(sorted(causes))})" for cell, causes in news)
    if len(told) > room and len({frozenset(causes) for causes in by_cell.values()}) == 1:
        return f"{len(by_cell)} cells ({', '.join(sorted(next(iter(by_cell.values()))))})"
    return told


def print_audit(console: Console, assignment: str, trials: Sequence[Trial]) -> None:
    """The mutation table of an assignment."""
    table = Table(
        title=f"{assignment}: the grader, graded",
        title_justify="left",
        box=None,
        header_style="bold",
        pad_edge=False,
    )
    for name in ("submission", "score", "killed by", "verdict"):
        table.add_column(name, justify="right" if name == "score" else "left", overflow="fold")
    for trial in trials:
        label = trial.name if trial.mistake is None else f"{trial.mistake.of}: {trial.name}"
        killers = trial.killed_by
        told = ", ".join(killers[:3]) + (f" and {len(killers) - 3} more" if len(killers) > 3 else "")
        table.add_row(
            label,
            f"{trial.report.score:g}",
            told,
            Text(trial.verdict, style="green" if trial.verdict == "ok" else "red"),
        )
    console.print(table)
    mistakes = [trial for trial in trials if trial.mistake is not None]
    killed = sum(bool(trial.killed_by) for trial in mistakes)
    hinted = sum(trial.verdict == "ok" for trial in mistakes)
    console.print(
        f"mutation score {killed}/{len(mistakes)} killed, {hinted}/{len(mistakes)} with their own hint\n",
        highlight=False,
    )
