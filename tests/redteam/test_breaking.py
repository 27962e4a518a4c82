"""The grader under attack itself: its memory, the sources that it parses, and files that are no plain files."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import breaking
import grinding
import pytest
from attack import Attack
from shooting_range import Range, plain

from autograder.jobs.work import submission

GROWTH = 400 * 2**20
CPU_SECONDS = 5.0
"""Of the grader for one submission, its analyses and the reading of the kernel's messages included."""
LOUD = [
    *(each for each in breaking.ATTACKS if each.line == 19 or "impostor" in each.name),
    *(each for each in grinding.ATTACKS if each.line == 27),
]
PARSED = [
    *(each for each in breaking.ATTACKS if each.line == 20 and each.spell),
    *(each for each in grinding.ATTACKS if each.line == 28),
]


def resident() -> int:
    """Bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def sampled() -> Iterator[list[int]]:
    """This process's resident memory, a hundred times a second, in a thread."""
    done, seen = threading.Event(), [resident()]

    def sample() -> None:
        while not done.wait(0.01):
            seen.append(resident())

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield seen
    finally:
        done.set()
        sampler.join()
        seen.append(resident())


@pytest.mark.parametrize("attack", LOUD, ids=lambda attack: attack.name.replace(" ", "-"))
def test_memory_of_the_grader_does_not_grow(shooting_range: Range, kind: str, attack: Attack) -> None:
    shooting_range.grader(kind)
    with sampled() as seen:
        graded = shooting_range.grade(kind, attack)
    assert graded.report.status == "graded", plain(graded.report.error)
    assert max(seen) - seen[0] < GROWTH, f"{max(seen) - seen[0] >> 20} MiB more at the peak"
    assert seen[-1] - seen[0] < GROWTH, f"{seen[-1] - seen[0] >> 20} MiB more afterwards"


@pytest.mark.parametrize("attack", PARSED, ids=lambda attack: attack.name.replace(" ", "-"))
def test_sources_that_the_grader_parses_itself(shooting_range: Range, kind: str, attack: Attack) -> None:
    """Only where an assignment forbids shortcuts are sources parsed outside."""
    task = shooting_range.task
    strict = replace(task, assignment=replace(task.assignment, forbidden=("numpy.convolve", "scipy.signal")))
    grader = shooting_range.grader(kind)
    handed_in = replace(
        submission("mallory", task.assignment, Path("nowhere")), content=shooting_range.content(attack), unreadable=""
    )
    began = time.thread_time()
    with sampled() as seen:
        report = grader.grade(strict, handed_in).report
    used = time.thread_time() - began
    assert (report.status, report.score) == ("graded", attack.honest_points), plain(report)
    assert max(seen) - seen[0] < GROWTH, f"{max(seen) - seen[0] >> 20} MiB more at the peak"
    assert used < CPU_SECONDS, f"{used:.1f} s of processor time"


def _special(kind: str, path: Path) -> None:
    """Make a file of this kind at `path`."""
    target = path.parent / "target"
    target.write_text("canary")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    else:
        path.symlink_to(
            {"link to passwd": "/etc/passwd", "link to a device": "/dev/zero", "loop": path}.get(kind, target)
        )


@pytest.mark.parametrize(
    "special", ["folder", "pipe", "socket", "link to passwd", "link to a device", "link to a plain file", "loop"]
)
def test_what_is_no_plain_file(
    shooting_range: Range, kind: str, special: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("vault.ipynb")  # a socket's path is short
    _special(special, path)
    began = time.monotonic()
    handed_in = submission("mallory", shooting_range.task.assignment, path)
    report = shooting_range.grader(kind).grade(shooting_range.task, handed_in).report
    assert time.monotonic() - began < 5
    assert (report.status, report.score, handed_in.content) == ("graded", 0, b"")
    words = r"expected a plain file, found a (folder or a special file|link or a special file)"
    for check in report.checks:
        assert (check.verdict, check.cause) == ("not_run", "type")
        assert re.search(words, check.message), check.message
