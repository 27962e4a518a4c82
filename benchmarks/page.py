"""Figures as tables: on the terminal, and in docs/performance.md between the markers of each set."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.course import PROJECT, Set
from benchmarks.figures import Grading, Result

PAGE: Final = PROJECT / "docs" / "performance.md"
WALL, CPU = attrgetter("wall"), attrgetter("cpu")
MEGABYTE: Final = 1e6
PACKAGES: Final = ("nbgrader", "ipykernel", "torch", "pytorch-lightning", "numpy")

Rows = list[list[str]]


def systems(result: Result) -> Rows:
    """Seconds a submission: each system's steady cost, its start-up, and its rate over a class with start-up."""
    limit = [result.median(lambda r: r.limit.wall), result.median(lambda r: r.limit.cpu)]
    return [
        ["seconds a submission", "wall", "CPU", "start-up: wall", "CPU", "a whole class, start-up included"],
        ["`nbgrader autograde`", *_system([each.nbgrader for each in result.rounds])],
        ["`autograder grade`", *_system([each.ours for each in result.rounds])],
        ["the limit: one bare, warm process", *(f"{seconds:.3f}" for seconds in limit), "", "", ""],
    ]


def _system(runs: Sequence[Grading]) -> list[str]:
    steady = [f"{median(pick(run.steady) for run in runs):.3f}" for pick in (WALL, CPU)]
    start = [f"{median(pick(run.start) for run in runs):.1f}" for pick in (WALL, CPU)]
    whole = median(run.large_cost.wall for run in runs)
    return [*steady, *start, f"{runs[0].large} in {whole:.1f} s, {60 * runs[0].large / whole:.0f} a minute"]


def findings(result: Result) -> Rows:
    """The ratios and what has a target."""
    warm, idle = result.warm, result.warm["idle"]
    return [
        ["figure", ""],
        ["throughput, in nbgrader's", f"{result.speed:.1f} times"],
        ["throughput with start-up, in nbgrader's", f"{result.speed_whole:.1f} times"],
        ["nbgrader's CPU time, in ours", f"{result.thrift:.1f} times"],
        ["the grader's own CPU time a submission", f"{result.own_cost:.3f} s"],
        ["one submission, warm, from file to report", f"{warm['latency']:.3f} s (median of 20)"],
        [
            "an idle slot",
            f"{idle['resident'] / MEGABYTE:.0f} MB, of which {idle['Private'] / MEGABYTE:.0f} MB are its own",
        ],
    ]


def lifetimes(result: Result) -> Rows:
    """What it costs to replace slots: in seconds, and as a multiple of never doing it."""
    never = result.warm["latency"]
    rows = [["`slot_lifetime`", "seconds a submission, one worker", "of one that stays"]]
    for lifetime, seconds in result.warm["lifetimes"].items():
        rows.append([str(lifetime), f"{seconds:.3f}", f"{seconds / never:.1f} times"])
    return [*rows, ["a slot that stays", f"{never:.3f}", "1"]]


def steps(result: Result) -> Rows:
    """Where a submission's time goes, in milliseconds."""
    found = result.warm["breakdown"]
    rows = [["step", "wall, ms", "CPU here, ms"]]
    ordered = sorted(found["wall"], key=lambda step: -found["wall"][step])
    rows += [[step, f"{1e3 * found['wall'][step]:.1f}", f"{1e3 * found['cpu'][step]:.1f}"] for step in ordered]
    rows.append(["**all**", *(f"**{1e3 * sum(found[kind].values()):.1f}**" for kind in ("wall", "cpu"))])
    rows.append(["CPU of the kernel", "", f"{1e3 * found['kernels']:.1f}"])
    return [*rows, ["CPU of the zygote that forks it", "", f"{1e3 * found['zygote']:.1f}"]]


def tables(result: Result) -> tuple[Rows, ...]:
    """All of a set's."""
    return systems(result), findings(result), lifetimes(result), steps(result)


def show(console: Console, of: Set, result: Result) -> None:
    """Print the tables."""
    console.rule(of.title, align="left")
    for rows in tables(result):
        table = Table(box=None, header_style="bold", pad_edge=False)
        for position, heading in enumerate(rows[0]):
            table.add_column(heading, justify="right" if position else "left")
        for row in rows[1:]:
            table.add_row(*(re.sub(r"\*\*|`", "", cell) for cell in row))
        console.print(table, "")


def write(of: Set, result: Result, command: str, page: Path = PAGE) -> None:
    """Put the figures of a set between its markers.

    Raises:
        ValueError: the page has no such markers.
    """
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {of.name}: begin -->", f"<!-- {of.name}: end -->"
    parts = [_about(result, command), *map(_markdown, tables(result))]
    found, count = re.subn(f"{begin}.*{end}", lambda _: "\n\n".join([begin, *parts, end]), text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{page.name} has no place for {of.name}: expected one {begin} ... {end}")
    page.write_text(found, encoding="utf-8")


def _about(result: Result, command: str) -> str:
    cores = f"{len(os.sched_getaffinity(0))} cores ({_processor()})"
    software = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in PACKAGES)])
    measured = f"medians of {len(result.rounds)} rounds, sandbox {result.warm['sandbox']}"
    return f"{datetime.now(UTC):%Y-%m-%d}, `{command}`: {measured}, {cores}, {software}."


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _markdown(rows: Rows) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    rule = "|" + "|".join([" --- ", *[" ---: "] * (len(rows[0]) - 1)]) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
