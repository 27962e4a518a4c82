"""A wrong answer gets the hint of the mistake that gives the same answers, and of no other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograder.checks.diagnosis import Mistake, Outcome, alike, choose, mistake
from autograder.checks.record import Comparison, Record
from autograder.errors import KernelLost, StudentFailure


def outcome(*answers, failure=None):
    """Answers as (value, was it right)."""
    record = Record()
    for actual, ok in answers:
        record.add(Comparison(ok, actual))
    return Outcome(record, failure)


def raised(text, cause="exception"):
    return StudentFailure(cause, text)


def test_the_same_wrong_answers_are_alike():
    one = outcome((np.array([1.0, math.nan]), False), (3, True))
    other = outcome((np.array([1.0, math.nan]), False), (3, True))
    assert alike(one, other)


@pytest.mark.parametrize(
    "other",
    [
        outcome((2.0, False), (3, True)),
        outcome((1.0, False)),
        outcome((1.0, True), (3, False)),
        outcome((1.0, True), (3, True)),
        outcome((1.0, False), (3, True), failure=raised("`f` raised ValueError: x")),
    ],
    ids=["another value", "fewer answers", "wrong elsewhere", "right", "ended early"],
)
def test_other_answers_are_not_alike(other):
    one = outcome((1.0, False), (3, True))
    assert not alike(one, other)
    assert not alike(other, one)


def test_the_same_exception_is_alike_wherever_it_was_raised():
    one, other = (outcome(failure=raised(f"`f` raised IndexError: axis 2 (at `{line}`)")) for line in ("x[2]", "y[2]"))
    assert alike(one, other)


def test_another_exception_is_not_alike():
    assert not alike(outcome(failure=raised("`f` raised IndexError")), outcome(failure=raised("`f` raised KeyError")))
    assert not alike(outcome(failure=raised("x", "exception")), outcome(failure=raised("x", "type")))


@pytest.mark.parametrize("cause", ["timeout", "memory", "died", "missing"])
def test_a_lost_kernel_resembles_nothing(cause):
    failure = KernelLost(cause, "gone")
    assert not alike(outcome(failure=failure), outcome(failure=failure))


def test_right_answers_need_no_hint():
    assert not alike(outcome((1.0, True)), outcome((1.0, True)))


def known(name):
    return Mistake(name, "f", f"hint of {name}", None)


def test_the_mistake_that_explains_most_checks_is_chosen():
    common, rare = known("common"), known("rare")
    chosen = choose({"a": [rare, common], "b": [common], "c": [common], "d": [rare]})
    assert chosen == {"a": common, "b": common, "c": common, "d": rare}


def test_a_check_that_no_mistake_explains_has_no_hint():
    assert choose({"a": [], "b": [known("m")]}) == {"b": known("m")}


@mistake(
    of="conv2d",
    hint="flipped",
)
def flipped(x):
    def helper():
        return x

    return helper()


@mistake(of="Net", hint="wrong class")
class WrongNet:
    size = 3


@pytest.mark.parametrize("wrong", [flipped, WrongNet])
def test_the_source_of_a_mistake_defines_it_without_its_mark(wrong):
    source = vars(wrong)["__mistake__"].source()
    namespace = {}
    exec(source, namespace)
    assert wrong.__name__ in namespace
    assert "hint" not in source


def test_a_marked_mistake_is_still_the_function():
    assert flipped(5) == 5
