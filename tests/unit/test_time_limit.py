"""A limit does not count the time in which others kept a kernel from running, and counts all other time."""

from __future__ import annotations

import pytest

from autograder.kernel import time_limit
from autograder.kernel.time_limit import EXTENSION, TimeLimit, Usage

LIMIT = 5.0


class World:
    """A clock, and a kernel that has a part of a processor and waits for another part of the time."""

    def __init__(self, runs=1.0, waits=0.0, threads=1, recorded=True, steal=0.0):
        self.now = 100.0
        self.runs, self.waits, self.threads, self.recorded, self.steal = runs, waits, threads, recorded, steal
        self.readings = 0

    def usage(self):
        self.readings += 1
        waited = {str(thread): self.waits * self.now for thread in range(self.threads)}
        return Usage(self.runs * self.threads * self.now, waited if self.recorded else None)

    def machine(self):
        return self.steal * self.now, (1 - self.steal) * self.now

    def ended(self, **options):
        """Seconds until a deadline of LIMIT ends, and the deadline."""
        made = TimeLimit(LIMIT, self.usage, **options)
        started = self.now
        while (left := made.left()) > 0:
            self.now += left
        return self.now - started, made


@pytest.fixture
def world(monkeypatch):
    def make(**options):
        made = World(**options)
        monkeypatch.setattr(time_limit.time, "monotonic", lambda: made.now)
        monkeypatch.setattr(time_limit, "_machine", made.machine)
        return made

    return make


@pytest.mark.parametrize(
    "idle",
    [
        {"runs": 1.0},
        {"runs": 0.0},
        {"runs": 0.97, "waits": 0.03},
        {"runs": 0.5},
        {"runs": 1.0, "recorded": False},
        {"runs": 0.0, "recorded": False},
    ],
    ids=["a loop", "a sleep", "a loop beside little else", "half asleep", "a loop, unrecorded", "a sleep, unrecorded"],
)
def test_a_limit_ends_on_time_where_the_kernel_was_not_kept_from_running(world, idle):
    seconds, made = world(**idle).ended()
    assert seconds == pytest.approx(LIMIT)
    assert not made.starved


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("share", [0.5, 0.2, 0.15])
def test_a_loop_on_a_busy_machine_ends_when_it_had_its_limit(world, share, recorded):
    seconds, made = world(runs=share, waits=1 - share, recorded=recorded).ended()
    assert not made.starved
    assert seconds * share + 0.1 * LIMIT >= LIMIT
    assert seconds * share <= 1.1 * LIMIT


@pytest.mark.parametrize("recorded", [True, False])
def test_a_kernel_that_gets_next_to_nothing_is_starved_after_a_multiple_of_its_limit(world, recorded):
    seconds, made = world(runs=0.03, waits=0.97, recorded=recorded).ended()
    assert made.starved
    assert EXTENSION * LIMIT <= seconds <= 1.1 * EXTENSION * LIMIT


def test_threads_that_keep_each_other_from_running_extend_nothing(world):
    seconds, made = world(runs=2 / 64, waits=1 - 2 / 64, threads=64).ended()
    assert seconds == pytest.approx(LIMIT)
    assert not made.starved


def test_what_the_hypervisor_took_is_not_counted(world):
    seconds, made = world(runs=1.0, steal=0.75).ended()
    assert LIMIT * 3 <= seconds <= LIMIT * 4.5
    assert not made.starved


def test_nothing_is_asked_before_a_tenth_of_the_limit(world):
    made = world()
    limit = TimeLimit(LIMIT, made.usage)
    for _ in range(100):
        assert limit.left() > 0
    assert made.readings == 0
    made.now += 0.2 * LIMIT
    assert [limit.left() > 0 for _ in range(100)] == [True] * 100
    assert made.readings == 1


def test_a_deadline_ends_with_the_one_that_it_is_within(world):
    made = world(runs=0.2, waits=0.8)
    outer = TimeLimit(LIMIT, made.usage, made.usage())
    made.now += 4 * LIMIT
    seconds, inner = made.ended(within=outer)
    assert seconds == pytest.approx(LIMIT, rel=0.3)
    assert (inner.starved, inner.limit) == (False, "the 5 s of the whole submission")
    made = world(runs=0.03, waits=0.97)
    outer = TimeLimit(LIMIT, made.usage, made.usage())
    made.now += (EXTENSION - 1) * LIMIT
    _, inner = made.ended(within=outer)
    assert inner.starved


def test_a_deadline_that_is_over_stays_over(world):
    made = world()
    _, limit = made.ended()
    readings = made.readings
    assert limit.left() == 0
    assert made.readings == readings


def test_time_before_a_late_first_reading_is_not_the_kernels(world):
    """The grader itself did not run for a while, so it could not look."""
    made = world(runs=0.1, waits=0.9)
    limit = TimeLimit(LIMIT, made.usage)
    made.now += 3 * LIMIT
    assert limit.left() > 0


def test_a_known_start_counts_from_the_start(world):
    made = world(runs=0.5, waits=0.5)
    seconds, limit = made.ended(first=made.usage())
    assert seconds == pytest.approx(2 * LIMIT, rel=0.1)
    assert not limit.starved


def test_time_that_is_credited_is_not_counted(world):
    made = world()
    limit = TimeLimit(LIMIT, made.usage, made.usage())
    limit.credit(3.0)
    made.now += LIMIT + 2.9
    assert 0 < limit.left() < 0.2
    made.now += 0.3
    assert limit.left() == 0
