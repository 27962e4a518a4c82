"""A mistake upstream is named downstream: where an exercise uses what fails its own checks, and there alone."""

from __future__ import annotations

import pytest

from autograder.checks.upstream import failing_names, told, upstream

A = "def a(x):\n    return x"
USES_A = "def b(x):\n    return a(x)"


def blamed(*sources, helpers=(), failing=("a",)):
    exercises = {name: [source] for name, source in zip("abc", sources, strict=False)}
    called = {name: [{name, "c"}] for name in failing}
    return upstream(exercises, helpers, failing_names(exercises, called))


def test_an_exercise_that_uses_a_failing_name_is_told_so():
    assert blamed(A, USES_A, "def c(x):\n    return b(x) + a(x)", failing="ab") == {"b": ["a"], "c": ["a", "b"]}


@pytest.mark.parametrize(
    "source",
    [
        "def b(a):\n    return a",
        "def a(x): ...\ndef b(x):\n    return a(x)",
        "def b(x):\n    return 'a'",
        "def b(:",
        "",
    ],
)
def test_another_thing_of_the_same_name_is_no_use(source):
    assert blamed(A, source, failing="ab") == {}


def test_a_use_through_a_cell_of_the_students_own_counts():
    helpers = ["def first(x):\n    return second(x)", "def second(x):\n    return first(a(x))"]
    assert blamed(A, "def b(x):\n    return first(x)", helpers=helpers) == {"b": ["a"]}


def test_of_two_exercises_that_use_each_other_the_later_is_told():
    assert blamed("def a(x):\n    return b(x)", USES_A, failing="ab") == {"b": ["a"]}


def test_a_cell_that_does_not_parse_fails_by_the_name_its_checks_asked_for():
    assert blamed("def a(x:", USES_A) == {"b": ["a"]}


def test_only_names_that_the_failed_checks_called_are_failing():
    exercises = {"a": ["def a(x): ...\ndef spare(x): ..."], "b": ["def b(x): ..."]}
    assert failing_names(exercises, {"a": [{"a", "b"}, {"a"}]}) == {"a": {"a"}}


def test_it_is_told_in_a_sentence():
    assert told(["a"]) == "This exercise uses `a`, which fails checks of its own: look there first, it may be why"
    assert (
        told(["a", "b"])
        == "This exercise uses `a` and `b`, which fail checks of their own: look there first, it may be why"
    )
