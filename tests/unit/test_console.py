"""What commands say beside their tables: the progress bar, what Ctrl-C kept."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from autograder import console
from autograder.commands import interrupted


def test_what_was_graded_before_has_no_part_in_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=120, get_time=lambda: now)
    monkeypatch.setattr(console, "err", terminal)
    with console.progress("convolution") as (advance, starting):
        for done in range(1, 101):
            now += 0.001
            advance(done, 110, None, False)
        starting("starting bwrap slots, 10 to grade", 110)
        for done, at in ((101, 10.0), (102, 12.0), (103, 14.0)):
            now = at
            advance(done, 110, None, True)
    last = screen.getvalue().rpartition("103/110")[2]
    assert "0.5/s" in last
    assert re.search(r"left \S*0:00:14", last)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["grade", "convolution"], "what was graded is kept; the same command goes on from there"),
        (["grade", "--dry-run", "--force"], "nothing was recorded"),
        (["grade", "--force"], "the same command, with --force, runs all again"),
        (["audit"], ""),
    ],
)
def test_ctrl_c_says_what_the_same_command_does_next(arguments: list[str], told: str) -> None:
    assert told in interrupted.kept(arguments)
    assert bool(told) == bool(interrupted.kept(arguments))


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([("a", 2, 6)], "2 of 6 were run again; the others keep their earlier result"),
        ([("a", 6, 6), ("b", 1, 4)], "6 of 6 of a, 1 of 4 of b were run again"),
    ],
)
def test_ctrl_c_with_force_says_that_results_are_mixed(counts: list[tuple[str, int, int]], told: str) -> None:
    assert interrupted.run_kept(counts, force=True, dry_run=False).startswith(told)
    assert "without" not in interrupted.run_kept(counts, force=True, dry_run=False)
    assert interrupted.run_kept(counts, force=True, dry_run=True) == "nothing was recorded"
