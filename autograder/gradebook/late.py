"""Late penalties, given by nbgrader's own plugins."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Final

from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Float, TraitError
from traitlets.config import Config

from autograder.errors import UsageError

SECONDS_PER_DAY: Final = 86_400


class PointsPerDay(LateSubmissionPlugin):  # type: ignore[misc]  # nbgrader has no types
    """Take a fixed number of points for each day that has begun since the due date.

    nbgrader uses it too with `c.AssignLatePenalties.plugin_class = "autograder.gradebook.late.PointsPerDay"`.
    """

    points_per_day = Float(0.0, min=0.0, help="points to take for each day that has begun").tag(config=True)

    def late_submission_penalty(
        self,
        student_id: str,  # noqa: ARG002 - the plugin interface hands it over
        score: float,  # noqa: ARG002
        total_seconds_late: float,
    ) -> float:
        """Called by nbgrader's `AssignLatePenalties`, which keeps the penalty between 0 and the score."""
        return float(self.points_per_day) * math.ceil(total_seconds_late / SECONDS_PER_DAY)


class LatePenalties:
    """The penalty of a submission under one policy.

    Args:
        policy: nbgrader's `none` or `zero`, `per_day`, or the dotted name of a plugin for nbgrader.
        points_per_day: what `per_day` takes.

    Raises:
        UsageError: there is no such policy.
    """

    def __init__(self, policy: str, points_per_day: float = 0.0) -> None:
        config = Config()
        if policy in ("none", "zero"):
            config.LateSubmissionPlugin.penalty_method = policy
        else:
            config.AssignLatePenalties.plugin_class = PointsPerDay if policy == "per_day" else policy
            config.PointsPerDay.points_per_day = points_per_day
        try:
            self._assigner = AssignLatePenalties(config=config)
            self._assigner.init_plugin()
        except (TraitError, ImportError) as error:
            raise UsageError(
                f"late policy {policy!r}: expected none, zero, per_day or a plugin's dotted name: {error}"
            ) from None

    def penalty(self, student: str, score: float, seconds_late: float) -> float | None:
        """The points to take from `score`, between 0 and all of it; None for a submission in time."""
        if seconds_late <= 0:
            return None
        points = self._assigner.plugin_inst.late_submission_penalty(student, score, seconds_late)
        if points is None:
            return None
        return float(self._assigner._check_late_penalty(SimpleNamespace(score=score), points))
