"""A student in this very process: the probe on a given namespace, values through the same codec.

For running *our* code as a student would be run: mistakes (diagnosis), right answers in unit tests. Never
student code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.inside.probe import Probe
from autograder.inside.values import ANSWER
from autograder.model.assignment import Runner


class LocalTransport:
    """Carries requests to a probe in this process."""

    bounds = ANSWER

    def __init__(self, namespace: dict[str, Any], runner: Runner = "cpu") -> None:
        """`runner` is whose sizes the checks choose: this very process always computes on the CPU."""
        self._probe = Probe(namespace)
        self._probe.not_an_answer = (KeyboardInterrupt,)
        self.runner = runner

    def request(
        self,
        message: dict[str, Any],
        buffers: Sequence[Any],
        seconds: float | None,  # noqa: ARG002 - our own code ends
    ) -> tuple[dict[str, Any], Sequence[Any]]:
        """The probe's reply."""
        return self._probe.answer(message, buffers)
