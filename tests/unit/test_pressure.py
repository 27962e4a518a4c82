"""Who ran out of memory is read from what Linux counts, in either version of its cgroups."""

from __future__ import annotations

import pytest

from autograder.inside import pressure
from autograder.inside.pressure import Kills, count, starved

VMSTAT = "nr_free_pages 12\noom_kill 4\nunevictable_pgs_culled 0\n"


@pytest.fixture
def linux(tmp_path, monkeypatch):
    """Write files as Linux shows them."""
    monkeypatch.setattr(pressure, "VMSTAT", str(tmp_path / "vmstat"))
    monkeypatch.setattr(pressure, "V2", str(tmp_path / "memory.events"))
    monkeypatch.setattr(pressure, "V1", str(tmp_path))

    def write(**files):
        for name, text in {"vmstat": VMSTAT, **files}.items():
            (tmp_path / name).write_text(text)

    return write


@pytest.mark.parametrize(("met", "at_limit"), [(0, False), (3, True)])
def test_the_second_version_counts_events(linux, met, at_limit):
    linux(**{"memory.events": f"low 0\nhigh 0\nmax 9\noom {met}\noom_kill 2\noom_group_kill 0\n"})
    assert count(cgroup=True) == Kills(4, 2, at_limit)


@pytest.mark.parametrize(("most", "at_limit"), [(50 * 2**20, False), (100 * 2**20 - 4096, True)])
def test_the_first_version_has_a_high_water_mark(linux, most, at_limit):
    linux(
        **{
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
            "memory.max_usage_in_bytes": f"{most}\n",
            "memory.limit_in_bytes": f"{100 * 2**20}\n",
        }
    )
    assert count(cgroup=True) == Kills(4, 1, at_limit)


def test_without_a_cgroup_of_its_own_the_machine_is_all_that_is_known(linux):
    linux(**{"memory.events": "oom 1\noom_kill 2\n"})
    assert count(cgroup=False) == Kills(4)


def test_nothing_is_known_where_linux_says_nothing(linux, tmp_path):
    linux()
    (tmp_path / "vmstat").unlink()
    assert count(cgroup=True) == Kills(0)


@pytest.mark.parametrize(
    ("before", "after", "code", "machines"),
    [
        (Kills(0, 0), Kills(1, 1), -9, True),
        (Kills(0, 0), Kills(1, 1), 0, True),  # a child of it was killed
        (Kills(0, 0), Kills(1, 1, at_limit=True), -9, False),
        (Kills(0, 1), Kills(1, 1), -9, False),  # another sandbox's
        (Kills(3), Kills(4), -9, True),
        (Kills(3), Kills(4), 1, False),
        (Kills(3), Kills(3), -9, False),
    ],
)
def test_only_what_the_machine_killed_is_the_machines(before, after, code, machines):
    assert starved(before, after, code) is machines
