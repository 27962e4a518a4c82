"""Answers collected over many attempts: a table of them earns next to nothing, as each attempt gets other inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autograder.checks.draw import Attempt
from autograder.checks.local import LocalTransport
from autograder.checks.suite import Suite

ATTEMPTS = 4


class Collector:
    """A student who learns more from an attempt than any feedback tells: each call of a check, and its right answer.

    The functions of the next attempt look their answers up.
    """

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.known: dict[str, Any] = {}

    def attempt(self, attempt: Attempt) -> float:
        """The points of an attempt."""
        learnt: dict[str, Any] = {}
        answers = {name: self._lookup(name) for name, value in self._right() if callable(value)}
        transport = LocalTransport(dict(self._right()) | answers)
        points = [item.points for item in self.suite.checks if not self.suite.run(item, transport, attempt).failed]
        transport = LocalTransport(dict(self._right()) | {name: self._right_one(name, learnt) for name in answers})
        for item in self.suite.checks:
            self.suite.run(item, transport, attempt)
        self.known |= learnt
        return sum(points)

    def _right(self) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in vars(self.suite.reference).items() if not isinstance(value, type)]

    def _lookup(self, name: str) -> Callable[..., Any]:
        def answer(*args: Any, **kwargs: Any) -> Any:
            return self.known.get(repr((name, args, kwargs)), 0)

        return answer

    def _right_one(self, name: str, learnt: dict[str, Any]) -> Callable[..., Any]:
        function = vars(self.suite.reference)[name]

        def answer(*args: Any, **kwargs: Any) -> Any:
            found = learnt[repr((name, args, kwargs))] = function(*args, **kwargs)
            return found

        return answer


@pytest.mark.parametrize("assignment", ["convolution", "output_sizes"])
def test_a_table_of_earlier_answers_earns_next_to_nothing(assignment):
    collector = Collector(Suite.load(assignment))
    points = [collector.attempt(Attempt("mallory", "secret", str(number))) for number in range(ATTEMPTS)]
    assert max(points) <= 0.12 * sum(item.points for item in collector.suite.checks), points


@pytest.mark.parametrize("assignment", ["convolution", "output_sizes"])
def test_it_would_earn_most_points_if_each_attempt_got_the_same_inputs(assignment):
    collector = Collector(Suite.load(assignment))
    points = [collector.attempt(Attempt("mallory", "secret")) for _ in range(ATTEMPTS)]
    assert points[0] <= 5
    assert points[-1] >= 0.5 * sum(item.points for item in collector.suite.checks), points
