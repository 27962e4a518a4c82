"""What a set's rounds say: seconds a submission with and without start-up, medians, ratios pair by pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.processes import Cost


@dataclass(frozen=True, slots=True)
class Grading:
    """One system's two runs in a round: over a small class and a large one."""

    small: int
    small_cost: Cost
    large: int
    large_cost: Cost

    @property
    def steady(self) -> Cost:
        """What one more submission costs: start-up is in both runs and cancels."""
        return (self.large_cost - self.small_cost) / (self.large - self.small)

    @property
    def start(self) -> Cost:
        """What the run costs before the first submission."""
        return self.small_cost - Cost(self.steady.wall * self.small, self.steady.cpu * self.small)

    @property
    def whole(self) -> Cost:
        """The large run's cost a submission, start-up included."""
        return self.large_cost / self.large


@dataclass(frozen=True, slots=True)
class Round:
    """All systems, one after the other; `limit` is a submission's cost."""

    nbgrader: Grading
    ours: Grading
    limit: Cost


@dataclass(frozen=True, slots=True)
class Result:
    """All that was measured of a set."""

    rounds: tuple[Round, ...]
    warm: dict[str, Any]
    """What `benchmarks.warm` printed."""

    def median(self, figure: Callable[[Round], float]) -> float:
        """The median of a figure over the rounds; of a ratio it is taken after dividing, pair by pair."""
        return median(map(figure, self.rounds))

    @property
    def speed(self) -> float:
        """How many times nbgrader's throughput ours is, both steady."""
        return self.median(lambda r: r.nbgrader.steady.wall / r.ours.steady.wall)

    @property
    def speed_whole(self) -> float:
        """The same, each with its start-up, over its large class: nbgrader's is the smaller one."""
        return self.median(lambda r: r.nbgrader.whole.wall / r.ours.whole.wall)

    @property
    def thrift(self) -> float:
        """How many times ours nbgrader's CPU time for a submission is."""
        return self.median(lambda r: r.nbgrader.steady.cpu / r.ours.steady.cpu)

    @property
    def own_cost(self) -> float:
        """CPU seconds a submission that are the grader's own: beyond the limit."""
        return self.median(lambda r: r.ours.steady.cpu - r.limit.cpu)
