"""A comparison tells right from wrong by type, shape, dtype and value, in that order, and says no more than it may."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from autograder.checks import close, equal, expect
from autograder.checks.compare import LARGEST_PICTURE, TOLERANCES, describe, differ, same
from autograder.checks.record import Record, recording
from autograder.errors import CheckerError
from autograder.inside.values import Opaque

GRID = np.arange(6.0).reshape(2, 3) + 1


def failing(record):
    [failure] = record.failures
    return failure


# what is right


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_difference_within_the_tolerance_of_the_dtype_passes(record, dtype):
    relative = TOLERANCES[dtype][0]
    assert close((GRID * (1 + relative / 2)).astype(dtype), GRID.astype(dtype))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_difference_beyond_the_tolerance_of_the_dtype_fails(record, dtype):
    relative = TOLERANCES[dtype][0]
    assert not close((GRID * (1 + 4 * relative)).astype(dtype), GRID.astype(dtype))


def test_bfloat16_has_a_tolerance_of_its_own(record):
    expected = torch.full((3,), 1.0, dtype=torch.bfloat16)
    assert close(expected + 2**-7, expected)
    assert not close(expected + 2**-4, expected)


def test_the_rounding_of_a_sum_that_cancels_is_judged_by_the_largest_element(record):
    expected = np.array([530.0, 0.20805], dtype=np.float32)
    assert close(np.array([530.0, 0.207927], dtype=np.float32), expected)
    assert not close(np.array([530.0, 0.3], dtype=np.float32), expected)
    assert not close(np.float32(0.207927), np.float32(0.20805))


def test_tolerances_that_are_given_hold(record):
    assert close(1.05, 1.0, rtol=0.1)
    assert close(1.05, 1.0, rtol=0.0, atol=0.1)
    assert not close(1.05, 1.0, rtol=0.01, atol=0.01)
    assert close(104, 100, atol=5)


def test_a_list_may_stand_for_a_tuple(record):
    assert equal([1, 2], (1, 2))
    assert equal((1, 2), [1, 2])


def test_a_scalar_array_may_stand_for_a_number(record):
    assert close(np.array(2.5), 2.5)
    assert close(np.float64(2.5), 2.5)
    assert close(torch.tensor(2.5), 2.5)
    assert close(3, 3.0)


def test_more_precision_than_asked_for_is_right(record):
    assert close(GRID, GRID.astype(np.float32))


def test_a_float32_scalar_is_compared_as_float32(record):
    assert close(np.float32(0.1), 0.1)


def test_empty_arrays_of_the_same_shape_are_equal(record):
    assert close(np.empty((0, 3)), np.empty((0, 3)))


# what is wrong


@pytest.mark.parametrize("expected", [math.nan, 1.0, np.array([math.nan])])
def test_nan_never_passes(record, expected):
    found = np.full(1, math.nan) if isinstance(expected, np.ndarray) else math.nan
    assert not close(found, expected)
    assert not equal(found, expected)


@pytest.mark.parametrize("found", [0.0, 1e300, -math.inf, math.nan])
def test_only_infinity_is_infinity(record, found):
    assert close(math.inf, math.inf)
    assert not close(found, math.inf)


@pytest.mark.parametrize("found", [1_000_001, np.array([1_000_001])])
def test_counts_are_exact_even_for_close(record, found):
    expected = np.array([1_000_000]) if isinstance(found, np.ndarray) else 1_000_000
    assert not close(found, expected)


@pytest.mark.parametrize(("found", "expected"), [(2**70 + 1, 2**70), (-(2**2000), 2**2000), (2**63, 2**63 - 1)])
def test_integers_of_any_size_are_exact(record, found, expected):
    assert not equal(found, expected)
    assert not close(found, expected)
    assert equal(expected, expected)


def test_a_float_is_no_count_however_large(record):
    assert not equal(float(2**70), 2**70)
    assert failing(record).cause == "type"


def test_equal_knows_no_tolerance(record):
    assert not equal(np.nextafter(1.0, 2.0), 1.0)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, GRID),
        (GRID.tolist(), GRID),
        (torch.from_numpy(GRID), GRID),
        (GRID, torch.from_numpy(GRID)),
        (Opaque(0, "Linear"), GRID),
        ("3", 3),
        (3.0, 3),
        (True, 3),
        (1, True),
        (3 + 0j, 3.0),
        (3, (3,)),
        ({1: 2}, [1, 2]),
        (b"x", "x"),
        (0, None),
        (GRID.astype(int), GRID),
        (GRID.astype(np.float32), GRID),
        (torch.ones(2, dtype=torch.bfloat16), torch.ones(2)),
    ],
)
def test_another_type_is_a_type_failure(record, found, expected):
    assert not close(found, expected)
    assert failing(record).cause == "type"


@pytest.mark.parametrize(
    ("found", "expected"), [(GRID.T, GRID), (GRID[0], GRID), ([1], [1, 2]), ({"a": 1}, {"a": 1, "b": 2}), (GRID, 1.0)]
)
def test_another_shape_is_said_before_any_value(record, found, expected):
    expected = expected if not isinstance(expected, float) else np.array(expected)
    assert not close(found, expected)
    assert failing(record).cause == "shape"


def test_a_forgotten_return_is_named(record):
    close(None, 1.0)
    assert "return" in failing(record).message


# what is said


def test_the_message_counts_the_wrong_elements_and_points_at_the_worst(record):
    found = GRID.copy()
    found[0, 1] += 1
    found[1, 2] -= 50
    close(found, GRID)
    message = failing(record).message
    assert "2 of 6" in message
    assert "(1, 2)" in message
    assert f"{GRID[1, 2]:g}" in message
    assert f"{found[1, 2]:g}" in message


def test_nan_is_the_worst_of_all(record):
    found = GRID.copy()
    found[0, 0] = math.nan
    found[1, 1] = 1e30
    close(found, GRID)
    assert "(0, 0)" in failing(record).message


def test_no_element_but_the_worst_is_shown(record):
    expected = np.array([111.25, 222.5, 333.75])
    close(np.array([111.0, 2e4, 333.0]), expected)
    message = failing(record).message
    assert "222.5" in message
    assert "111.25" not in message
    assert "333.75" not in message


@pytest.mark.parametrize(
    ("found", "expected", "hidden"),
    [
        (1.5, 271.25, "271.25"),
        (GRID, GRID + 270.25, "271.25"),
        (12, 3141, "3141"),
        (2**70, 2**71, str(2**71)),
        ("badger", "otter", "otter"),
        (["badger"], ["otter"], "otter"),
    ],
)
def test_a_check_that_reveals_nothing_shows_no_element(found, expected, hidden):
    with recording(Record(reveal="nothing")) as quiet:
        equal(found, expected)
    assert hidden not in failing(quiet).message
    assert hidden in failing(quiet).detail


def test_the_message_names_the_place_inside_nested_values(record):
    close({"a": [1.0, (2.0, 3.0)]}, {"a": [1.0, (2.0, 4.0)]}, what="the sizes")
    assert "the sizes['a'][1][1]" in failing(record).message


def test_staff_see_both_values(record):
    close(np.array([1.0, 2.0]), np.array([1.0, 7.0]))
    assert "expected: [1. 7.]" in failing(record).detail
    assert "found: [1. 2.]" in failing(record).detail


@pytest.mark.parametrize("value", [None, GRID, torch.ones(2), [1], "x", True, 3, 2.5, Opaque(1, "Conv2d"), b"x"])
def test_every_kind_of_value_has_a_description(value):
    assert describe(value)


# what is recorded


def test_a_wrong_value_is_recorded_and_the_check_goes_on(record):
    assert [close(1.0, 1.0), close(2.0, 3.0), equal(4, 4)] == [True, False, True]
    assert [comparison.ok for comparison in record.comparisons] == [True, False, True]
    assert [comparison.actual for comparison in record.comparisons] == [1.0, 2.0, 4]


def test_a_comparison_belongs_to_its_case_and_call(record):
    record.case, record.call = 3, "f(2x2)"
    close(1.0, 2.0)
    assert (failing(record).case, failing(record).call) == (3, "f(2x2)")


def test_expect_keeps_what_a_hint_rests_on(record):
    assert expect(np.bool_(True), "it is symmetric")
    assert not expect(False, "it is symmetric", actual=[1, 2])
    assert [comparison.actual for comparison in record.comparisons] == [True, [1, 2]]
    assert failing(record).message == "it is symmetric"


def test_a_comparison_outside_a_check_is_the_checkers_error():
    with pytest.raises(CheckerError):
        close(1.0, 1.0)


@pytest.mark.parametrize("expected", [object(), np.array(["a"]), Opaque(0, "Linear")])
@pytest.mark.parametrize("found", [1.0, GRID, None])
def test_a_reference_that_cannot_be_compared_is_not_the_students_fault(record, found, expected):
    with pytest.raises(TypeError):
        close(found, expected)
    assert not record.comparisons


def test_differ_records_nothing(record):
    assert differ(1.0, 2.0) is not None
    assert differ(1.0, 1.0) is None
    assert not record.comparisons


# pictures


def test_a_picture_is_kept_only_when_it_is_asked_for(record):
    close(GRID + 1, GRID)
    close(GRID + 1, GRID, picture=True)
    without, with_one = record.failures
    assert without.picture is None
    assert with_one.picture.expected == GRID.tolist()
    assert with_one.picture.actual == (GRID + 1).tolist()


@pytest.mark.parametrize(
    "expected",
    [np.ones(4), np.ones((2, 2, 2)), np.ones((LARGEST_PICTURE + 1, 2)), np.ones((1, 5)), np.ones((2, 2)) * 1j],
)
def test_what_is_no_small_image_has_no_picture(record, expected):
    close(expected + 1, expected, picture=True)
    assert failing(record).picture is None


def test_another_shape_has_no_picture(record):
    close(GRID.T, GRID, picture=True)
    assert failing(record).picture is None


# the same answer


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (math.nan, math.nan),
        (np.array([1.0, math.nan]), np.array([1.0, math.nan])),
        ([1, (2, "x")], (1, [2, "x"])),
        ({"a": GRID}, {"a": GRID + 1e-12}),
        (Opaque(1, "Net"), Opaque(2, "Net")),
        (None, None),
        (np.ones(2, np.float32), np.ones(2)),
        (math.inf, math.inf),
    ],
)
def test_equal_answers_are_the_same(one, other):
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1.0, 1.1),
        (1.0, math.nan),
        (1_000_000, 1_000_001),
        (np.array([1_000_000]), np.array([1_000_001])),
        (2**70, 2**70 + 1),
        (GRID, GRID.T),
        ([1], [1, 2]),
        ({"a": 1}, {"b": 1}),
        (Opaque(1, "Net"), 1),
        (None, 0.0),
        ("1", 1),
        (np.array([True]), np.array([False])),
    ],
)
def test_unequal_answers_are_not_the_same(one, other):
    assert not same(one, other)
    assert not same(other, one)
