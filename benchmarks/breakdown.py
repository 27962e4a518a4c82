"""Where a submission's time goes: the steps of grading it, timed one by one in a warm process."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

from nbclient import NotebookClient

from autograder.checks.suite import Suite
from autograder.gradebook import feedback
from autograder.gradebook.nbgrader import CourseGradebook
from autograder.grading import grade
from autograder.jobs.store import AttemptStore
from autograder.kernel.session import KernelSession
from autograder.notebooks import document
from autograder.sandbox.slot import Slot

STEPS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("parse and rebuild", document, "parse"),
    ("parse and rebuild", grade, "rebuild"),
    ("fork a kernel", Slot, "fork"),
    ("connect to it", KernelSession, "run"),
    ("run the cells", NotebookClient, "async_execute_cell"),
    ("checks, outside", Suite, "run"),
    ("checks, calls into the kernel", KernelSession, "request"),
    ("hints", Suite, "diagnose"),
    ("end the kernel, clean up", KernelSession, "__exit__"),
    ("feedback notebook", feedback, "annotate"),
    ("store of attempts", AttemptStore, "put"),
    ("store of attempts", AttemptStore, "mark_recorded"),
    ("nbgrader's gradebook", CourseGradebook, "record"),
)
"""(label, owner, function). A step's time is its own, without that of the steps in it."""
WHOLE: Final = frozenset({"hints"})
"""Steps that keep the time of those in them: hints run checks, but on the mistakes."""


@dataclass(slots=True)
class Clock:
    """Seconds of wall, and of this process's CPU, by step."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    _running: list[str] = field(default_factory=lambda: ["the rest"])
    _since: tuple[float, float] = (0.0, 0.0)

    @contextmanager
    def watching(self) -> Iterator[Clock]:
        """Time the steps for as long as the block runs."""
        with ExitStack() as stack:
            for label, owner, name in STEPS:
                stack.enter_context(mock.patch.object(owner, name, self._timed(label, getattr(owner, name))))
            self._since = _now()
            yield self
            self._note()

    @contextmanager
    def _step(self, label: str) -> Iterator[None]:
        if not WHOLE.isdisjoint(self._running):
            yield
            return
        self._note()
        self._running.append(label)
        try:
            yield
        finally:
            self._note()
            self._running.pop()

    def _note(self) -> None:
        """Give the time since the last note to the step that is running."""
        wall, cpu = _now()
        label = self._running[-1]
        self.wall[label] = self.wall.get(label, 0.0) + wall - self._since[0]
        self.cpu[label] = self.cpu.get(label, 0.0) + cpu - self._since[1]
        self._since = wall, cpu

    def _timed(self, label: str, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def waiting(*args: Any, **kwargs: Any) -> Any:
                with self._step(label):
                    return await function(*args, **kwargs)

            return waiting

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self._step(label):
                return function(*args, **kwargs)

        return timed


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
