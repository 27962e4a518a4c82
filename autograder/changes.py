"""Tables of what a grading changes: old and new points of each student and check."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from autograder.layout import Column, print_table
from autograder.model.difference import Difference, PointsChange, StudentChange
from autograder.table import plain


def print_difference(console: Console, difference: Difference, *, first: bool) -> None:
    """Print a summary by check, then a row for each student whose points change; who keeps theirs is counted.

    Args:
        console: where to print.
        difference: what changes.
        first: whether those who are graded for the first time have a row too.
    """
    if difference.changed:
        console.print(Text("by check (students)", style="bold"))
        columns = [Column(name, "number") for name in ("up", "down", "new", "gone")]
        rows = [
            [*(Text(str(n) if n else "") for n in (each.up, each.down, each.new, each.gone)), Text(plain(each.name))]
            for each in difference.by_check()
        ]
        print_table(console, [*columns, Column("check")], rows)
    shown = [*difference.changed, *(difference.first if first else [])]
    if shown:
        console.print(Text("by student (old -> new points)", style="bold"))
        rows = [
            [Text(plain(each.student)), _total(each), Text(_told(each))]
            for each in sorted(shown, key=lambda change: change.student)
        ]
        print_table(console, [Column("student"), Column("score", "number"), Column("checks")], rows)
    counted = f"{len(difference.changed)} changed, {difference.unchanged} unchanged"
    if difference.other_cause:
        counted += f" ({difference.other_cause} with another cause)"
    if difference.first:
        counted += f", {len(difference.first)} graded for the first time"
    console.print(Text(counted), soft_wrap=True)


def _total(change: StudentChange) -> Text:
    if change.old is None:
        return Text(f"none -> {change.new:g}")
    colour = "green" if change.new > change.old else "red" if change.new < change.old else "default"
    return Text(f"{change.old:g} -> {change.new:g}", style=colour)


def _told(change: StudentChange) -> str:
    if change.old is None:
        return "graded for the first time"
    return ", ".join(_points(each) for each in change.points)


def _points(change: PointsChange) -> str:
    name = plain(change.name)
    if change.old is None:
        return f"{name} new: {change.new:g}"
    if change.new is None:
        return f"{name} gone: {change.old:g}"
    return f"{name} {change.old:g} -> {change.new:g}"
