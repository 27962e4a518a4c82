"""Whatever the value: it is itself, a changed one is not, NaN never passes, and shapes are told both ways alike."""

from __future__ import annotations

import copy
import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies.comparisons import finite, shapes, values

from autograder.checks import close, equal
from autograder.checks.compare import TOLERANCES, same
from autograder.checks.record import Record, recording


def compared(comparison, actual, expected):
    """Whether it held, and the comparison that was recorded."""
    with recording(Record()) as record:
        held = comparison(actual, expected)
    [recorded] = record.comparisons
    assert recorded.ok == held
    return held, recorded


def places(value, path=()):
    """The paths to the leaves of a value."""
    if isinstance(value, list | tuple):
        return [place for i, item in enumerate(value) for place in places(item, (*path, i))]
    if isinstance(value, dict):
        return [place for key, item in value.items() for place in places(item, (*path, key))]
    if isinstance(value, np.ndarray):
        return [(*path, index) for index in np.ndindex(value.shape)]
    return [path]


def changed(value, path, change):
    """A copy with one leaf changed."""
    if isinstance(value, np.ndarray):
        copied = value.copy()
        copied[path[0]] = change(value[path[0]])
        return copied
    if not path:
        return change(value)
    copied = copy.copy(value) if not isinstance(value, tuple) else list(value)
    copied[path[0]] = changed(value[path[0]], path[1:], change)
    return tuple(copied) if isinstance(value, tuple) else copied


def something_else(leaf):
    """A value of the same type that is not near."""
    if isinstance(leaf, bool | np.bool_):
        return not leaf
    if leaf is None:
        return 0
    if isinstance(leaf, str):
        return leaf + "x"
    if isinstance(leaf, np.uint8):
        return leaf ^ 1
    if isinstance(leaf, int | np.integer):
        return leaf - 1 if leaf > 0 else leaf + 1
    return leaf + 1 + abs(leaf) / 8


@given(values)
def test_a_value_is_itself(value):
    assert compared(close, value, copy.deepcopy(value))[0]
    assert compared(equal, value, copy.deepcopy(value))[0]
    assert same(value, copy.deepcopy(value))


@given(values, st.data())
def test_a_value_with_one_changed_part_is_not_it(value, data):
    found = places(value)
    assume(found)
    wrong = changed(value, data.draw(st.sampled_from(found)), something_else)
    for comparison in (close, equal):
        assert not compared(comparison, wrong, value)[0]
    assert not same(wrong, value)


@given(hnp.arrays("float64", hnp.array_shapes(max_dims=3, max_side=4), elements=finite), st.data())
def test_nan_never_passes(array, data):
    index = data.draw(st.sampled_from(list(np.ndindex(array.shape))))
    spoilt = changed(array, (index,), lambda _: math.nan)
    for expected in (array, spoilt):
        for comparison in (close, equal):
            held, recorded = compared(comparison, spoilt, expected)
            assert not held
            assert recorded.cause == "value"
            assert "nan" in recorded.message


@given(hnp.arrays("float64", shapes, elements=st.floats(0.5, 1e6)), st.floats(-0.9, 0.9))
def test_rounding_within_the_tolerance_passes(array, part):
    relative, _ = TOLERANCES["float64"]
    assert compared(close, array * (1 + part * relative), array)[0]


@given(shapes, shapes)
def test_shapes_are_told_alike_in_both_directions(one, other):
    assume(one != other and one and other)
    a, b = np.zeros(one), np.zeros(other)
    held, recorded = compared(close, a, b)
    back_held, back = compared(close, b, a)
    assert not held
    assert not back_held
    assert recorded.cause == back.cause == "shape"
    for message in (recorded.message, back.message):
        assert str(one) in message
        assert str(other) in message


@given(values, values)
def test_any_two_values_can_be_compared_and_the_answer_is_said(actual, expected):
    held, recorded = compared(equal, actual, expected)
    assert held or recorded.message


@given(values, values)
def test_being_the_same_answer_works_in_both_directions(one, other):
    assert same(one, other) == same(other, one)
