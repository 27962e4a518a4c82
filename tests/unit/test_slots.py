"""A slot serves one submission after the other, and never again when there is any doubt about it."""

from __future__ import annotations

import pytest

from autograder.errors import SandboxError
from autograder.grading import slots
from autograder.grading.slots import SlotPool
from autograder.sandbox.interface import SlotSpec

SPEC, OTHER = SlotSpec("numpy"), SlotSpec("torch")


class FakeSlot:
    """A slot that says whether it was closed; `broken` ones never become ready."""

    made: list[FakeSlot]
    broken = False

    def __init__(self, sandbox, spec):
        self.spec, self.served, self.closed, self.worn = spec, 0, False, False
        self.made.append(self)

    def wait(self):
        if self.broken:
            raise SandboxError("not ready")

    def close(self):
        self.closed = True


@pytest.fixture
def pool(monkeypatch):
    monkeypatch.setattr(FakeSlot, "made", [], raising=False)
    monkeypatch.setattr(slots, "Slot", FakeSlot)
    return SlotPool(None, lifetime=3)


def serve(pool, spec=SPEC):
    with pool.lease(spec) as slot:
        return slot


def test_a_slot_serves_again(pool):
    assert serve(pool) is serve(pool)


def test_a_slot_is_replaced_when_it_has_served_its_time(pool):
    served = [serve(pool) for _ in range(4)]
    assert served[0] is served[1] is served[2]
    assert served[2].closed
    assert served[3] is not served[0]
    assert not served[3].closed


def test_a_slot_whose_memory_was_not_enough_is_replaced(pool):
    with pool.lease(SPEC) as slot:
        slot.worn = True
    assert slot.closed
    assert serve(pool) is not slot


def test_the_strictest_setting_gives_every_submission_a_slot_of_its_own(monkeypatch, pool):
    strict = SlotPool(None, lifetime=1)
    served = [serve(strict) for _ in range(3)]
    assert len(set(map(id, served))) == 3
    assert all(slot.closed for slot in served)


def test_different_specs_share_no_slot(pool):
    assert serve(pool, SPEC) is not serve(pool, OTHER)
    assert serve(pool, OTHER).spec == OTHER


@pytest.mark.parametrize("error", [SandboxError("lost"), ValueError("a bug"), KeyboardInterrupt()])
def test_a_slot_in_which_anything_went_wrong_is_never_used_again(pool, error):
    with pytest.raises(type(error)), pool.lease(SPEC) as slot:
        raise error
    assert slot.closed
    assert serve(pool) is not slot


def test_a_slot_that_does_not_become_ready_is_removed(pool, monkeypatch):
    monkeypatch.setattr(FakeSlot, "broken", True)
    with pytest.raises(SandboxError):
        serve(pool)
    assert [slot.closed for slot in FakeSlot.made] == [True]


def test_a_slot_is_warmed_once_and_then_leased(pool):
    pool.warm(SPEC)
    pool.warm(SPEC)
    [warm] = FakeSlot.made
    assert serve(pool) is warm


def test_leaving_the_pool_removes_its_slots(pool):
    with pool:
        idle = [serve(pool, SPEC), serve(pool, OTHER)]
        assert not any(slot.closed for slot in idle)
    assert all(slot.closed for slot in idle)
