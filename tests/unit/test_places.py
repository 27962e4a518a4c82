"""Every place that holds a function is found, and what classes say of themselves is not asked."""

import gc

import pytest

from autograder.inside import places


class Hostile(type):
    """As a student may write it before a forbidden module is imported."""

    __dict__ = property(lambda cls: 1 / 0)


class Holder(metaclass=Hostile):
    """A class that holds the function; its own namespace is out of its metaclass's reach."""


class Ours:
    """What keeps the original."""


@pytest.fixture(autouse=True)
def _unfrozen():
    yield
    gc.unfreeze()


def test_a_class_whose_metaclass_hides_its_namespace_is_found_too():
    def forbidden():
        return "forbidden"

    def stand_in():
        return "stand-in"

    Holder.method = forbidden
    kept = [[forbidden], {"key": forbidden}]
    for place in places.find({forbidden: stand_in}, set(), Ours):
        place.put(place.holder, place.key, place.value)
    assert Holder.method() == "stand-in"
    assert [kept[0][0](), kept[1]["key"]()] == ["stand-in"] * 2
