"""Options of the fuzzing, and the table of what was run."""

from __future__ import annotations

from typing import Any

import pytest

HEADS = ("target", "cases", "drawn", "cases/s", "seconds", "CPU s", "peak MB")
ROWS: list[tuple[str, ...]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", type=int, default=100_000, help="of all targets together")
    parser.addoption("--fuzz-seed", type=int, help="to run the same cases again; by default new ones each time")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        ROWS.extend(row for name, row in report.user_properties if name == "fuzz")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not ROWS:
        return
    terminalreporter.section("fuzzing")
    total = ("all", *(str(sum(int(row[column]) for row in ROWS)) for column in (1, 2)), "", "", "", "")
    rows = [HEADS, *ROWS, total]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *numbers in rows:
        told = [name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])]
        terminalreporter.write_line("  ".join(told).rstrip())
