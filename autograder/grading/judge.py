"""Run the checks: on the state at the end, and at an exercise's graded cell where a later cell changed the exercise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from autograder.checks.diagnosis import Outcome
from autograder.checks.draw import Attempt
from autograder.checks.rebinding import ANY, Notebook
from autograder.checks.record import Budget, Record
from autograder.checks.suite import Check, Suite
from autograder.errors import StudentFailure
from autograder.grading.cells import is_checked
from autograder.kernel.session import Execution, KernelSession

SHOWN = 3
"""Names that a note lists."""


@dataclass(slots=True)
class Judged:
    """What the checks found, and what the student and staff have to know of how they were run."""

    outcomes: dict[Check, Outcome | StudentFailure]
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    manual: list[str] = field(default_factory=list)
    """Graded cells whose checks could not be run again for want of time."""


class Judge:
    """Runs the checks of one submission in its kernel.

    An exercise is judged by its functions as they are where its graded cell stands, as Jupyter runs it, or as they are
    at the end of the notebook: a check that passes in either state is passed. Its checks run on the state at the end
    first, which costs no kernel of its own. Only where one fails, and a later cell binds again or changes what the
    exercise depends on, the cells above its graded cell run once more in a fresh kernel, and the failed checks there.
    So no call of a check can change what a later cell computes. What this takes is part of the submission's time; it
    comes last, so that no other check loses time by it.
    """

    def __init__(self, suite: Suite, session: KernelSession, attempt: Attempt) -> None:
        self._suite = suite
        self._session = session
        self._attempt = attempt
        self._budget = Budget()

    def judge(self, execution: Execution, bans: Mapping[str, StudentFailure]) -> Judged:
        """Run all checks but those of the exercises in `bans`.

        Raises:
            SandboxError: the sandbox failed.
            CheckerError: a check failed.
        """
        judged = Judged({})
        for item in self._suite.checks:
            judged.outcomes[item] = bans[item.cell] if item.cell in bans else self._run(item)
        cells = _Cells(execution)
        for name, position in cells.graded.items():
            ran = {check: found for check, found in judged.outcomes.items() if check.cell == name}
            outcomes = {check: found for check, found in ran.items() if isinstance(found, Outcome)}
            failed = [check for check, outcome in outcomes.items() if outcome.failed]
            names = set().union(*(outcomes[check].record.functions for check in failed or outcomes))
            if failed and (changed := cells.notebook.changed_after(position, names)):
                self._judge_again(judged, cells, name, failed, changed)
            elif not failed and (later := cells.defined_after(position, names)):
                judged.notes.append(cells.judged_below(name, later))
        _forbid(judged.outcomes)
        return judged

    def _run(self, item: Check) -> Outcome:
        return self._suite.run(item, self._session, self._attempt, Record(item.reveal, budget=self._budget))

    def _judge_again(
        self, judged: Judged, cells: _Cells, name: str, failed: Sequence[Check], changed: set[str]
    ) -> None:
        """Run the failed checks of an exercise as things are at its graded cell."""
        replaced = False
        if self._session.left():
            self._session.rewind(cells.graded[name])
        for item in failed:
            outcome = self._run(item) if self._session.left() else None
            if outcome is None or (outcome.failed and not self._session.left()):
                judged.manual.append(name)
                judged.warnings.append(
                    f"`{name}`: {_listed(changed)} changed further down, and no time was left to run its failed checks "
                    "as things were at its graded cell: read it, or grade again with a higher total_seconds"
                )
                break
            if not outcome.failed or not _is_missing(outcome):
                judged.outcomes[item] = outcome
                replaced = True
        if replaced:
            judged.notes.append(cells.judged_above(name, changed))
        elif name not in judged.manual:
            judged.notes.append(cells.judged_below(name, changed))


class _Cells:
    """The cells of a notebook that was run."""

    def __init__(self, execution: Execution) -> None:
        self._cells = execution.notebook.cells
        self._lost = {item.index for item in execution.lost}
        self.graded: dict[str, int] = {
            cell.metadata.nbgrader.grade_id: position for position, cell in enumerate(self._cells) if is_checked(cell)
        }
        """The position of each graded cell."""

    @cached_property
    def notebook(self) -> Notebook:
        """What the cells that ran bind and change."""
        return Notebook(self._sources)

    @cached_property
    def _sources(self) -> list[str | None]:
        return [
            cell.source if cell.cell_type == "code" and position not in self._lost and not is_checked(cell) else None
            for position, cell in enumerate(self._cells)
        ]

    def defined_after(self, position: int, names: set[str]) -> set[str]:
        """Those of `names` that cells after `position` define as a function or class."""
        later = [source for source in self._sources[position:] if source]
        if not any(f"{word} {name}" in source for source in later for name in names for word in ("def", "class")):
            return set()  # most notebooks: nothing is parsed for them
        return self.notebook.binds_after(position, names)

    def judged_above(self, name: str, changed: set[str]) -> str:
        """What a student reads of an exercise whose checks ran as things were at its graded cell."""
        how = "defined again" if changed <= self.notebook.binds_after(self.graded[name], changed) else "changed"
        told = f"{_listed(changed)} {how} further down"
        return f"Exercise `{name}`: {told}; this exercise was judged with the definition above its examples."

    def judged_below(self, name: str, changed: set[str]) -> str:
        """What a student reads of an exercise that counts as things were at the end, though its names changed."""
        above = self.notebook.binds_before(self.graded[name], changed)
        told = f"{_listed(changed)} defined {'again further down' if above else 'below its examples'}"
        return f"Exercise `{name}`: {told}; this exercise was judged with the definition further down."


def _forbid(outcomes: dict[Check, Outcome | StudentFailure]) -> None:
    """Let an exercise fail as a whole of which one check found that it calls what is forbidden."""
    found: dict[str, StudentFailure] = {}
    for check, outcome in outcomes.items():
        failure = outcome.failure if isinstance(outcome, Outcome) else None
        if failure is not None and failure.cause == "forbidden":
            found.setdefault(check.cell, failure)
    outcomes.update({check: found[check.cell] for check in outcomes if check.cell in found})


def _is_missing(outcome: Outcome) -> bool:
    """Whether there was no such function."""
    failure = outcome.failure
    return not outcome.record.failures and failure is not None and failure.cause == "missing"


def _listed(names: set[str]) -> str:
    """`a` and `b` are."""
    if ANY in names:
        return "what it uses is"
    shown = [f"`{name}`" for name in sorted(names)]
    more = [f"{len(shown) - SHOWN} more"] if len(shown) > SHOWN else []
    shown = [*shown[:SHOWN], *more]
    if len(shown) == 1:
        return f"{shown[0]} is"
    return f"{', '.join(shown[:-1])} and {shown[-1]} are"
