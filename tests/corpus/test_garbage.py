"""Whatever a student's functions return, every check says so: it is never the checker that fails."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from autograder.checks.draw import Attempt
from autograder.checks.local import LocalTransport
from autograder.checks.suite import Suite


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


GARBAGE: dict[str, Any] = {
    "nothing": None,
    "true": True,
    "a negative number": -3,
    "a number that is not there": float("nan"),
    "a huge number": 10**300,
    "words": "what?",
    "an empty list": [],
    "a list of words": ["a", "b"],
    "a pair of nothing": (None, None),
    "a dict": {1: 2},
    "a deep list": nested(22),
    "an empty array": np.zeros((0, 3)),
    "an array of other shape": np.ones((2, 3, 4, 5)),
    "an array of nothing": np.full((3, 3), np.nan),
    "an array of integers": np.arange(12).reshape(3, 4),
    "complex numbers": np.ones((3, 3), dtype=complex),
    "an object": object(),
    "a class": int,
}


@pytest.mark.parametrize("assignment", ["convolution", "output_sizes", "architectures"])
@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_check_never_fails_by_what_a_student_returns(assignment: str, garbage: str) -> None:
    suite = Suite.load(assignment)
    value = GARBAGE[garbage]

    def anything(*_args: Any, **_kwargs: Any) -> Any:
        return value

    names = [name for name, item in vars(suite.reference).items() if callable(item) and not inspect.ismodule(item)]
    names += [mistake.of for mistake in suite.mistakes]
    functions = LocalTransport(dict.fromkeys(names, anything))
    variables = LocalTransport(dict.fromkeys(names, value))
    passed = [
        check.name
        for check in suite.checks
        for transport in (functions, variables)
        if not suite.run(check, transport, Attempt("student", "secret")).failed
    ]
    assert not passed
