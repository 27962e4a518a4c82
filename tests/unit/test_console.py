"""The bar of a class that is being graded: its rate and the time left are of what is run now."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from autograder import console


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
