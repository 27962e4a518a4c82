"""A kernel's user exists in the user namespace it runs in: a rootless engine maps few."""

import builtins
import io

import pytest

from autograder.inside import walls


@pytest.fixture
def uid_map(monkeypatch):
    def text(content):
        monkeypatch.setattr(builtins, "open", lambda path: io.StringIO(content))

    return text


def test_a_user_that_is_mapped_is_taken(uid_map):
    uid_map("         0          0 4294967295\n")
    assert walls.mapped(1_234_567) == 1_234_567


def test_a_rootless_engine_gets_one_of_its_own(uid_map):
    uid_map("         0       1000          1\n         1     100000      65536\n")
    for uid in (1_000_000, 1_065_535, 2**30):
        assert 1 <= walls.mapped(uid) <= 65536


def test_an_engine_that_maps_root_too_makes_no_kernel_its_root(uid_map):
    for uid in (65536 * 20, 65535 * 20, 1_000_001):
        uid_map("         0     100000      65536\n")
        assert 1 <= walls.mapped(uid) <= 65535


def test_where_there_is_one_user_there_is_no_choice(uid_map):
    uid_map("      1000       1000          1\n")
    assert walls.mapped(1_234_567) == 1000
